import { ActionIcon, AppShell, Badge, Burger, Group, Menu, NavLink, ScrollArea, Text, Tooltip } from "@mantine/core";
import { useDisclosure, useDocumentTitle } from "@mantine/hooks";
import { modals } from "@mantine/modals";
import {
  IconAlertTriangle,
  IconApi,
  IconLogout,
  IconPassword,
  IconUserCircle,
} from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, Outlet, useLocation } from "react-router-dom";

import { useAlarmCount } from "../api/live";
import { useLeave } from "../components/leave";
import { ChangePassword } from "../session/ChangePassword";
import { logOut } from "../session/logOut";
import { useSession } from "../session/session";
import { LanguageMenu } from "./LanguageMenu";
import { LeaveGuard } from "./LeaveGuard";
import { LicenseLine } from "./LicenseLine";
import { Logo } from "./Logo";
import { navigation } from "./nav";
import { ThemeButton } from "./ThemeButton";

const isActive = (path: string, here: string) => here === path || (path !== "/" && here.startsWith(`${path}/`));

function Navigation({ onChosen }: { onChosen: () => void }) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  return (
    <ScrollArea type="hover">
      {navigation.map(({ group, entries }) => (
        <div key={group} role="group" aria-label={t(`navGroup.${group}`)}>
          <Text fz={11} fw={650} c="dimmed" tt="uppercase" lts={0.4} mt={8} mb={2} px="sm">
            {t(`navGroup.${group}`)}
          </Text>
          {entries.map(({ key, path, icon: Icon }) => (
            <NavLink
              key={key}
              component={Link}
              to={path}
              label={t(`nav.${key}`)}
              leftSection={<Icon size={17} stroke={1.7} />}
              active={isActive(path, pathname)}
              aria-current={isActive(path, pathname) ? "page" : undefined}
              onClick={onChosen}
              py={3}
              fz="sm"
            />
          ))}
        </div>
      ))}
    </ScrollArea>
  );
}

function UserMenu() {
  const { t } = useTranslation();
  const session = useSession();
  const leave = useLeave();
  if (!session) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("shell.account", { name: session.username })}>
          <IconUserCircle size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.username} · {t(`role.${session.role}`)}
        </Menu.Label>
        <Menu.Item
          leftSection={<IconPassword size={16} />}
          onClick={() =>
            modals.open({
              title: t("password.title"),
              children: <ChangePassword username={session.username} />,
            })
          }
        >
          {t("password.title")}
        </Menu.Item>
        <Menu.Item component="a" href="api-docs" target="_blank" rel="noreferrer" leftSection={<IconApi size={16} />}>
          {t("shell.apiDocs")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => leave(() => void logOut(session.username))}>
          {t("shell.logOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function AlarmBadge() {
  const { t } = useTranslation();
  const count = useAlarmCount();
  if (!count) return null;
  return (
    <Tooltip label={t("shell.alarms", { count })}>
      <Badge
        component={Link}
        to="/alarms"
        color="red"
        variant="light"
        leftSection={<IconAlertTriangle size={12} />}
        style={{ cursor: "pointer" }}
        aria-label={t("shell.alarms", { count })}
      >
        {count}
      </Badge>
    </Tooltip>
  );
}

/** What every page has around it. After a change of page the focus goes to the content, as after a page load. */
export function Shell() {
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const entry = navigation.flatMap((group) => group.entries).find(({ path }) => isActive(path, pathname));
  useDocumentTitle(entry ? `${t(`nav.${entry.key}`)} · Signalbox` : "Signalbox");
  const shown = useRef(pathname);
  useEffect(() => {
    // Not at the first page: there the keyboard begins at the top, with the link that skips the menu.
    if (shown.current !== pathname) main.current?.focus({ preventScroll: true });
    shown.current = pathname;
  }, [pathname]);

  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 232, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding="lg"
    >
      <a className="skip-link" href="#content" onClick={(event) => {
        event.preventDefault();
        main.current?.focus();
      }}>
        {t("shell.skip")}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t("shell.menu")} />
            <Logo />
          </Group>
          <Group gap={6} wrap="nowrap">
            <AlarmBadge />
            <LanguageMenu />
            <ThemeButton />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t("shell.menu")}>
        <Navigation onChosen={close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" ref={main} tabIndex={-1} style={{ outline: "none" }}>
        <LeaveGuard />
        <LicenseLine />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
