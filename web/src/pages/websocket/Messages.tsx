import { Badge, Button, Code, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { Time } from "../../components/Time";
import { showPayload } from "../../lib/payload";
import type { Seen } from "./useMqtt";

export function Messages({ seen, onClear }: { seen: Seen[]; onClear: () => void }) {
  const { t } = useTranslation();
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {t("websocket.messages")}
        </Title>
        {seen.length > 0 && (
          <Button size="xs" variant="subtle" onClick={onClear}>
            {t("websocket.clear")}
          </Button>
        )}
      </Group>
      {seen.length === 0 && <Text c="dimmed">{t("websocket.none")}</Text>}
      <Stack gap={6} role="log" aria-label={t("websocket.messages")}>
        {seen.map((message) => (
          <Paper key={message.number} withBorder p="xs">
            <Group gap="xs">
              <Badge size="sm" variant="light" color={message.sent ? "grape" : "blue"}>
                {t(message.sent ? "websocket.sent" : "websocket.received")}
              </Badge>
              <Text className="mono" size="sm">
                {message.topic}
              </Text>
              <Text size="xs" c="dimmed">
                QoS {message.qos}
                {message.retain ? ` · ${t("publish.retain")}` : ""} · <Time value={message.time} />
              </Text>
            </Group>
            <Code block mt={4}>
              {showPayload(message.payload, "text")}
            </Code>
          </Paper>
        ))}
      </Stack>
    </section>
  );
}
