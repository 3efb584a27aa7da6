import { Button, Code, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router-dom";

/** A page that failed to load (the server was replaced under us) or broke while drawing. */
export function RouteError() {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <Stack p="xl" maw={640} role="alert">
      <Title order={2}>{t("common.broken")}</Title>
      <Text>{t("common.brokenHint")}</Text>
      <Code block>{error instanceof Error ? error.message : String(error)}</Code>
      <Button w="fit-content" onClick={() => window.location.reload()}>
        {t("common.reload")}
      </Button>
    </Stack>
  );
}
