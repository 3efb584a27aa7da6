import { Alert, Button, Group } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** Says that somebody else saved first, and offers what they saved. */
export function ChangedMeanwhile({ onLoad, disabled }: { onLoad: () => void; disabled?: boolean }) {
  const { t } = useTranslation();
  return (
    <Alert color="yellow" variant="light" role="alert">
      <Group justify="space-between">
        {t("form.changedMeanwhile")}
        <Button variant="default" size="xs" disabled={disabled} onClick={onLoad}>
          {t("form.loadAnew")}
        </Button>
      </Group>
    </Alert>
  );
}
