import { Anchor, Paper } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { PageHeader } from "../components/PageHeader";
import { EmptyState } from "../components/States";

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title="404" />
      <Paper withBorder>
        <EmptyState
          title={t("common.noPage")}
          action={
            <Anchor component={Link} to="/">
              {t("nav.overview")}
            </Anchor>
          }
        />
      </Paper>
    </>
  );
}
