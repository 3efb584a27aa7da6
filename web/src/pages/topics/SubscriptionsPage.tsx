import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Page, Subscription } from "../../api/types";
import { linkColumn } from "../../components/columns";
import { DataTable } from "../../components/DataTable";
import { Filters, useFilterValues, type Filter } from "../../components/Filters";
import { PageControl, usePaged } from "../../components/paging";
import { PageHeader } from "../../components/PageHeader";
import { useSubscriptionColumns } from "../clients/ClientSubscriptions";

export function SubscriptionsPage() {
  const { t } = useTranslation();
  const filters: Filter[] = [
    { key: "clientid", label: t("clients.clientid") },
    { key: "topic", label: t("subscriptions.exact") },
    { key: "match_topic", label: t("subscriptions.match") },
    { key: "qos", label: "QoS", options: ["0", "1", "2"].map((value) => ({ value, label: value })), width: 90 },
    { key: "share_group", label: t("subscriptions.group"), width: 130 },
  ];
  const values = useFilterValues(filters);
  const list = usePaged<Subscription>(["subscriptions", values], (paging) =>
    take<Page<Subscription>>(
      api.GET("/api/v5/subscriptions", { params: { query: { ...values, ...paging } as never } }),
    ),
  );
  const columns = [
    linkColumn<Subscription>(
      "clientid",
      t("clients.clientid"),
      ({ clientid }) => `/clients/${encodeURIComponent(clientid)}`,
    ),
    ...useSubscriptionColumns(),
  ];
  return (
    <>
      <PageHeader title={t("nav.subscriptions")} refresh={() => void list.refetch()} />
      <Filters filters={filters} />
      <DataTable
        label={t("nav.subscriptions")}
        columns={columns}
        query={list}
        rowKey={(row) => `${row.clientid} ${row.topic}`}
        empty={Object.keys(values).length > 0 ? t("filter.nothing") : t("subscriptions.none")}
      />
      <PageControl list={list} />
    </>
  );
}
