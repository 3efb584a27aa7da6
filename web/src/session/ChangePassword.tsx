import { Alert, Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../api/client";
import { isStrongPassword } from "./password";
import { sessionStore } from "./session";

interface Props {
  username: string;
  /** Known when it was just typed. */
  oldPassword?: string;
  hint?: string;
}

export function ChangePassword({ username, oldPassword, hint }: Props) {
  const { t } = useTranslation();
  const form = useForm({
    initialValues: { old_pwd: oldPassword ?? "", new_pwd: "", again: "" },
    validate: {
      old_pwd: (value) => (value ? null : t("form.required")),
      new_pwd: (value, all) =>
        !isStrongPassword(value) ? t("password.rule") : value === all.old_pwd ? t("password.same") : null,
      again: (value, all) => (value === all.new_pwd ? null : t("password.differs")),
    },
  });
  const change = useMutation({
    mutationFn: ({ old_pwd, new_pwd }: { old_pwd: string; new_pwd: string }) =>
      take(
        api.POST("/api/v5/users/{username}/change_pwd", {
          params: { path: { username } },
          body: { old_pwd, new_pwd },
        }),
      ),
    onSuccess: () => {
      modals.closeAll();
      notifications.show({ color: "green", message: t("password.done") });
      // Every token of the user died with the old password.
      if (sessionStore.get()?.username === username) sessionStore.set(null);
    },
  });
  const input = { visibilityToggleButtonProps: { "aria-label": t("form.reveal") }, required: true };
  return (
    <form onSubmit={form.onSubmit((values) => change.mutate(values))} noValidate>
      <Stack>
        {hint && <Text size="sm">{hint}</Text>}
        {!oldPassword && (
          <PasswordInput label={t("password.old")} autoComplete="current-password" {...input} {...form.getInputProps("old_pwd")} />
        )}
        <PasswordInput
          label={t("password.new")}
          description={t("password.rule")}
          autoComplete="new-password"
          data-autofocus
          {...input}
          {...form.getInputProps("new_pwd")}
        />
        <PasswordInput label={t("password.again")} autoComplete="new-password" {...input} {...form.getInputProps("again")} />
        {change.error && (
          <Alert color="red" variant="light" role="alert">
            {change.error.message}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={change.isPending}>
            {t("password.button")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
