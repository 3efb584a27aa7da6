import { Alert, Textarea } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { SchemaForm, type FormProps } from "../../form/SchemaForm";

interface Props {
  type: string;
  form: FormProps;
  /** It is there already: rules that could not be read must not be written over. */
  stored?: boolean;
}

/** Of a file source: its rules; of others: the form of the schema. */
export function SourceInput({ type, form, stored = false }: Props) {
  const { t } = useTranslation();
  if (type !== "file") return <SchemaForm {...form} />;
  const { tree, onChange, readOnly } = form;
  const path = typeof tree.path === "string" ? tree.path : "";
  if (stored && typeof tree.rules !== "string")
    return (
      <Alert color="yellow" variant="light" icon={<IconAlertCircle size={18} />} role="alert">
        {t("authz.rulesUnread", { path })}
      </Alert>
    );
  return (
    <Textarea
      label={t("authz.rules")}
      description={path ? `${t("authz.rulesHint")} ${t("authz.rulesFile", { path })}` : t("authz.rulesHint")}
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
