import { SegmentedControl, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { Alarm, Page } from "../../api/types";
import { ClearAll } from "../../components/ClearAll";
import { monoColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { isTree, textOf } from "../../form/schema";
import { formatDuration } from "../../lib/time";
import { useCanWrite } from "../../session/session";

/** What an alarm adds to its message, but for what the table shows already. */
export function detailsOf(details: unknown): [name: string, value: string][] {
  if (!isTree(details)) return [];
  return Object.entries(details)
    .filter(([name]) => name !== "name" && name !== "message")
    .map(([name, value]) => [name, textOf(value)]);
}

export function AlarmsPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [search, setSearch] = useSearchParams();
  const past = search.get("show") === "past";
  const list = usePaged<Alarm>(
    ["alarms", past],
    (paging) =>
      take<Page<Alarm>>(api.GET("/api/v5/alarms", { params: { query: { activated: !past, ...paging } } })),
    { refetchInterval: 10_000 },
  );
  const columns: Column<Alarm>[] = [
    monoColumn<Alarm>("name", t("alarms.name")),
    {
      id: "message",
      header: t("alarms.message"),
      accessorKey: "message",
      cell: ({ row: { original } }) => (
        <>
          {original.message}
          {detailsOf(original.details).map(([name, value]) => (
            <Text key={name} size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
              {name}: {value}
            </Text>
          ))}
        </>
      ),
    },
    timeColumn<Alarm>("activate_at", t("alarms.since")),
    {
      id: "duration",
      header: t("alarms.duration"),
      accessorKey: "duration",
      cell: (cell) => formatDuration(Number(cell.getValue())),
    },
    textColumn<Alarm>("node", t("node.one")),
  ];
  if (past) columns.splice(3, 0, timeColumn<Alarm>("deactivate_at", t("alarms.until")));
  return (
    <>
      <PageHeader title={t("nav.alarms")} refresh={() => void list.refetch()}>
        <SegmentedControl
          aria-label={t("alarms.which")}
          value={past ? "past" : "active"}
          onChange={(value) => setSearch(value === "past" ? { show: "past" } : {}, { replace: true })}
          data={[
            { value: "active", label: t("alarms.active") },
            { value: "past", label: t("alarms.past") },
          ]}
        />
        {past && canWrite && <ClearAll of="alarms" run={() => take(api.DELETE("/api/v5/alarms"))} />}
      </PageHeader>
      <DataTable
        label={t("nav.alarms")}
        columns={columns}
        query={list}
        rowKey={(row) => `${row.node} ${row.name} ${row.activate_at}`}
        empty={t(past ? "alarms.nonePast" : "alarms.none")}
      />
      <PageControl list={list} />
    </>
  );
}
