import { Badge, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useNodes } from "../../api/live";
import type { Node } from "../../api/types";
import { linkColumn, textColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { formatCount } from "../../lib/numbers";
import { formatDuration } from "../../lib/time";

export function useNodeColumns(): Column<Node>[] {
  const { t } = useTranslation();
  return [
    linkColumn<Node>("node", t("node.name"), ({ node }) => `/nodes/${encodeURIComponent(node)}`),
    {
      id: "status",
      header: t("common.status"),
      accessorKey: "node_status",
      cell: (cell) => {
        const running = cell.getValue() === "running";
        return (
          <Badge color={running ? "green" : "gray"} variant="light">
            {t(running ? "common.running" : "common.stopped")}
          </Badge>
        );
      },
    },
    textColumn<Node>("role", t("node.role")),
    textColumn<Node>("version", t("node.version")),
    {
      id: "uptime",
      header: t("node.uptime"),
      accessorKey: "uptime",
      cell: (cell) => formatDuration(Number(cell.getValue() ?? 0)),
    },
    {
      id: "connections",
      header: t("overview.connections"),
      accessorKey: "live_connections",
      cell: ({ row: { original } }) => `${formatCount(original.live_connections)} / ${formatCount(original.connections)}`,
    },
    {
      id: "load",
      header: t("node.load"),
      accessorKey: "load1",
      cell: ({ row: { original } }) => `${original.load1} / ${original.load5} / ${original.load15}`,
    },
    {
      id: "memory",
      header: t("node.memory"),
      enableSorting: false,
      cell: ({ row: { original } }) => `${original.memory_used} / ${original.memory_total}`,
    },
  ];
}

export function NodeList() {
  const { t } = useTranslation();
  const nodes = useNodes();
  const columns = useNodeColumns();
  return (
    <section>
      <Title order={2} size="h5" mb="xs">
        {t("nav.nodes")}
      </Title>
      <DataTable
        label={t("nav.nodes")}
        columns={columns}
        query={nodes}
        rowKey={(row) => row.node}
        empty={t("node.none")}
      />
    </section>
  );
}
