import { Card, SegmentedControl, Select, Stack, Text, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { PageHeader } from "../../components/PageHeader";
import { Time } from "../../components/Time";
import { languages } from "../../i18n";
import { timeZones } from "../../lib/time";
import { settingsStore, useSettings, type Language } from "../../state/settings";

const kSchemes = ["auto", "light", "dark"] as const;

export function SettingsPage() {
  const { t } = useTranslation();
  const settings = useSettings();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <>
      <PageHeader title={t("nav.settings")} hint={t("settings.hint")} />
      <Card withBorder maw={520}>
        <Stack>
          <Select
            label={t("settings.language")}
            allowDeselect={false}
            data={languages}
            value={settings.language}
            onChange={(value) => settingsStore.set({ ...settings, language: value as Language })}
          />
          <div>
            <Text size="sm" fw={500} id="scheme-label" mb={4}>
              {t("settings.theme")}
            </Text>
            <SegmentedControl
              aria-labelledby="scheme-label"
              value={colorScheme}
              onChange={(value) => setColorScheme(value as MantineColorScheme)}
              data={kSchemes.map((value) => ({ value, label: t(`settings.themes.${value}`) }))}
            />
          </div>
          <Select
            label={t("settings.timeZone")}
            searchable
            clearable
            placeholder={t("settings.browserZone", { zone: browserZone })}
            data={timeZones()}
            value={settings.timeZone || null}
            onChange={(value) => settingsStore.set({ ...settings, timeZone: value ?? "" })}
          />
          <Text size="sm" c="dimmed">
            {t("settings.now")} <Time value={Date.now()} />
          </Text>
        </Stack>
      </Card>
    </>
  );
}
