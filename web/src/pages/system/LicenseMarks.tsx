// From which share of the licensed connections on there is an alarm, and below which it ends.
import { Button, Card, Group, NumberInput, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import type { Stored } from "../../api/stored";
import { Loaded } from "../../components/States";
import { SaveError } from "../../form/SaveError";
import { useEditor, type Editable } from "../../form/useEditor";
import { useStored } from "../../form/useStored";
import { useCanWrite } from "../../session/session";

interface Marks {
  low: string | number;
  high: string | number;
}

const percent = (text: string) => Number.parseFloat(text) || 0;

const kPath = "/api/v5/license/setting";
const kMarks: Stored<Marks> = {
  get: () => api.GET(kPath),
  show: (answer) => {
    const marks = answer as { connection_low_watermark: string; connection_high_watermark: string };
    return { low: percent(marks.connection_low_watermark), high: percent(marks.connection_high_watermark) };
  },
  put: ({ low, high }, headers) =>
    api.PUT(kPath, {
      body: { connection_low_watermark: `${low}%`, connection_high_watermark: `${high}%` },
      headers,
    }),
};

function MarksForm(editable: Editable<Marks>) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const { value, set, save, saving, error, loadTheirs } = useEditor(editable);
  const inOrder = Number(value.low) < Number(value.high);
  const common = { suffix: "%", min: 1, max: 100, disabled: !canWrite };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {t("license.marksHint")}
        </Text>
        <Group grow>
          <NumberInput label={t("license.low")} {...common} value={value.low} onChange={(low) => set({ ...value, low })} />
          <NumberInput
            label={t("license.high")}
            {...common}
            value={value.high}
            onChange={(high) => set({ ...value, high })}
            error={inOrder ? undefined : t("license.order")}
          />
        </Group>
        <SaveError error={error} loadTheirs={loadTheirs} />
        {canWrite && (
          <Group justify="flex-end">
            <Button type="submit" disabled={!inOrder} loading={saving}>
              {t("common.save")}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

export function LicenseMarks() {
  const { t } = useTranslation();
  const { query, ...editing } = useStored(["license", "setting"], kMarks);
  return (
    <Loaded query={query}>
      {(marks) => (
        <Card withBorder>
          <Title order={2} size="h5" mb="xs">
            {t("license.marks")}
          </Title>
          <MarksForm stored={marks} {...editing} />
        </Card>
      )}
    </Loaded>
  );
}
