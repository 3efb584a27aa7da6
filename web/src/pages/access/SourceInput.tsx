import { Textarea } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { SchemaForm, type FormProps } from "../../form/SchemaForm";

/** Of a file source: its rules; of others: the form of the schema. */
export function SourceInput({ type, form }: { type: string; form: FormProps }) {
  const { t } = useTranslation();
  if (type !== "file") return <SchemaForm {...form} />;
  const { tree, onChange, readOnly } = form;
  return (
    <Textarea
      label={t("authz.rules")}
      description={t("authz.rulesHint")}
      autosize
      minRows={8}
      maxRows={24}
      disabled={readOnly}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      value={typeof tree.rules === "string" ? tree.rules : ""}
      onChange={(event) => onChange({ ...tree, rules: event.currentTarget.value })}
    />
  );
}
