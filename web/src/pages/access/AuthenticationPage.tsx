import { Button, Switch } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { amend } from "../../api/stored";
import type { Authenticator, ChainStatus } from "../../api/types";
import { useChange } from "../../components/actions";
import { actionsColumn, linkColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { formatCount } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";
import { AddAuthenticator } from "./AddAuthenticator";
import { mechanismName, storedAuthenticator } from "./chain";
import { ChainActions } from "./ChainActions";
import { ChainStatusBadge } from "./ChainStatusBadge";

function Status({ id }: { id: string }) {
  const query = useQuery({
    queryKey: ["authentication", id, "status"],
    queryFn: () => take<ChainStatus>(api.GET("/api/v5/authentication/{id}/status", { params: { path: { id } } })),
    refetchInterval: 10_000,
  });
  return <ChainStatusBadge status={query.data?.status} />;
}

function Counts({ id }: { id: string }) {
  const metrics = useQuery({
    queryKey: ["authentication", id, "status"],
    queryFn: () => take<ChainStatus>(api.GET("/api/v5/authentication/{id}/status", { params: { path: { id } } })),
  }).data?.metrics;
  const { t } = useTranslation();
  if (!metrics) return <span>–</span>;
  return (
    <span>
      {t("chain.counts", { success: formatCount(metrics.success ?? 0), failed: formatCount(metrics.failed ?? 0) })}
    </span>
  );
}

export function AuthenticationPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [adding, dialog] = useDisclosure();
  const query = useQuery({
    queryKey: ["authentication"],
    queryFn: () => take<Authenticator[]>(api.GET("/api/v5/authentication")),
  });
  const renews = [["authentication"]];
  const move = useChange<{ id: string; position: string }>({
    run: (path) => take(api.PUT("/api/v5/authentication/{id}/position/{position}", { params: { path } })),
    renews,
  });
  const toggle = useChange<Authenticator>({
    run: ({ id, enable }) => amend(storedAuthenticator(id), (now) => ({ ...now, enable: !enable })),
    renews,
  });
  const remove = useChange<string>({
    run: (id) => take(api.DELETE("/api/v5/authentication/{id}", { params: { path: { id } } })),
    done: t("chain.removed"),
    renews,
  });
  const chain = query.data ?? [];
  const columns: Column<Authenticator>[] = [
    linkColumn<Authenticator>(
      "id",
      t("chain.one"),
      ({ id }) => `/authentication/${encodeURIComponent(id)}`,
      ({ id }) => mechanismName(t, id),
    ),
    { id: "status", header: t("common.status"), enableSorting: false, cell: ({ row }) => <Status id={row.original.id} /> },
    { id: "counts", header: t("chain.asked"), enableSorting: false, cell: ({ row }) => <Counts id={row.original.id} /> },
    {
      id: "enable",
      header: t("common.enabled"),
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <Switch
          aria-label={t("chain.enableOne", { id: original.id })}
          checked={original.enable}
          disabled={!canWrite}
          onChange={() => toggle.mutate(original)}
        />
      ),
    },
  ];
  if (canWrite)
    columns.push(
      actionsColumn<Authenticator>(({ id }) => (
        <ChainActions
          id={id}
          name={mechanismName(t, id)}
          chain={chain.map((one) => one.id)}
          onMove={(position) => move.mutate({ id, position })}
          onRemove={() => remove.mutate(id)}
        />
      )),
    );
  return (
    <>
      <PageHeader title={t("nav.authentication")} hint={t("authn.hint")} refresh={() => void query.refetch()}>
        {canWrite && (
          <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
            {t("authn.add")}
          </Button>
        )}
      </PageHeader>
      <DataTable
        label={t("nav.authentication")}
        columns={columns}
        query={query}
        rowKey={(row) => row.id}
        empty={t("authn.none")}
      />
      <AddAuthenticator opened={adding} onClose={dialog.close} used={chain.map(({ id }) => id)} />
    </>
  );
}
