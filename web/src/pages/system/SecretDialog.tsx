import { Alert, Button, CopyButton, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { ApiKey } from "../../api/types";

function Copied({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation();
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <TextInput label={label} value={value} readOnly style={{ flex: 1 }} classNames={{ input: "mono" }} />
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} aria-label={`${t("common.copy")}: ${label}`}>
            {copied ? t("common.copied") : t("common.copy")}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}

/** The secret of a fresh key: the server tells it this once. */
export function SecretDialog({ apiKey, onClose }: { apiKey: ApiKey | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={apiKey !== null}
      onClose={onClose}
      title={t("apiKeys.madeTitle", { name: apiKey?.name ?? "" })}
      closeOnClickOutside={false}
    >
      <Stack>
        <Alert color="yellow" variant="light">
          {t("apiKeys.once")}
        </Alert>
        <Copied label={t("apiKeys.key")} value={apiKey?.api_key ?? ""} />
        <Copied label={t("apiKeys.secret")} value={apiKey?.api_secret ?? ""} />
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("common.close")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
