// Instants as people read them, in the time zone they chose.
const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  let found = cache.get(timeZone);
  if (!found) {
    found = new Intl.DateTimeFormat("sv-SE", {
      timeZone: timeZone || undefined,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    cache.set(timeZone, found);
  }
  return found;
}

/** RFC 3339 text or milliseconds since 1970 as "2024-01-09 10:00:00"; what is no time comes back as it was. */
export function formatTime(value: string | number | null | undefined, timeZone = ""): string {
  if (value === null || value === undefined || value === "") return "";
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return String(value);
  return formatter(timeZone).format(date);
}

/** What a datetime-local field shows for an instant, in this zone; "" for what is no time. */
export function fieldOf(instant: string | number, timeZone: string): string {
  if (Number.isNaN(new Date(instant).getTime())) return "";
  return formatTime(instant, timeZone).slice(0, 16).replace(" ", "T");
}

/** The instant that a datetime-local field means in this zone, as RFC 3339; null while it is half-typed. */
export function instantOf(field: string, timeZone: string): string | null {
  const wanted = Date.parse(`${field}Z`);
  if (Number.isNaN(wanted)) return null;
  const offsetAt = (instant: number) => Date.parse(`${formatTime(instant, timeZone).replace(" ", "T")}Z`) - instant;
  // The offset at the right instant may differ from that at the guess, an hour around a change of the clocks.
  const guess = wanted - offsetAt(wanted);
  return new Date(wanted - offsetAt(guess)).toISOString();
}

/** 93784000 -> "1d 2h 3m"; at most three units, never empty. */
export function formatDuration(milliseconds: number): string {
  let seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds === 0) return `${Math.max(0, Math.round(milliseconds))}ms`;
  const parts: string[] = [];
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]] as const) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 3).join(" ");
}

export function timeZones(): string[] {
  return typeof Intl.supportedValuesOf === "function" ? ["UTC", ...Intl.supportedValuesOf("timeZone")] : ["UTC"];
}
