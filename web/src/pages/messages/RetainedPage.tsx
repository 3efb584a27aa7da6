import { Anchor } from "@mantine/core";
import { IconEye, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { api, take } from "../../api/client";
import type { Page, Retained } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { ClearAll } from "../../components/ClearAll";
import { actionsColumn, monoColumn, textColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { Filters, useFilterValues, type Filter } from "../../components/Filters";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { useCanWrite } from "../../session/session";
import { PayloadDialog } from "./PayloadDialog";

export function RetainedPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [shown, setShown] = useState<string | null>(null);
  const filters: Filter[] = [{ key: "topic", label: t("retained.filter"), width: 260 }];
  const values = useFilterValues(filters);
  const list = usePaged<Retained>(["retained", values], (paging) =>
    take<Page<Retained>>(api.GET("/api/v5/mqtt/retainer/messages", { params: { query: { ...values, ...paging } as never } })),
  );
  const remove = useChange<string>({
    run: (topic) => take(api.DELETE("/api/v5/mqtt/retainer/message/{topic}", { params: { path: { topic } } })),
    done: t("retained.deleted"),
    renews: [["retained"]],
  });
  const columns: Column<Retained>[] = [
    monoColumn<Retained>("topic", t("publish.topic")),
    textColumn<Retained>("qos", "QoS"),
    textColumn<Retained>("from_clientid", t("clients.clientid")),
    timeColumn<Retained>("publish_at", t("retained.publishedAt")),
    actionsColumn<Retained>(({ topic }) => (
      <>
        <IconAction label={t("payload.show", { topic })} icon={<IconEye size={16} />} onClick={() => setShown(topic)} />
        {canWrite && (
          <IconAction
            label={t("retained.delete", { topic })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() =>
              confirm({
                title: t("retained.deleteTitle"),
                text: topic,
                button: t("common.delete"),
                run: () => remove.mutate(topic),
              })
            }
          />
        )}
      </>
    )),
  ];
  return (
    <>
      <PageHeader title={t("nav.retained")} refresh={() => void list.refetch()}>
        <Anchor component={Link} to="/configuration/retainer" size="sm">
          {t("nav.settings")}
        </Anchor>
        {canWrite && (list.data?.length ?? 0) > 0 && <ClearAll of="retained" run={() => take(api.DELETE("/api/v5/mqtt/retainer/messages"))} />}
      </PageHeader>
      <Filters filters={filters} />
      <DataTable
        label={t("nav.retained")}
        columns={columns}
        query={list}
        rowKey={(row) => row.topic}
        empty={values.topic ? t("filter.nothing") : t("retained.none")}
      />
      <PageControl list={list} />
      <PayloadDialog
        title={shown ?? ""}
        opened={shown !== null}
        onClose={() => setShown(null)}
        queryKey={["retained", "payload", shown]}
        load={() =>
          take<{ payload?: string }>(
            api.GET("/api/v5/mqtt/retainer/message/{topic}", { params: { path: { topic: shown ?? "" } } }),
          )
        }
      />
    </>
  );
}
