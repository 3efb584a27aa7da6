// What a chart says in words, and its shape where it is too small for axes.
import { formatCount } from "../lib/numbers";
import { formatTime } from "../lib/time";

export interface Line {
  label: string;
  color: string;
  values: (number | null)[];
}

/** 24 hours, with seconds where the ticks are closer than a minute; the date where a new day begins. */
export function timeTicks(ticks: number[], timeZone: string): string[] {
  let day = "";
  const step = ticks.length > 1 ? (ticks[1] ?? 0) - (ticks[0] ?? 0) : 60;
  return ticks.map((seconds) => {
    const [date = "", time = ""] = formatTime(seconds * 1000, timeZone).split(" ");
    const first = day !== "" && date !== day;
    day = date;
    return first ? date.slice(5) : step < 60 ? time : time.slice(0, 5);
  });
}

/** A rate below ten keeps a digit behind the point: 0.4 messages a second are not none. */
export function formatValue(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value > 0 && value < 10 && !Number.isInteger(value) ? String(+value.toFixed(1)) : formatCount(Math.round(value));
}

/** "Received 12, Sent 3" at one place of the lines; -1: the latest. */
export function describe(lines: Line[], at = -1): string {
  return lines.map(({ label, values }) => `${label} ${formatValue(values.at(at))}`).join(", ");
}

/** The path of a line in a box of this size, from zero up; "" with fewer than two values. */
export function sparkPath(values: (number | null)[], width: number, height: number): string {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = width / Math.max(1, values.length - 1);
  if (values.length < 2) return "";
  return values
    .map((value, i) => `${i === 0 ? "M" : "L"}${(i * step).toFixed(1)},${(height - ((value ?? 0) / most) * height).toFixed(1)}`)
    .join("");
}

/** Every n-th value, so that at most `count` are left; the last one always. */
export function thin<T>(values: T[], count: number): T[] {
  const step = Math.ceil(values.length / count);
  return step <= 1 ? values : values.filter((_value, i) => (values.length - 1 - i) % step === 0);
}
