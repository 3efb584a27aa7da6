import { api } from "../../api/client";
import type { Stored } from "../../api/stored";
import type { ApiKey } from "../../api/types";

export type KeySettings = Pick<ApiKey, "desc" | "enable" | "expired_at" | "role">;

/** What an update must send again, or the server goes back to its defaults. */
export const keptOf = ({ desc, enable, expired_at, role }: ApiKey): KeySettings => ({ desc, enable, expired_at, role });

export function storedKey(name: string): Stored<KeySettings> {
  const params = { path: { name } };
  return {
    get: () => api.GET("/api/v5/api_key/{name}", { params }),
    show: (answer) => keptOf(answer as ApiKey),
    put: (settings, headers) => api.PUT("/api/v5/api_key/{name}", { params, body: settings as never, headers }),
  };
}
