import { Alert, Button, Card, Center, Group, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../api/client";
import { LanguageMenu } from "../app/LanguageMenu";
import { Logo } from "../app/Logo";
import { ThemeButton } from "../app/ThemeButton";
import { useStore } from "../state/store";
import { ChangePassword } from "./ChangePassword";
import { logOut } from "./logOut";
import { expiredStore, startSession, useSession } from "./session";

interface LoginAnswer {
  role: string;
  token: string;
  /** The password is the one that everybody knows. */
  must_change_password?: boolean;
}

export function LoginPage() {
  const { t } = useTranslation();
  useDocumentTitle(`${t("login.title")} · Signalbox`);
  const expired = useStore(expiredStore);
  const session = useSession();
  const form = useForm({
    initialValues: { username: "", password: "" },
    validate: {
      username: (value) => (value ? null : t("form.required")),
      password: (value) => (value ? null : t("form.required")),
    },
  });
  const logIn = useMutation({
    mutationFn: (values: { username: string; password: string }) =>
      take<LoginAnswer>(api.POST("/api/v5/login", { body: values })),
    onSuccess: ({ role, token, must_change_password }, { username }) => {
      startSession({ username, role, token, mustChange: must_change_password });
    },
  });
  return (
    <Center mih="100vh" p="md" className="login-page">
      <Card withBorder shadow="md" radius="lg" w={400} maw="100%" padding="xl" component="main">
        <Group justify="space-between" mb="lg">
          <Logo />
          <Group gap={2}>
            <LanguageMenu />
            <ThemeButton />
          </Group>
        </Group>
        {session?.mustChange ? (
          <Stack>
            <Title order={1} size="h4">
              {t("password.firstTitle")}
            </Title>
            <ChangePassword
              username={session.username}
              oldPassword={form.values.password}
              hint={t("password.firstHint")}
            />
            <Button variant="subtle" onClick={() => void logOut(session.username)}>
              {t("shell.logOut")}
            </Button>
          </Stack>
        ) : (
          <form onSubmit={form.onSubmit((values) => logIn.mutate(values))} noValidate>
            <Stack>
              <Title order={1} size="h4">
                {t("login.title")}
              </Title>
              {expired && !logIn.error && (
                <Alert color="yellow" variant="light" role="status">
                  {t("login.expired")}
                </Alert>
              )}
              <TextInput
                label={t("login.username")}
                autoComplete="username"
                autoFocus
                required
                {...form.getInputProps("username")}
              />
              <PasswordInput
                label={t("login.password")}
                autoComplete="current-password"
                required
                visibilityToggleButtonProps={{ "aria-label": t("form.reveal") }}
                {...form.getInputProps("password")}
              />
              {logIn.error && (
                <Alert color="red" variant="light" role="alert">
                  {logIn.error.message}
                </Alert>
              )}
              <Button type="submit" loading={logIn.isPending} fullWidth>
                {t("login.button")}
              </Button>
              <Text size="xs" c="dimmed">
                {t("login.hint")}
              </Text>
            </Stack>
          </form>
        )}
      </Card>
    </Center>
  );
}
