import { Button, Switch, Tabs } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { amend } from "../../api/stored";
import type { ChainStatus, Source } from "../../api/types";
import { useChange } from "../../components/actions";
import { actionsColumn, linkColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { PageTabs } from "../../components/PageTabs";
import { useCanWrite } from "../../session/session";
import { AddSource } from "./AddSource";
import { AuthorizationSettings } from "./AuthorizationSettings";
import { sourceName, storedSource } from "./chain";
import { ChainActions } from "./ChainActions";
import { ChainStatusBadge } from "./ChainStatusBadge";

function Status({ type }: { type: string }) {
  const query = useQuery({
    queryKey: ["authorization", type, "status"],
    queryFn: () =>
      take<ChainStatus>(api.GET("/api/v5/authorization/sources/{type}/status", { params: { path: { type } as never } })),
    refetchInterval: 10_000,
  });
  return <ChainStatusBadge status={query.data?.status} />;
}

function Sources() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const query = useQuery({
    queryKey: ["authorization"],
    queryFn: async () => (await take<{ sources: Source[] }>(api.GET("/api/v5/authorization/sources"))).sources,
  });
  const renews = [["authorization"]];
  const move = useChange<{ type: string; position: string }>({
    run: ({ type, position }) =>
      take(
        api.POST("/api/v5/authorization/sources/{type}/move", {
          params: { path: { type } as never },
          body: { position },
        }),
      ),
    renews,
  });
  const toggle = useChange<Source>({
    run: ({ type, enable }) => amend(storedSource(type), (now) => ({ ...now, enable: !enable })),
    renews,
  });
  const remove = useChange<string>({
    run: (type) => take(api.DELETE("/api/v5/authorization/sources/{type}", { params: { path: { type } as never } })),
    done: t("chain.removed"),
    renews,
  });
  const [adding, dialog] = useDisclosure();
  const types = (query.data ?? []).map(({ type }) => type);
  const columns: Column<Source>[] = [
    linkColumn<Source>("type", t("authz.source"), ({ type }) => `/authorization/${type}`, ({ type }) => sourceName(t, type)),
    { id: "status", header: t("common.status"), enableSorting: false, cell: ({ row }) => <Status type={row.original.type} /> },
    {
      id: "enable",
      header: t("common.enabled"),
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <Switch
          aria-label={t("chain.enableOne", { id: original.type })}
          checked={original.enable}
          disabled={!canWrite}
          onChange={() => toggle.mutate(original)}
        />
      ),
    },
  ];
  if (canWrite)
    columns.push(
      actionsColumn<Source>(({ type }) => (
        <ChainActions
          id={type}
          name={sourceName(t, type)}
          chain={types}
          onMove={(position) => move.mutate({ type, position })}
          onRemove={() => remove.mutate(type)}
        />
      )),
    );
  return (
    <>
      <DataTable
        label={t("authz.sources")}
        columns={columns}
        query={query}
        rowKey={(row) => row.type}
        empty={t("authz.none")}
      />
      {canWrite && (
        <Button mt="sm" leftSection={<IconPlus size={16} />} onClick={dialog.open}>
          {t("authz.add")}
        </Button>
      )}
      <AddSource opened={adding} onClose={dialog.close} used={types} />
    </>
  );
}

export function AuthorizationPage() {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t("nav.authorization")} hint={t("authz.hint")} />
      <PageTabs first="sources">
        <Tabs.List mb="md">
          <Tabs.Tab value="sources">{t("authz.sources")}</Tabs.Tab>
          <Tabs.Tab value="settings">{t("chain.settings")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="sources">
          <Sources />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <AuthorizationSettings />
        </Tabs.Panel>
      </PageTabs>
    </>
  );
}
