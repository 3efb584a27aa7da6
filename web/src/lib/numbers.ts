const grouped = new Intl.NumberFormat("en-US");

/** 12345 -> "12,345" */
export const formatCount = (value: number): string => grouped.format(value);

/** 1536 -> "1.5 KiB" */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Bounds come as numbers or as the word "infinity". */
export function formatLimit(value: number | string | undefined): string {
  if (value === undefined) return "–";
  return typeof value === "number" ? formatCount(value) : value === "infinity" ? "∞" : value;
}
