import { Checkbox, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { FormModal } from "../../components/FormModal";
import { QosSelect } from "../../components/QosSelect";

interface Props {
  clientid: string;
  opened: boolean;
  onClose: () => void;
}

/** Subscribes in the name of a client. */
export function SubscribeDialog({ clientid, opened, onClose }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { topic: "", qos: "0", nl: false, rap: false, rh: "0" },
    validate: { topic: (value) => (value ? null : t("form.required")) },
  });
  return (
    <FormModal
      title={t("subscriptions.add")}
      opened={opened}
      onClose={onClose}
      form={form}
      button={t("subscriptions.subscribe")}
      submit={({ topic, qos, nl, rap, rh }) =>
        take(
          api.POST("/api/v5/clients/{clientid}/subscribe", {
            params: { path: { clientid } },
            body: { topic, qos: Number(qos), nl: nl ? 1 : 0, rap: rap ? 1 : 0, rh: Number(rh) },
          }),
        )
      }
      onDone={() => void queries.invalidateQueries({ queryKey: ["clients"] })}
    >
      <TextInput
        label={t("subscriptions.topic")}
        description={t("subscriptions.topicHint")}
        data-autofocus
        required
        {...form.getInputProps("topic")}
      />
      <QosSelect {...form.getInputProps("qos")} />
      <Select
        label={t("subscriptions.retainHandling")}
        data={["0", "1", "2"].map((value) => ({ value, label: t(`subscriptions.rh${value}`) }))}
        allowDeselect={false}
        {...form.getInputProps("rh")}
      />
      <Checkbox label={t("subscriptions.noLocal")} {...form.getInputProps("nl", { type: "checkbox" })} />
      <Checkbox label={t("subscriptions.retainAsPublished")} {...form.getInputProps("rap", { type: "checkbox" })} />
    </FormModal>
  );
}
