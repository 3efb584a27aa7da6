import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { ApiKey } from "../../api/types";
import { FormModal } from "../../components/FormModal";
import { fieldOf, instantOf } from "../../lib/time";
import { useSettings } from "../../state/settings";

const kRoles = ["administrator", "viewer", "publisher"] as const;

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
  const form = useForm({
    initialValues: {
      name: apiKey?.name ?? "",
      role: apiKey?.role ?? "viewer",
      expires: apiKey ? fieldOf(apiKey.expired_at, timeZone) : "",
      desc: apiKey?.desc ?? "",
    },
    validate: { name: (value) => (/^[A-Za-z][A-Za-z0-9_-]*$/.test(value) ? null : t("apiKeys.nameRule")) },
  });
  return (
    <FormModal
      title={apiKey ? t("apiKeys.edit", { name: apiKey.name }) : t("apiKeys.add")}
      opened
      onClose={onClose}
      form={form}
      submit={({ name, role, expires, desc }) => {
        const body = {
          role,
          desc,
          enable: apiKey?.enable ?? true,
          expired_at: expires ? (instantOf(expires, timeZone) ?? expires) : "infinity",
        };
        return apiKey
          ? take(api.PUT("/api/v5/api_key/{name}", { params: { path: { name } }, body: body as never }))
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
