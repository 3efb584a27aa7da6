import { PasswordInput, Select, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useField } from "./SchemaForm";
import { choicesOf, expects, isPlain, isSecret, scalarOf, textOf, titleOf, type Field } from "./schema";

export function useFaultText(field: Field, fault: string | undefined): string | undefined {
  const { t } = useTranslation();
  if (!fault) return undefined;
  return fault === "required" ? t("form.required") : t("form.expected", { expects: expects(field) });
}

/** What a key means, what may be written and when it counts. */
export function useDescription(field: Field): string | undefined {
  const { t } = useTranslation();
  const notes = isPlain(field) ? [] : [expects(field)];
  if (field.after_restart) notes.push(t("form.afterRestart"));
  if (notes.length === 0) return field.description;
  return [field.description, `(${notes.join("; ")})`].filter(Boolean).join(" ");
}

export function ScalarInput({ field, path }: { field: Field; path: string[] }) {
  const { t } = useTranslation();
  const { value, set, fault, readOnly } = useField(path);
  const error = useFaultText(field, fault);
  const description = useDescription(field);
  const label = titleOf(field.name);
  const common = { label, description, error, disabled: readOnly, required: field.required && field.default === undefined };
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
