import { Code, CopyButton, Button, Group, ScrollArea, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { formatBytes } from "../lib/numbers";
import { showPayload, type PayloadForm } from "../lib/payload";

export function Payload({ bytes }: { bytes: Uint8Array }) {
  const { t } = useTranslation();
  const [form, setForm] = useState<PayloadForm>("text");
  const shown = showPayload(bytes, form);
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <SegmentedControl
          size="xs"
          aria-label={t("payload.form")}
          value={form}
          onChange={(value) => setForm(value as PayloadForm)}
          data={[
            { value: "text", label: t("payload.text") },
            { value: "json", label: "JSON" },
            { value: "hex", label: t("payload.hex") },
            { value: "base64", label: "Base64" },
          ]}
        />
        <Text size="xs" c="dimmed">
          {formatBytes(bytes.length)}
        </Text>
      </Group>
      <ScrollArea.Autosize mah={360} viewportProps={{ tabIndex: 0 }}>
        <Code block>{shown || (form === "json" ? t("payload.notJson") : t("payload.empty"))}</Code>
      </ScrollArea.Autosize>
      <CopyButton value={shown}>
        {({ copied, copy }) => (
          <Button size="xs" variant="light" w="fit-content" onClick={copy}>
            {copied ? t("common.copied") : t("common.copy")}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}
