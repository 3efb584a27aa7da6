import { Badge, Button, Group, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { useChange } from "../../components/actions";
import { monoColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { useCanWrite } from "../../session/session";

interface Entry {
  access: string;
  topic: string;
  result: string;
  updated_time: number;
}

/** What the client was allowed and refused lately. */
export function AuthorizationCache({ clientid }: { clientid: string }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const path = { params: { path: { clientid } } };
  const query = useQuery({
    queryKey: ["clients", "cache", clientid],
    queryFn: () => take<Entry[]>(api.GET("/api/v5/clients/{clientid}/authorization/cache", path)),
  });
  const clear = useChange({
    run: () => take(api.DELETE("/api/v5/clients/{clientid}/authorization/cache", path)),
    done: t("authz.cacheCleared"),
    renews: [["clients", "cache", clientid]],
  });
  const columns: Column<Entry>[] = [
    textColumn<Entry>("access", t("authz.action")),
    monoColumn<Entry>("topic", t("publish.topic")),
    {
      id: "result",
      header: t("authz.permission"),
      accessorKey: "result",
      cell: (cell) => (
        <Badge variant="light" color={cell.getValue() === "allow" ? "green" : "red"}>
          {t(`authz.${String(cell.getValue())}`)}
        </Badge>
      ),
    },
    timeColumn<Entry>("updated_time", t("common.updated")),
  ];
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {t("authz.cacheOf")}
        </Title>
        {canWrite && (
          <Button size="xs" variant="default" onClick={() => clear.mutate()}>
            {t("authz.clearCache")}
          </Button>
        )}
      </Group>
      <DataTable
        label={t("authz.cacheOf")}
        columns={columns}
        query={query}
        rowKey={(row) => `${row.access} ${row.topic}`}
        empty={t("authz.cacheEmpty")}
      />
    </section>
  );
}
