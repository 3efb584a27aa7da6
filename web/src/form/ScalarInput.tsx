import { PasswordInput, Select, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useField } from "./SchemaForm";
import { choicesOf, isSecret, scalarOf, textOf, type Field } from "./schema";
import { useFieldTexts } from "./useFieldTexts";

export function ScalarInput({ field, path }: { field: Field; path: string[] }) {
  const { t } = useTranslation();
  const { value, set, fault, readOnly } = useField(path);
  const texts = useFieldTexts();
  const common = {
    label: texts.label(field),
    description: texts.help(field),
    error: texts.fault(field, fault),
    disabled: readOnly,
    required: field.required && field.default === undefined,
  };
  const placeholder = field.default === undefined || field.default === null ? undefined : textOf(field.default);

  if (field.type === "boolean") {
    const on = value ?? field.default ?? false;
    return (
      <Switch {...common} checked={on === true || on === "true"} onChange={(event) => set(event.currentTarget.checked)} />
    );
  }
  const choices = field.symbols ?? choicesOf(field);
  if (choices) {
    return (
      <Select
        {...common}
        data={choices}
        placeholder={placeholder}
        value={value === undefined ? null : textOf(value)}
        clearable={!field.required}
        onChange={(chosen) => set(chosen === null ? undefined : scalarOf(field, chosen))}
      />
    );
  }
  if (isSecret(field)) {
    return (
      <PasswordInput
        {...common}
        autoComplete="new-password"
        visibilityToggleButtonProps={{ "aria-label": t("form.reveal") }}
        value={textOf(value)}
        onChange={(event) => set(scalarOf(field, event.currentTarget.value))}
      />
    );
  }
  return (
    <TextInput
      {...common}
      placeholder={placeholder}
      value={textOf(value)}
      inputMode={field.type === "integer" && !field.words?.length ? "numeric" : undefined}
      onChange={(event) => set(scalarOf(field, event.currentTarget.value))}
    />
  );
}
