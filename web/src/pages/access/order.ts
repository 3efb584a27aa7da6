/** Where `id` goes when it moves one place up (-1) or down (1), in the words of the API; null at the end. */
export function moved(ids: string[], id: string, by: -1 | 1): string | null {
  const at = ids.indexOf(id);
  const neighbour = ids[at + by];
  if (at < 0 || neighbour === undefined) return null;
  return by < 0 ? `before:${neighbour}` : `after:${neighbour}`;
}
