// Lists of texts as tags; what has no form of its own as JSON.
import { JsonInput, MultiSelect, TagsInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useField } from "./SchemaForm";
import type { Field } from "./schema";
import { useDraft } from "./useDraft";
import { useFieldTexts } from "./useFieldTexts";

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

export function ListInput({ field, path }: { field: Field; path: string[] }) {
  const { value, set, readOnly } = useField(path);
  const { label, help } = useFieldTexts();
  const common = { label: label(field), description: help(field), disabled: readOnly, value: listOf(value ?? field.default), onChange: set };
  return field.symbols ? <MultiSelect {...common} data={field.symbols} /> : <TagsInput {...common} clearable />;
}

export function TreeInput({ field, path }: { field: Field; path: string[] }) {
  const { t } = useTranslation();
  const { value, set, readOnly } = useField(path);
  const { label, help } = useFieldTexts();
  const { draft, type } = useDraft(value, set, (now) => ({
    text: now === undefined ? "" : JSON.stringify(now, null, 2),
    bad: false,
  }));
  return (
    <JsonInput
      label={label(field)}
      description={help(field)}
      disabled={readOnly}
      error={draft.bad ? t("form.notJson") : undefined}
      autosize
      minRows={2}
      maxRows={16}
      formatOnBlur
      value={draft.text}
      onChange={(text) => {
        if (text.trim() === "") return type({ text, bad: false }, { value: undefined });
        try {
          type({ text, bad: false }, { value: JSON.parse(text) as unknown });
        } catch {
          type({ text, bad: true });
        }
      }}
    />
  );
}
