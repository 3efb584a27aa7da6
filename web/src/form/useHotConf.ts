import { useQuery } from "@tanstack/react-query";

import { api, take } from "../api/client";
import type { HotConf } from "./schema";

/** The schema does not change while the server runs. */
export function useHotConf() {
  return useQuery({
    queryKey: ["schemas", "hotconf"],
    queryFn: () => take<HotConf>(api.GET("/api/v5/schemas/{name}", { params: { path: { name: "hotconf" } } })),
    staleTime: Infinity,
  });
}
