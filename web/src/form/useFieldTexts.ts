import { useTranslation } from "react-i18next";

import { fieldTextsOf } from "../i18n/fieldTexts";
import { expects, isPlain, titleOf, type Fault, type Field } from "./schema";

/** What people read of a field, in their language; in English where it has no words for it. */
export function useFieldTexts() {
  const { t, i18n } = useTranslation();
  const texts = fieldTextsOf(i18n.language);
  const allowed = (field: Field) => expects(field, texts?.types, t("form.colon"));
  return {
    label: ({ name }: Field): string => texts?.names[name] ?? titleOf(name),
    /** What a key means, what may be written and when it counts. */
    help: (field: Field): string | undefined => {
      const { description } = field;
      const help = description && (texts?.descriptions[description] ?? description);
      const notes = isPlain(field) ? [] : [allowed(field)];
      if (field.after_restart) notes.push(t("form.afterRestart"));
      return notes.length === 0 ? help : t("form.notes", { help: help ?? "", notes: notes.join(t("form.semicolon")) }).trim();
    },
    fault: (field: Field, fault: Fault | undefined): string | undefined => {
      if (!fault) return undefined;
      return fault === "required" ? t("form.required") : t("form.expected", { expects: allowed(field) });
    },
  };
}
