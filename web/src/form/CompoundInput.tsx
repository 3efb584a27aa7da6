// Lists of texts as tags; what has no form of its own as JSON.
import { JsonInput, MultiSelect, TagsInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useField } from "./SchemaForm";
import type { Field } from "./schema";
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
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [bad, setBad] = useState(false);
  return (
    <JsonInput
      label={label(field)}
      description={help(field)}
      disabled={readOnly}
      error={bad ? t("form.notJson") : undefined}
      autosize
      minRows={2}
      maxRows={16}
      formatOnBlur
      value={text}
      onChange={(next) => {
        setText(next);
        if (next.trim() === "") {
          setBad(false);
          return set(undefined);
        }
        try {
          set(JSON.parse(next));
          setBad(false);
        } catch {
          setBad(true);
        }
      }}
    />
  );
}
