import { Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconRestore, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { TopicMetric } from "../../api/types";
import { IconAction, useChange } from "../../components/actions";
import { actionsColumn, monoColumn, timeColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { FormModal } from "../../components/FormModal";
import { PageHeader } from "../../components/PageHeader";
import { formatCount } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";

function metricColumn(metric: string, header: string): Column<TopicMetric> {
  return {
    id: metric,
    header,
    accessorFn: (row) => row.metrics[`messages.${metric}.count`] ?? 0,
    cell: ({ row: { original } }) => {
      const rate = original.metrics[`messages.${metric}.rate`] ?? 0;
      return `${formatCount(original.metrics[`messages.${metric}.count`] ?? 0)} (${+rate.toFixed(1)}/s)`;
    },
  };
}

function AddTopic({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { topic: "" },
    validate: { topic: (value) => (value === "" ? t("form.required") : /[+#]/.test(value) ? t("topicMetrics.noWildcards") : null) },
  });
  return (
    <FormModal
      title={t("topicMetrics.add")}
      opened={opened}
      onClose={onClose}
      form={form}
      button={t("common.add")}
      submit={(body) => take(api.POST("/api/v5/mqtt/topic_metrics", { body }))}
      onDone={() => void queries.invalidateQueries({ queryKey: ["topicMetrics"] })}
    >
      <TextInput label={t("publish.topic")} required data-autofocus {...form.getInputProps("topic")} />
    </FormModal>
  );
}

export function TopicMetricsPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [adding, dialog] = useDisclosure();
  const query = useQuery({
    queryKey: ["topicMetrics"],
    queryFn: () => take<TopicMetric[]>(api.GET("/api/v5/mqtt/topic_metrics")),
    refetchInterval: 5_000,
  });
  const renews = [["topicMetrics"]];
  const reset = useChange<string>({
    run: (topic) => take(api.PUT("/api/v5/mqtt/topic_metrics", { body: { action: "reset", topic } })),
    done: t("topicMetrics.wasReset"),
    renews,
  });
  const remove = useChange<string>({
    run: (topic) => take(api.DELETE("/api/v5/mqtt/topic_metrics/{topic}", { params: { path: { topic } } })),
    renews,
  });
  const columns: Column<TopicMetric>[] = [
    monoColumn<TopicMetric>("topic", t("publish.topic")),
    metricColumn("in", t("topicMetrics.in")),
    metricColumn("out", t("topicMetrics.out")),
    metricColumn("dropped", t("topicMetrics.dropped")),
    timeColumn<TopicMetric>("create_time", t("topicMetrics.since")),
  ];
  if (canWrite)
    columns.push(
      actionsColumn<TopicMetric>(({ topic }) => (
        <>
          <IconAction
            label={t("topicMetrics.reset", { topic })}
            icon={<IconRestore size={16} />}
            onClick={() => reset.mutate(topic)}
          />
          <IconAction
            label={t("topicMetrics.remove", { topic })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() => remove.mutate(topic)}
          />
        </>
      )),
    );
  return (
    <>
      <PageHeader title={t("nav.topicMetrics")} hint={t("topicMetrics.hint")} refresh={() => void query.refetch()}>
        {canWrite && (
          <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
            {t("topicMetrics.add")}
          </Button>
        )}
      </PageHeader>
      <DataTable
        label={t("nav.topicMetrics")}
        columns={columns}
        query={query}
        rowKey={(row) => row.topic}
        empty={t("topicMetrics.none")}
      />
      <AddTopic opened={adding} onClose={dialog.close} />
    </>
  );
}
