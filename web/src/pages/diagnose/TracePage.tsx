import { Badge, Button, NumberInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload, IconPlayerStop, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, download, take } from "../../api/client";
import type { Trace } from "../../api/types";
import { IconAction, useChange } from "../../components/actions";
import { actionsColumn, linkColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { FormModal } from "../../components/FormModal";
import { PageHeader } from "../../components/PageHeader";
import { formatBytes } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";

type Kind = "clientid" | "topic" | "ip_address";

function AddTrace({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { name: "", type: "clientid" as Kind, value: "", minutes: 10, payload_encode: "text" },
    validate: {
      name: (value) => (/^[A-Za-z][A-Za-z0-9_-]*$/.test(value) ? null : t("trace.nameRule")),
      value: (value) => (value ? null : t("form.required")),
    },
  });
  return (
    <FormModal
      title={t("trace.add")}
      opened={opened}
      onClose={onClose}
      form={form}
      button={t("trace.start")}
      submit={({ name, type, value, minutes, payload_encode }) =>
        take(
          api.POST("/api/v5/trace", {
            body: {
              name,
              type,
              [type]: value,
              payload_encode,
              end_at: new Date(Date.now() + minutes * 60_000).toISOString(),
            } as never,
          }),
        )
      }
      onDone={() => void queries.invalidateQueries({ queryKey: ["trace"] })}
    >
      <TextInput label={t("trace.name")} required data-autofocus {...form.getInputProps("name")} />
      <Select
        label={t("trace.by")}
        allowDeselect={false}
        data={(["clientid", "topic", "ip_address"] as const).map((value) => ({ value, label: t(`trace.${value}`) }))}
        {...form.getInputProps("type")}
      />
      <TextInput label={t(`trace.${form.values.type}`)} required {...form.getInputProps("value")} />
      <NumberInput label={t("trace.minutes")} min={1} max={1440} {...form.getInputProps("minutes")} />
      <Select
        label={t("trace.payload")}
        allowDeselect={false}
        data={(["text", "hex", "hidden"] as const).map((value) => ({ value, label: t(`trace.payloads.${value}`) }))}
        {...form.getInputProps("payload_encode")}
      />
    </FormModal>
  );
}

const statusColor = (status: string) => ({ running: "green", waiting: "yellow" })[status] ?? "gray";
const valueOf = (trace: Trace) => trace[trace.type as Kind] ?? "";

export function TracePage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [adding, dialog] = useDisclosure();
  const query = useQuery({
    queryKey: ["trace"],
    queryFn: () => take<Trace[]>(api.GET("/api/v5/trace")),
    refetchInterval: 5_000,
  });
  const renews = [["trace"]];
  const stop = useChange<string>({
    run: (name) => take(api.PUT("/api/v5/trace/{name}/stop", { params: { path: { name } } })),
    done: t("trace.stopped"),
    renews,
  });
  const remove = useChange<string>({
    run: (name) => take(api.DELETE("/api/v5/trace/{name}", { params: { path: { name } } })),
    done: t("trace.removed"),
    renews,
  });
  const fetchLog = useChange<string>({
    run: (name) => download(`/api/v5/trace/${encodeURIComponent(name)}/download`, `${name}.zip`),
    renews: [],
  });
  const columns: Column<Trace>[] = [
    linkColumn<Trace>("name", t("trace.name"), ({ name }) => `/trace/${encodeURIComponent(name)}`),
    {
      id: "what",
      header: t("trace.by"),
      accessorFn: valueOf,
      cell: ({ row: { original } }) => (
        <span>
          {t(`trace.${original.type}`, { defaultValue: original.type })}: <span className="mono">{valueOf(original)}</span>
        </span>
      ),
    },
    timeColumn<Trace>("start_at", t("trace.from")),
    timeColumn<Trace>("end_at", t("trace.until")),
    {
      id: "status",
      header: t("common.status"),
      accessorKey: "status",
      cell: (cell) => (
        <Badge variant="light" color={statusColor(String(cell.getValue()))}>
          {t(`trace.status.${String(cell.getValue())}`)}
        </Badge>
      ),
    },
    {
      id: "size",
      header: t("trace.size"),
      accessorFn: (row) => Object.values(row.log_size ?? {}).reduce((sum, size) => sum + size, 0),
      cell: (cell) => formatBytes(Number(cell.getValue())),
    },
    actionsColumn<Trace>(({ name, status }) => (
      <>
        <IconAction
          label={t("trace.download", { name })}
          icon={<IconDownload size={16} />}
          onClick={() => fetchLog.mutate(name)}
        />
        {canWrite && status !== "stopped" && (
          <IconAction
            label={t("trace.stop", { name })}
            icon={<IconPlayerStop size={16} />}
            onClick={() => stop.mutate(name)}
          />
        )}
        {canWrite && (
          <IconAction
            label={t("trace.remove", { name })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() => remove.mutate(name)}
          />
        )}
      </>
    )),
  ];
  return (
    <>
      <PageHeader title={t("nav.trace")} hint={t("trace.hint")} refresh={() => void query.refetch()}>
        {canWrite && (
          <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
            {t("trace.add")}
          </Button>
        )}
      </PageHeader>
      <DataTable label={t("nav.trace")} columns={columns} query={query} rowKey={(row) => row.name} empty={t("trace.none")} />
      <AddTrace opened={adding} onClose={dialog.close} />
    </>
  );
}
