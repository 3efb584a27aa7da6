import { Box, NavLink, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router-dom";

import { PageHeader } from "../../components/PageHeader";
import { EmptyState } from "../../components/States";
import { RootEditor } from "./RootEditor";
import { sections } from "./sections";

export function ConfigurationPage() {
  const { t } = useTranslation();
  const { root = sections[0]?.key } = useParams();
  const section = sections.find(({ key }) => key === root);
  return (
    <>
      <PageHeader title={t("nav.configuration")} hint={t("configuration.hint")} />
        <Box style={{ display: "flex", flexWrap: "wrap", gap: 24 }}>
          <Stack gap={2} w={190} component="nav" aria-label={t("nav.configuration")}>
            {sections.map(({ key }) => (
              <NavLink
                key={key}
                component={Link}
                to={`/configuration/${key}`}
                label={t(`configuration.${key}`)}
                active={key === root}
                aria-current={key === root ? "page" : undefined}
                py={5}
                style={{ borderRadius: "var(--mantine-radius-md)" }}
              />
            ))}
          </Stack>
          <Box style={{ flex: "1 1 420px" }}>
            {section ? <RootEditor key={section.key} section={section} /> : <EmptyState title={t("common.noPage")} />}
          </Box>
        </Box>
    </>
  );
}
