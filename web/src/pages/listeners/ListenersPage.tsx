import { Badge, Button, Select, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Listener } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, linkColumn, monoColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { FormModal } from "../../components/FormModal";
import { PageHeader } from "../../components/PageHeader";
import { formatCount, formatLimit } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";

function AddListener({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { type: "tcp" as "tcp" | "ssl" | "ws" | "wss", name: "", bind: "" },
    validate: {
      name: (value) => (/^[A-Za-z][A-Za-z0-9_-]*$/.test(value) ? null : t("listeners.nameRule")),
      bind: (value) => (value ? null : t("form.required")),
    },
  });
  return (
    <FormModal
      title={t("listeners.add")}
      opened={opened}
      onClose={onClose}
      form={form}
      button={t("common.add")}
      submit={(values) => take(api.POST("/api/v5/listeners", { body: values as never }))}
      onDone={() => void queries.invalidateQueries({ queryKey: ["listeners"] })}
    >
      <Select
        label={t("listeners.type")}
        allowDeselect={false}
        data={(["tcp", "ssl", "ws", "wss"] as const).map((value) => ({ value, label: t(`listeners.types.${value}`) }))}
        {...form.getInputProps("type")}
      />
      <TextInput label={t("listeners.name")} required data-autofocus {...form.getInputProps("name")} />
      <TextInput
        label={t("listeners.bind")}
        description={t("listeners.bindHint")}
        required
        {...form.getInputProps("bind")}
      />
    </FormModal>
  );
}

export function ListenersPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [adding, dialog] = useDisclosure();
  const query = useQuery({
    queryKey: ["listeners"],
    queryFn: () => take<Listener[]>(api.GET("/api/v5/listeners")),
    refetchInterval: 5_000,
  });
  const renews = [["listeners"]];
  const operate = useChange<{ id: string; operation: "start" | "stop" | "restart" }>({
    run: ({ id, operation }) => take(api.POST(`/api/v5/listeners/{id}/${operation}`, { params: { path: { id } } })),
    done: t("listeners.done"),
    renews,
  });
  const remove = useChange<string>({
    run: (id) => take(api.DELETE("/api/v5/listeners/{id}", { params: { path: { id } } })),
    done: t("listeners.removed"),
    renews,
  });
  const stop = (id: string) =>
    confirm({
      title: t("listeners.stopTitle", { id }),
      text: t("listeners.stopText"),
      button: t("listeners.stop"),
      run: () => operate.mutate({ id, operation: "stop" }),
    });
  const columns: Column<Listener>[] = [
    linkColumn<Listener>("id", t("listeners.one"), ({ id }) => `/listeners/${encodeURIComponent(id)}`),
    {
      id: "type",
      header: t("listeners.type"),
      accessorFn: ({ type }) => t(`listeners.types.${type}`, { defaultValue: type }),
    },
    monoColumn<Listener>("bind", t("listeners.bind")),
    {
      id: "running",
      header: t("common.status"),
      accessorFn: (row) => String(row.status.running),
      cell: ({ row }) => {
        const running = row.original.status.running === true;
        return (
          <Badge variant="light" color={running ? "green" : "gray"}>
            {t(running ? "common.running" : "common.stopped")}
          </Badge>
        );
      },
    },
    {
      id: "connections",
      header: t("overview.connections"),
      accessorFn: (row) => row.status.current_connections,
      cell: ({ row: { original } }) =>
        `${formatCount(original.status.current_connections)} / ${formatLimit(original.status.max_connections)}`,
    },
    {
      id: "enable",
      header: t("common.enabled"),
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <Switch
          aria-label={t("chain.enableOne", { id: original.id })}
          checked={original.enable}
          disabled={!canWrite}
          onChange={() =>
            original.enable ? stop(original.id) : operate.mutate({ id: original.id, operation: "start" })
          }
        />
      ),
    },
  ];
  if (canWrite)
    columns.push(
      actionsColumn<Listener>(({ id }) => (
        <>
          <IconAction
            label={t("listeners.restart", { id })}
            icon={<IconRefresh size={16} />}
            onClick={() => operate.mutate({ id, operation: "restart" })}
          />
          <IconAction
            label={t("listeners.remove", { id })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() =>
              confirm({
                title: t("listeners.remove", { id }),
                text: t("listeners.removeText"),
                button: t("common.delete"),
                run: () => remove.mutate(id),
              })
            }
          />
        </>
      )),
    );
  return (
    <>
      <PageHeader title={t("nav.listeners")} refresh={() => void query.refetch()}>
        {canWrite && (
          <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
            {t("listeners.add")}
          </Button>
        )}
      </PageHeader>
      <DataTable
        label={t("nav.listeners")}
        columns={columns}
        query={query}
        rowKey={(row) => row.id}
        empty={t("listeners.none")}
      />
      <AddListener opened={adding} onClose={dialog.close} />
    </>
  );
}
