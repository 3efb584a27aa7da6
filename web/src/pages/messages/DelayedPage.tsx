import { Anchor } from "@mantine/core";
import { IconEye, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { api, take } from "../../api/client";
import type { Delayed, Page } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, monoColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { formatDuration } from "../../lib/time";
import { useCanWrite } from "../../session/session";
import { PayloadDialog } from "./PayloadDialog";

export function DelayedPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [shown, setShown] = useState<Delayed | null>(null);
  const list = usePaged<Delayed>(
    ["delayed"],
    (paging) => take<Page<Delayed>>(api.GET("/api/v5/mqtt/delayed/messages", { params: { query: paging } })),
    { refetchInterval: 5_000 },
  );
  const remove = useChange<Delayed>({
    run: ({ node, msgid }) =>
      take(api.DELETE("/api/v5/mqtt/delayed/messages/{node}/{msgid}", { params: { path: { node, msgid } } })),
    done: t("delayed.deleted"),
    renews: [["delayed"]],
  });
  const seconds = (key: "delayed_interval" | "delayed_remaining", header: string): Column<Delayed> => ({
    id: key,
    header,
    accessorKey: key,
    cell: (cell) => formatDuration(Number(cell.getValue()) * 1000),
  });
  const columns: Column<Delayed>[] = [
    monoColumn<Delayed>("topic", t("publish.topic")),
    textColumn<Delayed>("qos", "QoS"),
    textColumn<Delayed>("from_clientid", t("clients.clientid")),
    timeColumn<Delayed>("publish_at", t("retained.publishedAt")),
    seconds("delayed_interval", t("delayed.delay")),
    seconds("delayed_remaining", t("delayed.remaining")),
    timeColumn<Delayed>("expected_at", t("delayed.expected")),
    actionsColumn<Delayed>((row) => (
      <>
        <IconAction
          label={t("payload.show", { topic: row.topic })}
          icon={<IconEye size={16} />}
          onClick={() => setShown(row)}
        />
        {canWrite && (
          <IconAction
            label={t("delayed.delete", { topic: row.topic })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() =>
              confirm({
                title: t("delayed.deleteTitle"),
                text: row.topic,
                button: t("common.delete"),
                run: () => remove.mutate(row),
              })
            }
          />
        )}
      </>
    )),
  ];
  return (
    <>
      <PageHeader title={t("nav.delayed")} hint={t("delayed.hint")} refresh={() => void list.refetch()}>
        <Anchor component={Link} to="/configuration/delayed" size="sm">
          {t("nav.settings")}
        </Anchor>
      </PageHeader>
      <DataTable
        label={t("nav.delayed")}
        columns={columns}
        query={list}
        rowKey={(row) => row.msgid}
        empty={t("delayed.none")}
      />
      <PageControl list={list} />
      <PayloadDialog
        title={shown?.topic ?? ""}
        opened={shown !== null}
        onClose={() => setShown(null)}
        queryKey={["delayed", "payload", shown?.msgid]}
        load={() =>
          take<{ payload?: string }>(
            api.GET("/api/v5/mqtt/delayed/messages/{node}/{msgid}", {
              params: { path: { node: shown?.node ?? "", msgid: shown?.msgid ?? "" } },
            }),
          )
        }
      />
    </>
  );
}
