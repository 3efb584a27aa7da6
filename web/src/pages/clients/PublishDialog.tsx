import { Checkbox, Select, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Subscription } from "../../api/types";
import { FormModal } from "../../components/FormModal";
import { QosSelect } from "../../components/QosSelect";
import { reachesOne } from "./filters";

interface Props {
  clientid: string;
  opened: boolean;
  onClose: () => void;
}

interface Answer {
  id?: string;
  reason_code?: number;
}

/** Publishes what this client will get: the topic must be one that it subscribed to. */
export function PublishDialog({ clientid, opened, onClose }: Props) {
  const { t } = useTranslation();
  const filters =
    useQuery({
      queryKey: ["clients", "subscriptions", clientid],
      queryFn: () =>
        take<Subscription[]>(api.GET("/api/v5/clients/{clientid}/subscriptions", { params: { path: { clientid } } })),
      enabled: opened,
    }).data ?? [];
  const form = useForm({
    initialValues: { topic: "", payload: "", payload_encoding: "plain", qos: "0", retain: false },
    validate: { topic: (value) => (value ? null : t("form.required")) },
  });
  const topic = form.values.topic;
  const reaches = filters.length === 0 || topic === "" || filters.some((one) => reachesOne(one.topic, topic));
  return (
    <FormModal
      title={t("publish.to", { clientid })}
      opened={opened}
      onClose={onClose}
      form={form}
      button={t("publish.button")}
      submit={({ qos, payload_encoding, ...message }) =>
        take<Answer>(
          api.POST("/api/v5/publish", {
            body: { ...message, payload_encoding: payload_encoding as "plain" | "base64", qos: Number(qos) },
          }),
        )
      }
      onDone={(answer) => {
        const nobody = (answer as Answer | undefined)?.reason_code === 16;
        notifications.show({
          color: nobody ? "yellow" : "green",
          message: t(nobody ? "publish.nobody" : "publish.done"),
        });
      }}
    >
      <TextInput
        label={t("publish.topic")}
        description={
          filters.length > 0
            ? t("publish.subscribed", { filters: filters.map((one) => one.topic).join(", ") })
            : t("publish.notSubscribed")
        }
        data-autofocus
        required
        {...form.getInputProps("topic")}
        error={form.errors.topic ?? (reaches ? undefined : t("publish.misses"))}
      />
      <Textarea label={t("publish.payload")} autosize minRows={4} maxRows={14} {...form.getInputProps("payload")} />
      <Select
        label={t("publish.encoding")}
        allowDeselect={false}
        data={[
          { value: "plain", label: t("payload.text") },
          { value: "base64", label: "Base64" },
        ]}
        {...form.getInputProps("payload_encoding")}
      />
      <QosSelect {...form.getInputProps("qos")} />
      <Checkbox label={t("publish.retain")} {...form.getInputProps("retain", { type: "checkbox" })} />
    </FormModal>
  );
}
