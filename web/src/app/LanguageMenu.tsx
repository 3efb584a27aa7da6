import { ActionIcon, Menu } from "@mantine/core";
import { IconLanguage } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { languages } from "../i18n";
import { settingsStore, useSettings } from "../state/settings";

export function LanguageMenu() {
  const { t } = useTranslation();
  const settings = useSettings();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("settings.language")}>
          <IconLanguage size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {languages.map(({ value, label }) => (
          <Menu.Item
            key={value}
            lang={value}
            fw={value === settings.language ? 700 : 400}
            onClick={() => settingsStore.set({ ...settings, language: value })}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
