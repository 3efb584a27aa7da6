import { Badge, Button, PasswordInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { modals } from "@mantine/modals";
import { IconPassword, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Stored } from "../../api/stored";
import type { User } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, monoColumn, textColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { FormModal } from "../../components/FormModal";
import { PageHeader } from "../../components/PageHeader";
import { useStoredForm } from "../../form/useStoredForm";
import { ChangePassword } from "../../session/ChangePassword";
import { isStrongPassword } from "../../session/password";
import { useCanWrite, useSession } from "../../session/session";

const kRoles = ["administrator", "viewer"] as const;

type UserSettings = Pick<User, "role" | "description">;

const settingsOf = (user: User | null | undefined): UserSettings => ({
  role: user?.role ?? "viewer",
  description: user?.description ?? "",
});

/** A user is read from the list: there is no other way, nor a tag. */
function storedUser(user: User | null): Stored<UserSettings> {
  const { username = "", backend = "" } = user ?? {};
  return {
    get: () => api.GET("/api/v5/users"),
    show: (answer) => settingsOf((answer as User[]).find((one) => one.username === username && one.backend === backend)),
    put: (body, headers) =>
      api.PUT("/api/v5/users/{username}", {
        params: { path: { username }, query: { backend } as never },
        body: body as never,
        headers,
      }),
  };
}

/** `user` null: a new one. */
function UserDialog({ user, onClose }: { user: User | null; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: {
      username: user?.username ?? "",
      password: "",
      ...settingsOf(user),
    },
    validate: {
      username: (value) => (/^[_a-zA-Z0-9]+$/.test(value) ? null : t("users.nameRule")),
      password: (value) => (user || isStrongPassword(value) ? null : t("password.rule")),
    },
  });
  const editing = useStoredForm(form, storedUser(user), settingsOf(user), (now) => now);
  return (
    <FormModal
      loadTheirs={editing.loadTheirs}
      title={user ? t("users.edit", { name: user.username }) : t("users.add")}
      opened
      onClose={onClose}
      form={form}
      submit={({ username, password, role, description }) =>
        user
          ? editing.save({ role, description })
          : take(api.POST("/api/v5/users", { body: { username, password, role, description } as never }))
      }
      onDone={() => void queries.invalidateQueries({ queryKey: ["users"] })}
    >
      <TextInput
        label={t("login.username")}
        disabled={user !== null}
        autoComplete="off"
        required
        data-autofocus
        {...form.getInputProps("username")}
      />
      {!user && (
        <PasswordInput
          label={t("login.password")}
          description={t("password.rule")}
          autoComplete="new-password"
          required
          visibilityToggleButtonProps={{ "aria-label": t("form.reveal") }}
          {...form.getInputProps("password")}
        />
      )}
      <Select
        label={t("users.role")}
        description={t("users.roleHint")}
        allowDeselect={false}
        data={kRoles.map((value) => ({ value, label: t(`role.${value}`) }))}
        {...form.getInputProps("role")}
      />
      <TextInput label={t("common.note")} {...form.getInputProps("description")} />
    </FormModal>
  );
}

export function UsersPage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const me = useSession()?.username;
  const confirm = useConfirm();
  const [editing, setEditing] = useState<User | "new" | null>(null);
  const query = useQuery({ queryKey: ["users"], queryFn: () => take<User[]>(api.GET("/api/v5/users")) });
  const remove = useChange<User>({
    run: ({ username, backend }) =>
      take(
        api.DELETE("/api/v5/users/{username}", {
          params: { path: { username }, query: { backend } as never },
        }),
      ),
    done: t("users.removed"),
    renews: [["users"]],
  });
  const columns: Column<User>[] = [
    monoColumn<User>("username", t("login.username")),
    {
      id: "role",
      header: t("users.role"),
      accessorKey: "role",
      cell: (cell) => <Badge variant="light">{t(`role.${String(cell.getValue())}`)}</Badge>,
    },
    textColumn<User>("description", t("common.note")),
    textColumn<User>("backend", t("users.source")),
  ];
  if (canWrite)
    columns.push(
      actionsColumn<User>((user) => (
        <>
          <IconAction
            label={t("users.edit", { name: user.username })}
            icon={<IconPencil size={16} />}
            onClick={() => setEditing(user)}
          />
          <IconAction
            label={t("users.password", { name: user.username })}
            icon={<IconPassword size={16} />}
            disabled={user.backend !== "local"}
            onClick={() =>
              modals.open({
                title: t("users.password", { name: user.username }),
                children: <ChangePassword username={user.username} />,
              })
            }
          />
          <IconAction
            label={t("users.remove", { name: user.username })}
            icon={<IconTrash size={16} />}
            color="red"
            disabled={user.username === me}
            onClick={() =>
              confirm({
                title: t("users.remove", { name: user.username }),
                text: t("users.removeText"),
                button: t("common.delete"),
                run: () => remove.mutate(user),
              })
            }
          />
        </>
      )),
    );
  return (
    <>
      <PageHeader title={t("nav.users")} refresh={() => void query.refetch()}>
        {canWrite && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => setEditing("new")}>
            {t("users.add")}
          </Button>
        )}
      </PageHeader>
      <DataTable
        label={t("nav.users")}
        columns={columns}
        query={query}
        rowKey={(row) => `${row.backend} ${row.username}`}
        empty={t("users.none")}
      />
      {editing && <UserDialog user={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
    </>
  );
}
