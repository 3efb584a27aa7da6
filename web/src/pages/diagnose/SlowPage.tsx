import { Anchor, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { api, take } from "../../api/client";
import type { SlowSubscription } from "../../api/types";
import { useChange } from "../../components/actions";
import { linkColumn, monoColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { formatDuration } from "../../lib/time";
import { useCanWrite } from "../../session/session";

export function SlowPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const query = useQuery({
    queryKey: ["slow"],
    queryFn: async () => (await take<{ data: SlowSubscription[] }>(api.GET("/api/v5/slow_subscriptions"))).data,
    refetchInterval: 5_000,
  });
  const clear = useChange({
    run: () => take(api.DELETE("/api/v5/slow_subscriptions")),
    done: t("slow.cleared"),
    renews: [["slow"]],
  });
  const columns: Column<SlowSubscription>[] = [
    linkColumn<SlowSubscription>(
      "clientid",
      t("clients.clientid"),
      ({ clientid }) => `/clients/${encodeURIComponent(clientid)}`,
    ),
    monoColumn<SlowSubscription>("topic", t("publish.topic")),
    {
      id: "timespan",
      header: t("slow.took"),
      accessorKey: "timespan",
      cell: (cell) => formatDuration(Number(cell.getValue())),
    },
    textColumn<SlowSubscription>("node", t("node.one")),
    timeColumn<SlowSubscription>("last_update_time", t("common.updated")),
  ];
  return (
    <>
      <PageHeader title={t("nav.slow")} hint={t("slow.hint")} refresh={() => void query.refetch()}>
        <Anchor component={Link} to="/configuration/slow_subs" size="sm">
          {t("nav.settings")}
        </Anchor>
        {canWrite && (query.data?.length ?? 0) > 0 && (
          <Button variant="default" onClick={() => clear.mutate()}>
            {t("slow.clear")}
          </Button>
        )}
      </PageHeader>
      <DataTable
        label={t("nav.slow")}
        columns={columns}
        query={query}
        rowKey={(row) => `${row.clientid} ${row.topic}`}
        empty={t("slow.none")}
      />
    </>
  );
}
