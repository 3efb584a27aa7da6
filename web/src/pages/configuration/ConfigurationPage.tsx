import { Box, NavLink, Select, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router-dom";

import { PageHeader } from "../../components/PageHeader";
import { EmptyState } from "../../components/States";
import { RootEditor } from "./RootEditor";
import { sections } from "./sections";

export function ConfigurationPage() {
  const { t } = useTranslation();
  const { root = sections[0]?.key } = useParams();
  const navigate = useNavigate();
  const section = sections.find(({ key }) => key === root);
  return (
    <>
      <PageHeader title={t("nav.configuration")} hint={t("configuration.hint")} />
      <Select
        hiddenFrom="sm"
        mb="md"
        aria-label={t("nav.configuration")}
        allowDeselect={false}
        data={sections.map(({ key }) => ({ value: key, label: t(`configuration.${key}`) }))}
        value={root}
        onChange={(key) => navigate(`/configuration/${key}`)}
      />
      <Box style={{ display: "flex", gap: 24 }}>
        <Stack gap={2} w={190} visibleFrom="sm" component="nav" aria-label={t("nav.configuration")} style={{ flexShrink: 0 }}>
          {sections.map(({ key }) => (
            <NavLink
              key={key}
              component={Link}
              to={`/configuration/${key}`}
              label={t(`configuration.${key}`)}
              active={key === root}
              aria-current={key === root ? "page" : undefined}
              py={5}
            />
          ))}
        </Stack>
        <Box style={{ flex: 1, minWidth: 0 }}>
          {section ? <RootEditor key={section.key} section={section} /> : <EmptyState title={t("common.noPage")} />}
        </Box>
      </Box>
    </>
  );
}
