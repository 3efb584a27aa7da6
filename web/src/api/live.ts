// Figures that several places show and that go on by themselves.
import { useQuery } from "@tanstack/react-query";

import { api, take } from "./client";
import type { Current, License, Node, Page, Sample } from "./types";

export function useLicense() {
  return useQuery({
    queryKey: ["license"],
    queryFn: () => take<License>(api.GET("/api/v5/license")),
    refetchInterval: 60_000,
  }).data;
}

export function useAlarmCount(): number {
  return (
    useQuery({
      queryKey: ["alarms", "count"],
      queryFn: () => take<Page<unknown>>(api.GET("/api/v5/alarms", { params: { query: { limit: 1 } } })),
      refetchInterval: 15_000,
    }).data?.meta.count ?? 0
  );
}

export function useCurrent() {
  return useQuery({
    queryKey: ["monitor", "current"],
    queryFn: () => take<Current>(api.GET("/api/v5/monitor_current")),
    refetchInterval: 2_000,
  });
}

export function useHistory(seconds: number) {
  return useQuery({
    queryKey: ["monitor", "history", seconds],
    queryFn: () => take<Sample[]>(api.GET("/api/v5/monitor", { params: { query: { latest: seconds } } })),
    refetchInterval: 10_000,
    placeholderData: (before) => before,
  });
}

export function useNodes() {
  return useQuery({
    queryKey: ["nodes"],
    queryFn: () => take<Node[]>(api.GET("/api/v5/nodes")),
    refetchInterval: 5_000,
  });
}
