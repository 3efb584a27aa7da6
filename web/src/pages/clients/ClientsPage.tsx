import { Button } from "@mantine/core";
import { IconUserX } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { useNodes } from "../../api/live";
import type { Client, Page } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, dashed, linkColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { Filters, queryOf, useFilterValues, type Filter } from "../../components/Filters";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { formatCount } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";
import { useSettings } from "../../state/settings";
import { ConnectionBadge } from "./ConnectionBadge";
import { addressOf, protocolName } from "./words";

function useFilters(): Filter[] {
  const { t } = useTranslation();
  const nodes = useNodes().data ?? [];
  const filters: Filter[] = [
    { key: "like_clientid", label: t("clients.clientid") },
    { key: "like_username", label: t("clients.username") },
    { key: "ip_address", label: t("clients.ip"), width: 140 },
    {
      key: "conn_state",
      label: t("common.status"),
      options: [
        { value: "connected", label: t("clients.connected") },
        { value: "disconnected", label: t("clients.offline") },
      ],
    },
    {
      key: "proto_ver",
      label: t("clients.protocol"),
      options: [3, 4, 5].map((version) => ({ value: String(version), label: protocolName(version) })),
    },
    {
      key: "clean_start",
      label: t("clients.cleanStart"),
      options: [
        { value: "true", label: t("common.yes") },
        { value: "false", label: t("common.no") },
      ],
      width: 110,
    },
    { key: "gte_connected_at", label: t("clients.connectedAfter"), type: "datetime-local", width: 175 },
    { key: "lte_connected_at", label: t("clients.connectedBefore"), type: "datetime-local", width: 175 },
  ];
  if (nodes.length > 1)
    filters.push({ key: "node", label: t("node.one"), options: nodes.map(({ node }) => ({ value: node, label: node })) });
  return filters;
}

export function ClientsPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const filters = useFilters();
  const values = useFilterValues(filters);
  const { timeZone } = useSettings();
  const [chosen, setChosen] = useState<string[]>([]);
  const list = usePaged<Client>(
    ["clients", values, timeZone],
    (paging) =>
      take<Page<Client>>(
        api.GET("/api/v5/clients", { params: { query: { ...queryOf(filters, values, timeZone), ...paging } as never } }),
      ),
    { refetchInterval: 10_000 },
  );
  const kick = useChange<string[]>({
    run: (ids) => take(api.POST("/api/v5/clients/kickout/bulk", { body: ids })),
    done: t("clients.kicked"),
    renews: [["clients"]],
    after: () => setChosen([]),
  });
  const askKick = (ids: string[]) =>
    confirm({
      title: t("clients.kickTitle"),
      text: t("clients.kickText", { count: ids.length, first: ids[0] }),
      button: t("clients.kick"),
      run: () => kick.mutate(ids),
    });

  const columns: Column<Client>[] = [
    linkColumn<Client>("clientid", t("clients.clientid"), ({ clientid }) => `/clients/${encodeURIComponent(clientid)}`),
    textColumn<Client>("username", t("clients.username")),
    {
      id: "status",
      header: t("common.status"),
      accessorKey: "connected",
      cell: (cell) => <ConnectionBadge connected={cell.getValue() === true} />,
    },
    {
      id: "address",
      header: t("clients.address"),
      accessorFn: addressOf,
      cell: (cell) => <span style={{ whiteSpace: "nowrap" }}>{dashed(String(cell.getValue()))}</span>,
    },
    {
      id: "protocol",
      header: t("clients.protocol"),
      accessorFn: ({ proto_ver }) => protocolName(proto_ver),
      cell: (cell) => dashed(String(cell.getValue())),
    },
    textColumn<Client>("subscriptions_cnt", t("overview.subscriptions")),
    {
      id: "queue",
      header: t("clients.queue"),
      accessorKey: "mqueue_len",
      cell: (cell) => formatCount(Number(cell.getValue())),
    },
    timeColumn<Client>("connected_at", t("clients.connectedAt")),
  ];
  if (canWrite)
    columns.push(
      actionsColumn<Client>(({ clientid }) => (
        <IconAction
          label={t("clients.kickOne", { clientid })}
          icon={<IconUserX size={16} />}
          color="red"
          onClick={() => askKick([clientid])}
        />
      )),
    );

  return (
    <>
      <PageHeader title={t("nav.clients")} refresh={() => void list.refetch()}>
        {chosen.length > 0 && (
          <Button color="red" leftSection={<IconUserX size={16} />} onClick={() => askKick(chosen)}>
            {t("clients.kickChosen", { count: chosen.length })}
          </Button>
        )}
      </PageHeader>
      <Filters filters={filters} />
      <DataTable
        label={t("nav.clients")}
        columns={columns}
        query={list}
        rowKey={(row) => row.clientid}
        empty={Object.keys(values).length > 0 ? t("filter.nothing") : t("clients.none")}
        selection={canWrite ? { chosen, onChange: setChosen } : undefined}
      />
      <PageControl list={list} />
    </>
  );
}
