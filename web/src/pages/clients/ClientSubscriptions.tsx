import { Button, Group, Title } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Subscription } from "../../api/types";
import { IconAction, useChange } from "../../components/actions";
import { actionsColumn, flagColumn, monoColumn, textColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { useCanWrite } from "../../session/session";
import { SubscribeDialog } from "./SubscribeDialog";

export function useSubscriptionColumns(): Column<Subscription>[] {
  const { t } = useTranslation();
  return [
    monoColumn<Subscription>("topic", t("subscriptions.topic")),
    textColumn<Subscription>("qos", "QoS"),
    flagColumn<Subscription>("nl", t("subscriptions.noLocal")),
    flagColumn<Subscription>("rap", t("subscriptions.retainAsPublished")),
    {
      id: "rh",
      header: t("subscriptions.retainHandling"),
      accessorKey: "rh",
      cell: (cell) => t(`subscriptions.rh${String(cell.getValue())}`),
    },
  ];
}

export function ClientSubscriptions({ clientid }: { clientid: string }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [adding, setAdding] = useState(false);
  const path = { clientid };
  const query = useQuery({
    queryKey: ["clients", "subscriptions", clientid],
    queryFn: () =>
      take<Subscription[]>(api.GET("/api/v5/clients/{clientid}/subscriptions", { params: { path } })),
    refetchInterval: 5_000,
  });
  const unsubscribe = useChange<string>({
    run: (topic) => take(api.POST("/api/v5/clients/{clientid}/unsubscribe", { params: { path }, body: { topic } })),
    done: t("subscriptions.removed"),
    renews: [["clients"]],
  });
  const columns = useSubscriptionColumns();
  if (canWrite)
    columns.push(
      actionsColumn<Subscription>(({ topic }) => (
        <IconAction
          label={t("subscriptions.remove", { topic })}
          icon={<IconTrash size={16} />}
          color="red"
          onClick={() => unsubscribe.mutate(topic)}
        />
      )),
    );
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {t("nav.subscriptions")}
        </Title>
        {canWrite && (
          <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
            {t("subscriptions.add")}
          </Button>
        )}
      </Group>
      <DataTable
        label={t("nav.subscriptions")}
        columns={columns}
        query={query}
        rowKey={(row) => row.topic}
        empty={t("subscriptions.none")}
      />
      <SubscribeDialog clientid={clientid} opened={adding} onClose={() => setAdding(false)} />
    </section>
  );
}
