// Texts in two languages. English is part of the first load, Chinese comes when it is asked for.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { settingsStore, type Language } from "../state/settings";
import { en } from "./en";

export const languages: { value: Language; label: string }[] = [
  { value: "en", label: "English" },
  { value: "zh", label: "中文" },
];

async function speak(language: Language) {
  if (language === "zh" && !i18next.hasResourceBundle("zh", "translation")) {
    const { zh } = await import("./zh");
    i18next.addResourceBundle("zh", "translation", zh);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function startI18n() {
  await i18next.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    // Texts that come later show at once.
    react: { useSuspense: false, bindI18nStore: "added" },
    showSupportNotice: false,
  });
  await speak(settingsStore.get().language);
  settingsStore.subscribe(() => void speak(settingsStore.get().language));
}
