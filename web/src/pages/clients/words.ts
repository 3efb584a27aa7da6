// A client's properties as people read them. A session that was loaded from disk has none of its last connection: "".
import type { Client } from "../../api/types";

export const protocolName = (version: number): string =>
  ({ 0: "", 3: "MQTT 3.1", 4: "MQTT 3.1.1", 5: "MQTT 5.0" })[version] ?? String(version);

export function addressOf({ ip_address, port }: Pick<Client, "ip_address" | "port">): string {
  if (!port) return "";
  return ip_address.includes(":") ? `[${ip_address}]:${port}` : `${ip_address}:${port}`;
}

/** 0xFFFFFFFF: the session never expires. 3.1.2.11.2 */
export const isForEver = (seconds: number): boolean => seconds >= 0xffffffff;
