import { Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { EmptyState } from "../components/States";

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <EmptyState
      title={t("common.noPage")}
      action={
        <Anchor component={Link} to="/">
          {t("nav.overview")}
        </Anchor>
      }
    />
  );
}
