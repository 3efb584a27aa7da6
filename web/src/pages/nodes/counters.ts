/** Counters by the first word of their name; both in order of name. */
export function groupCounters(counters: Record<string, number>): [group: string, members: [string, number][]][] {
  const groups = new Map<string, [string, number][]>();
  for (const [name, value] of Object.entries(counters)) {
    if (typeof value !== "number") continue;
    const group = name.split(".")[0] ?? name;
    const members = groups.get(group) ?? [];
    members.push([name, value]);
    groups.set(group, members);
  }
  for (const members of groups.values()) members.sort(([a], [b]) => a.localeCompare(b));
  return [...groups].sort(([a], [b]) => a.localeCompare(b));
}

/** "connections.count" and "connections.max" as one row. */
export function pairGauges(gauges: Record<string, number>): [name: string, now: number, most: number][] {
  return Object.keys(gauges)
    .filter((key) => key.endsWith(".count"))
    .map((key): [string, number, number] => {
      const name = key.slice(0, -".count".length);
      return [name, gauges[key] ?? 0, gauges[`${name}.max`] ?? 0];
    })
    .sort(([a], [b]) => a.localeCompare(b));
}
