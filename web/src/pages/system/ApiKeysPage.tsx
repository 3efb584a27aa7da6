import { Badge, Button, Switch } from "@mantine/core";
import { IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { amend } from "../../api/stored";
import type { ApiKey } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, monoColumn, textColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { Time } from "../../components/Time";
import { useCanWrite } from "../../session/session";
import { ApiKeyDialog } from "./ApiKeyDialog";
import { SecretDialog } from "./SecretDialog";
import { storedKey } from "./storedKey";

export function ApiKeysPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [editing, setEditing] = useState<ApiKey | "new" | null>(null);
  const [made, setMade] = useState<ApiKey | null>(null);
  const query = useQuery({ queryKey: ["apiKeys"], queryFn: () => take<ApiKey[]>(api.GET("/api/v5/api_key")) });
  const renews = [["apiKeys"]];
  const toggle = useChange<ApiKey>({
    run: ({ name, enable }) => amend(storedKey(name), (now) => ({ ...now, enable: !enable })),
    renews,
  });
  const remove = useChange<string>({
    run: (name) => take(api.DELETE("/api/v5/api_key/{name}", { params: { path: { name } } })),
    done: t("apiKeys.removed"),
    renews,
  });
  const columns: Column<ApiKey>[] = [
    textColumn<ApiKey>("name", t("apiKeys.name")),
    monoColumn<ApiKey>("api_key", t("apiKeys.key")),
    {
      id: "role",
      header: t("users.role"),
      accessorKey: "role",
      cell: (cell) => <Badge variant="light">{t(`role.${String(cell.getValue())}`)}</Badge>,
    },
    {
      id: "expires",
      header: t("apiKeys.expires"),
      accessorKey: "expired_at",
      cell: ({ row: { original } }) =>
        original.expired ? (
          <Badge color="red" variant="light">
            {t("apiKeys.expired")}
          </Badge>
        ) : original.expired_at === "infinity" ? (
          t("apiKeys.never")
        ) : (
          <Time value={original.expired_at} />
        ),
    },
    textColumn<ApiKey>("desc", t("common.note")),
    {
      id: "enable",
      header: t("common.enabled"),
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <Switch
          aria-label={t("chain.enableOne", { id: original.name })}
          checked={original.enable}
          disabled={!canWrite}
          onChange={() => toggle.mutate(original)}
        />
      ),
    },
  ];
  if (canWrite)
    columns.push(
      actionsColumn<ApiKey>((key) => (
        <>
          <IconAction
            label={t("apiKeys.edit", { name: key.name })}
            icon={<IconPencil size={16} />}
            onClick={() => setEditing(key)}
          />
          <IconAction
            label={t("apiKeys.remove", { name: key.name })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() =>
              confirm({
                title: t("apiKeys.remove", { name: key.name }),
                text: t("apiKeys.removeText"),
                button: t("common.delete"),
                run: () => remove.mutate(key.name),
              })
            }
          />
        </>
      )),
    );
  return (
    <>
      <PageHeader title={t("nav.apiKeys")} hint={t("apiKeys.hint")} refresh={() => void query.refetch()}>
        {canWrite && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => setEditing("new")}>
            {t("apiKeys.add")}
          </Button>
        )}
      </PageHeader>
      <DataTable label={t("nav.apiKeys")} columns={columns} query={query} rowKey={(row) => row.name} empty={t("apiKeys.none")} />
      {editing && (
        <ApiKeyDialog
          apiKey={editing === "new" ? null : editing}
          onClose={() => setEditing(null)}
          onMade={(key) => setMade(key)}
        />
      )}
      <SecretDialog apiKey={made} onClose={() => setMade(null)} />
    </>
  );
}
