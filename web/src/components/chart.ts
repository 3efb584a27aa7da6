// What a chart says in words.
import { formatCount } from "../lib/numbers";
import { formatTime } from "../lib/time";

export interface Line {
  label: string;
  color: string;
  values: (number | null)[];
}

/** 24 hours; the date where the ticks are a day or more apart, or a new day begins. */
export function timeTicks(ticks: number[], timeZone: string): string[] {
  let day = "";
  return ticks.map((seconds) => {
    const [date = "", time = ""] = formatTime(seconds * 1000, timeZone).split(" ");
    const first = day !== "" && date !== day;
    day = date;
    return first ? date.slice(5) : time.slice(0, 5);
  });
}

/** "Received 12, sent 3" */
export function describeLatest(lines: Line[]): string {
  return lines
    .map(({ label, values }) => {
      const last = values.at(-1);
      return `${label} ${last === undefined || last === null ? "–" : formatCount(Math.round(last))}`;
    })
    .join(", ");
}
