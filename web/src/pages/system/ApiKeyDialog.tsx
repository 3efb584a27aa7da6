import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { ApiKey } from "../../api/types";
import { FormModal } from "../../components/FormModal";
import { fieldOf, instantOf } from "../../lib/time";
import { useStoredForm } from "../../form/useStoredForm";
import { useSettings } from "../../state/settings";
import { keptOf, storedKey, type KeySettings } from "./storedKey";

const kRoles = ["administrator", "viewer", "publisher"] as const;

const kFresh: KeySettings = { desc: "", enable: true, expired_at: "infinity", role: "viewer" };

interface Props {
  /** null: a new one. */
  apiKey: ApiKey | null;
  onClose: () => void;
  onMade: (key: ApiKey) => void;
}

export function ApiKeyDialog({ apiKey, onClose, onMade }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { timeZone } = useSettings();
  const shown = apiKey ? keptOf(apiKey) : kFresh;
  const valuesOf = ({ role, expired_at, desc }: KeySettings) => ({ role, expires: fieldOf(expired_at, timeZone), desc });
  const form = useForm({
    initialValues: { name: apiKey?.name ?? "", ...valuesOf(shown) },
    validate: { name: (value) => (/^[A-Za-z][A-Za-z0-9_-]*$/.test(value) ? null : t("apiKeys.nameRule")) },
  });
  const editing = useStoredForm(form, storedKey(apiKey?.name ?? ""), shown, valuesOf);
  return (
    <FormModal
      loadTheirs={editing.loadTheirs}
      title={apiKey ? t("apiKeys.edit", { name: apiKey.name }) : t("apiKeys.add")}
      opened
      onClose={onClose}
      form={form}
      submit={({ name, role, expires, desc }) => {
        const body = {
          role,
          desc,
          enable: shown.enable,
          expired_at: expires ? (instantOf(expires, timeZone) ?? expires) : "infinity",
        };
        return apiKey
          ? editing.save(body)
          : take(api.POST("/api/v5/api_key", { body: { name, ...body } as never }));
      }}
      onDone={(answer) => {
        void queries.invalidateQueries({ queryKey: ["apiKeys"] });
        if (!apiKey) onMade(answer as ApiKey);
      }}
    >
      <TextInput
        label={t("apiKeys.name")}
        disabled={apiKey !== null}
        required
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Select
        label={t("users.role")}
        description={t(`apiKeys.roleHint.${form.values.role}`)}
        allowDeselect={false}
        data={kRoles.map((value) => ({ value, label: t(`role.${value}`) }))}
        {...form.getInputProps("role")}
      />
      <TextInput
        type="datetime-local"
        label={t("apiKeys.expires")}
        description={t("apiKeys.expiresHint")}
        {...form.getInputProps("expires")}
      />
      <TextInput label={t("common.note")} {...form.getInputProps("desc")} />
    </FormModal>
  );
}
