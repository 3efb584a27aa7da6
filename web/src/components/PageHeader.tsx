import { ActionIcon, Anchor, Breadcrumbs, Group, Stack, Text, Title, Tooltip } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

interface Props {
  title: ReactNode;
  hint?: string;
  /** The list that this page belongs to. */
  parent?: { title: string; path: string };
  refresh?: () => void;
  children?: ReactNode;
}

export function PageHeader({ title, hint, parent, refresh, children }: Props) {
  const { t } = useTranslation();
  return (
    <Group justify="space-between" align="flex-start" mb="md" gap="sm">
      <Stack gap={2} style={{ flex: "1 1 300px" }}>
        {parent && (
          <Breadcrumbs>
            <Anchor component={Link} to={parent.path} size="sm">
              {parent.title}
            </Anchor>
          </Breadcrumbs>
        )}
        <Title order={1} size="h3" style={{ overflowWrap: "anywhere" }}>
          {title}
        </Title>
        {hint && (
          <Text size="sm" c="dimmed" maw={720}>
            {hint}
          </Text>
        )}
      </Stack>
      <Group gap="xs">
        {refresh && (
          <Tooltip label={t("common.refresh")}>
            <ActionIcon variant="default" size={36} onClick={refresh} aria-label={t("common.refresh")}>
              <IconRefresh size={18} />
            </ActionIcon>
          </Tooltip>
        )}
        {children}
      </Group>
    </Group>
  );
}
