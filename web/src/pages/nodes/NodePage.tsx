import { Box, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { Node } from "../../api/types";
import { Facts } from "../../components/Facts";
import { PageHeader } from "../../components/PageHeader";
import { Loaded } from "../../components/States";
import { formatCount } from "../../lib/numbers";
import { formatDuration } from "../../lib/time";
import { CounterCard, shortened } from "./CounterCard";
import { groupCounters, pairGauges } from "./counters";

export function NodePage() {
  const { t } = useTranslation();
  const { node = "" } = useParams();
  const path = { params: { path: { node } } };
  const refetchInterval = 5_000;
  const info = useQuery({
    queryKey: ["nodes", node],
    queryFn: () => take<Node>(api.GET("/api/v5/nodes/{node}", path)),
    refetchInterval,
  });
  const stats = useQuery({
    queryKey: ["nodes", node, "stats"],
    queryFn: () => take<Record<string, number>>(api.GET("/api/v5/nodes/{node}/stats", path)),
    refetchInterval,
  });
  const metrics = useQuery({
    queryKey: ["nodes", node, "metrics"],
    queryFn: () => take<Record<string, number>>(api.GET("/api/v5/nodes/{node}/metrics", path)),
    refetchInterval,
  });
  return (
    <>
      <PageHeader title={<span className="mono">{node}</span>} parent={{ title: t("nav.nodes"), path: "/nodes" }} />
      <Stack>
        <Loaded query={info}>
          {(one) => (
            <Facts
              title={t("node.about")}
              facts={[
                [t("node.role"), one.role],
                [t("node.version"), one.version],
                [t("node.uptime"), formatDuration(one.uptime)],
                [t("node.load"), `${one.load1} / ${one.load5} / ${one.load15}`],
                [t("node.memory"), `${one.memory_used} / ${one.memory_total}`],
                [t("node.processes"), `${formatCount(one.process_used)} / ${formatCount(one.process_available)}`],
                [t("node.files"), formatCount(one.max_fds)],
                [t("node.sysPath"), <span className="mono">{one.sys_path}</span>],
                [t("node.logPath"), <span className="mono">{one.log_path}</span>],
              ]}
            />
          )}
        </Loaded>
        <Box style={{ columnWidth: 300, columnGap: "var(--mantine-spacing-md)" }}>
          <Loaded query={stats}>
            {(gauges) => (
              <CounterCard
                title={t("node.gauges")}
                counters={pairGauges(gauges).map(([name, now, most]) => ({
                  name,
                  value: `${formatCount(now)} / ${formatCount(most)}`,
                }))}
              />
            )}
          </Loaded>
          <Loaded query={metrics}>
            {(counters) =>
              groupCounters(counters).map(([group, members]) => (
                <CounterCard key={group} title={group} counters={shortened(group, members)} />
              ))
            }
          </Loaded>
        </Box>
      </Stack>
    </>
  );
}
