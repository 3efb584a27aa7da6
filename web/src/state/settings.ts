// What a person chose for this browser; the colour scheme is kept by Mantine itself.
import { createStore, useStore } from "./store";

export type Language = "en" | "zh";

export interface Settings {
  language: Language;
  timeZone: string; // IANA name; "" = that of the browser
}

function isSettings(value: unknown): value is Settings {
  const settings = value as Partial<Settings> | null;
  return (
    typeof settings === "object" &&
    settings !== null &&
    (settings.language === "en" || settings.language === "zh") &&
    typeof settings.timeZone === "string"
  );
}

const language: Language = navigator.language.startsWith("zh") ? "zh" : "en";

export const settingsStore = createStore<Settings>("signalbox-settings", { language, timeZone: "" }, isSettings);

export const useSettings = () => useStore(settingsStore);
