import type { Listener } from "../../api/types";

/**
 * Where this browser most likely reaches the node by WebSocket: the host of the page, a listener that runs, the safe
 * kind first where the page itself is safe. A page over https may not open ws://.
 */
export function webSocketUrl(
  listeners: Pick<Listener, "type" | "bind" | "status">[],
  page: { protocol: string; hostname: string },
): string | null {
  const secure = page.protocol === "https:";
  const wanted = secure ? ["wss"] : ["ws", "wss"];
  const found = wanted
    .map((type) => listeners.find((one) => one.type === type && one.status.running === true))
    .find((one) => one !== undefined);
  const port = found && /(\d+)$/.exec(found.bind)?.[1];
  if (!found || !port) return null;
  const host = page.hostname.includes(":") && !page.hostname.startsWith("[") ? `[${page.hostname}]` : page.hostname;
  return `${found.type}://${host}:${port}/mqtt`;
}
