import { Button, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Ban, Page } from "../../api/types";
import { IconAction, useChange } from "../../components/actions";
import { ClearAll } from "../../components/ClearAll";
import { actionsColumn, monoColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { FormModal } from "../../components/FormModal";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { instantOf } from "../../lib/time";
import { useCanWrite } from "../../session/session";
import { useSettings } from "../../state/settings";

const kKinds = ["clientid", "username", "peerhost", "clientid_re", "username_re", "peerhost_net"] as const;

function BanDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { timeZone } = useSettings();
  const form = useForm({
    initialValues: { as: "clientid", who: "", reason: "", until: "" },
    validate: { who: (value) => (value ? null : t("form.required")) },
  });
  return (
    <FormModal
      title={t("banned.add")}
      opened={opened}
      onClose={onClose}
      form={form}
      button={t("banned.button")}
      submit={({ as, who, reason, until }) =>
        take(
          api.POST("/api/v5/banned", {
            body: { as, who, reason, until: until ? (instantOf(until, timeZone) ?? until) : "infinity" } as never,
          }),
        )
      }
      onDone={() => void queries.invalidateQueries({ queryKey: ["banned"] })}
    >
      <Select
        label={t("banned.kind")}
        allowDeselect={false}
        data={kKinds.map((value) => ({ value, label: t(`banned.${value}`) }))}
        {...form.getInputProps("as")}
      />
      <TextInput label={t("banned.who")} data-autofocus required {...form.getInputProps("who")} />
      <TextInput label={t("banned.reason")} {...form.getInputProps("reason")} />
      <TextInput
        type="datetime-local"
        label={t("banned.until")}
        description={t("banned.untilHint")}
        {...form.getInputProps("until")}
      />
    </FormModal>
  );
}

export function BannedPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [adding, dialog] = useDisclosure();
  const list = usePaged<Ban>(["banned"], (paging) =>
    take<Page<Ban>>(api.GET("/api/v5/banned", { params: { query: paging } })),
  );
  const remove = useChange<Ban>({
    run: ({ as, who }) =>
      take(api.DELETE("/api/v5/banned/{as}/{who}", { params: { path: { as, who } as never } })),
    done: t("banned.removed"),
    renews: [["banned"]],
  });
  const columns: Column<Ban>[] = [
    monoColumn<Ban>("who", t("banned.who")),
    { id: "as", header: t("banned.kind"), accessorKey: "as", cell: (cell) => t(`banned.${String(cell.getValue())}`) },
    textColumn<Ban>("reason", t("banned.reason")),
    textColumn<Ban>("by", t("banned.by")),
    timeColumn<Ban>("at", t("banned.at")),
    timeColumn<Ban>("until", t("banned.until")),
  ];
  if (canWrite)
    columns.push(
      actionsColumn<Ban>((row) => (
        <IconAction
          label={t("banned.remove", { who: row.who })}
          icon={<IconTrash size={16} />}
          color="red"
          onClick={() => remove.mutate(row)}
        />
      )),
    );
  return (
    <>
      <PageHeader title={t("nav.banned")} refresh={() => void list.refetch()}>
        {canWrite && (list.data?.length ?? 0) > 0 && <ClearAll of="banned" run={() => take(api.DELETE("/api/v5/banned"))} />}
        {canWrite && (
          <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
            {t("banned.add")}
          </Button>
        )}
      </PageHeader>
      <DataTable
        label={t("nav.banned")}
        columns={columns}
        query={list}
        rowKey={(row) => `${row.as} ${row.who}`}
        empty={t("banned.none")}
      />
      <PageControl list={list} />
      <BanDialog opened={adding} onClose={dialog.close} />
    </>
  );
}
