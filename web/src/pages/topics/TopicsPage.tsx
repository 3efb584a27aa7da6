import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Page, Topic } from "../../api/types";
import { linkColumn, textColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { Filters, useFilterValues, type Filter } from "../../components/Filters";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";

export function TopicsPage() {
  const { t } = useTranslation();
  const filters: Filter[] = [{ key: "topic", label: t("subscriptions.exact"), width: 260 }];
  const values = useFilterValues(filters);
  const list = usePaged<Topic>(["topics", values], (paging) =>
    take<Page<Topic>>(api.GET("/api/v5/topics", { params: { query: { ...values, ...paging } as never } })),
  );
  const columns: Column<Topic>[] = [
    linkColumn<Topic>(
      "topic",
      t("subscriptions.topic"),
      ({ topic }) => `/subscriptions?topic=${encodeURIComponent(topic.replace(/^\$share\/[^/]+\//, ""))}`,
    ),
    textColumn<Topic>("node", t("node.one")),
  ];
  return (
    <>
      <PageHeader title={t("nav.topics")} hint={t("topics.hint")} refresh={() => void list.refetch()} />
      <Filters filters={filters} />
      <DataTable
        label={t("nav.topics")}
        columns={columns}
        query={list}
        rowKey={(row) => `${row.topic} ${row.node}`}
        empty={values.topic ? t("filter.nothing") : t("topics.none")}
      />
      <PageControl list={list} />
    </>
  );
}
