import { Alert, Badge, Button, Card, Checkbox, Group, Pill, SimpleGrid, Stack, Textarea, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";

import { QosSelect } from "../../components/QosSelect";
import { ConnectForm } from "./ConnectForm";
import { Messages } from "./Messages";
import { useMqtt, type Mqtt } from "./useMqtt";

const qosOf = (text: string) => Number(text) as 0 | 1 | 2;

function SubscribeForm({ mqtt }: { mqtt: Mqtt }) {
  const { t } = useTranslation();
  const form = useForm({ initialValues: { topic: "testtopic/#", qos: "0" } });
  return (
    <Card withBorder>
      <Title order={2} size="h6" mb="xs">
        {t("websocket.subscribe")}
      </Title>
      <form onSubmit={form.onSubmit(({ topic, qos }) => void mqtt.subscribe(topic, qosOf(qos)))}>
        <Stack gap="xs">
          <TextInput label={t("subscriptions.topic")} required {...form.getInputProps("topic")} />
          <QosSelect {...form.getInputProps("qos")} />
          <Button type="submit" disabled={mqtt.state !== "on"}>
            {t("subscriptions.subscribe")}
          </Button>
          <Group gap={6}>
            {mqtt.filters.map(({ topic, qos }) => (
              <Pill
                key={topic}
                withRemoveButton
                removeButtonProps={{ "aria-label": t("subscriptions.remove", { topic }), "aria-hidden": false, tabIndex: 0 }}
                onRemove={() => void mqtt.unsubscribe(topic)}
              >
                {topic} · {qos}
              </Pill>
            ))}
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function PublishForm({ mqtt }: { mqtt: Mqtt }) {
  const { t } = useTranslation();
  const form = useForm({ initialValues: { topic: "testtopic/1", payload: '{"hello":"world"}', qos: "0", retain: false } });
  return (
    <Card withBorder>
      <Title order={2} size="h6" mb="xs">
        {t("websocket.publish")}
      </Title>
      <form onSubmit={form.onSubmit(({ qos, ...message }) => void mqtt.publish({ ...message, qos: qosOf(qos) }))}>
        <Stack gap="xs">
          <TextInput label={t("publish.topic")} required {...form.getInputProps("topic")} />
          <Textarea label={t("publish.payload")} autosize minRows={2} maxRows={8} {...form.getInputProps("payload")} />
          <Group align="flex-end">
            <QosSelect {...form.getInputProps("qos")} />
            <Checkbox mb={8} label={t("publish.retain")} {...form.getInputProps("retain", { type: "checkbox" })} />
          </Group>
          <Button type="submit" disabled={mqtt.state !== "on"}>
            {t("publish.button")}
          </Button>
        </Stack>
      </form>
    </Card>
  );
}

export function MqttTab() {
  const { t } = useTranslation();
  const mqtt = useMqtt();
  return (
    <Stack>
      <ConnectForm mqtt={mqtt} />
      <Group>
        <Badge color={mqtt.state === "on" ? "green" : mqtt.state === "connecting" ? "yellow" : "gray"} variant="light">
          {t(`websocket.state.${mqtt.state}`)}
        </Badge>
      </Group>
      {mqtt.error && (
        <Alert color="red" variant="light" role="alert">
          {mqtt.error}
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <SubscribeForm mqtt={mqtt} />
        <PublishForm mqtt={mqtt} />
      </SimpleGrid>
      <Messages seen={mqtt.seen} onClear={mqtt.clear} />
    </Stack>
  );
}
