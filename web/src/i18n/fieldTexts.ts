// The schema tells names and descriptions in English. What it is in another language is loaded when a form needs it.
import i18next from "i18next";

import type { Language } from "../state/settings";

export interface FieldTexts {
  /** By name of the field. */
  names: Record<string, string>;
  /** By English description. */
  descriptions: Record<string, string>;
  /** By type: what may be written. */
  types: Record<string, string>;
}

const kBundle = "schema";

export const fieldTextsOf = (language: string) => i18next.getResourceBundle(language, kBundle) as FieldTexts | undefined;

export async function loadFieldTexts(language: Language): Promise<void> {
  if (language === "en" || fieldTextsOf(language)) return;
  try {
    const { schema } = await import("./schema.zh");
    i18next.addResourceBundle(language, kBundle, schema);
  } catch {
    // A form in English is better than none; the next one asks again.
  }
}
