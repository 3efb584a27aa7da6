import { Badge, Button, Checkbox, FileButton, Group, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPencil, IconPlus, IconTrash, IconUpload } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take, upload } from "../../api/client";
import type { Stored } from "../../api/stored";
import type { AuthUser, Page } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, monoColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { Filters, useFilterValues, type Filter } from "../../components/Filters";
import { FormModal } from "../../components/FormModal";
import { PageControl, usePaged } from "../../components/paging";
import { useStoredForm } from "../../form/useStoredForm";
import { useCanWrite } from "../../session/session";

interface Rights {
  is_superuser: boolean;
  /** Is written and never read. */
  password?: string;
}

const rightsOf = ({ is_superuser }: Rights): Rights => ({ is_superuser });

function storedUser(id: string, user_id: string): Stored<Rights> {
  const params = { path: { id, user_id } };
  return {
    get: () => api.GET("/api/v5/authentication/{id}/users/{user_id}", { params }),
    show: (answer) => rightsOf(answer as AuthUser),
    put: (body, headers) => api.PUT("/api/v5/authentication/{id}/users/{user_id}", { params, body, headers }),
  };
}

/** `user` null: a new one. */
function UserDialog({ id, user, opened, onClose }: {
  id: string;
  user: AuthUser | null;
  opened: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const shown: Rights = { is_superuser: user?.is_superuser ?? false };
  const form = useForm({
    initialValues: { user_id: user?.user_id ?? "", password: "", ...shown },
    validate: {
      user_id: (value) => (value ? null : t("form.required")),
      password: (value) => (value || user ? null : t("form.required")),
    },
  });
  const editing = useStoredForm(form, storedUser(id, user?.user_id ?? ""), shown, rightsOf);
  return (
    <FormModal
      loadTheirs={editing.loadTheirs}
      title={user ? t("authn.editUser", { user: user.user_id }) : t("authn.addUser")}
      opened={opened}
      onClose={onClose}
      form={form}
      submit={({ user_id, password, is_superuser }) =>
        user
          ? editing.save({ is_superuser, ...(password ? { password } : {}) })
          : take(
              api.POST("/api/v5/authentication/{id}/users", {
                params: { path: { id } },
                body: { user_id, password, is_superuser },
              }),
            )
      }
      onDone={() => void queries.invalidateQueries({ queryKey: ["authentication", id, "users"] })}
    >
      <TextInput label={t("authn.userId")} disabled={user !== null} required data-autofocus {...form.getInputProps("user_id")} />
      <PasswordInput
        label={t("login.password")}
        description={user ? t("authn.keepPassword") : undefined}
        autoComplete="new-password"
        required={user === null}
        visibilityToggleButtonProps={{ "aria-label": t("form.reveal") }}
        {...form.getInputProps("password")}
      />
      <Checkbox
        label={t("authn.superuser")}
        description={t("authn.superuserHint")}
        {...form.getInputProps("is_superuser", { type: "checkbox" })}
      />
    </FormModal>
  );
}

export function AuthUsers({ id }: { id: string }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [editing, setEditing] = useState<AuthUser | "new" | null>(null);
  const filters: Filter[] = [{ key: "like_user_id", label: t("authn.userId"), width: 220 }];
  const values = useFilterValues(filters);
  const list = usePaged<AuthUser>(["authentication", id, "users", values], (paging) =>
    take<Page<AuthUser>>(
      api.GET("/api/v5/authentication/{id}/users", { params: { path: { id }, query: { ...values, ...paging } as never } }),
    ),
  );
  const renews = [["authentication", id, "users"]];
  const remove = useChange<string>({
    run: (user_id) =>
      take(api.DELETE("/api/v5/authentication/{id}/users/{user_id}", { params: { path: { id, user_id } } })),
    done: t("authn.userRemoved"),
    renews,
  });
  const load = useChange<File>({
    run: (file) => upload(`/api/v5/authentication/${encodeURIComponent(id)}/import_users`, "filename", file),
    done: t("authn.imported"),
    renews,
  });
  const columns: Column<AuthUser>[] = [
    monoColumn<AuthUser>("user_id", t("authn.userId")),
    {
      id: "superuser",
      header: t("authn.superuser"),
      accessorKey: "is_superuser",
      cell: (cell) => (cell.getValue() === true ? <Badge variant="light">{t("common.yes")}</Badge> : t("common.no")),
    },
  ];
  if (canWrite)
    columns.push(
      actionsColumn<AuthUser>((user) => (
        <>
          <IconAction
            label={t("authn.editUser", { user: user.user_id })}
            icon={<IconPencil size={16} />}
            onClick={() => setEditing(user)}
          />
          <IconAction
            label={t("authn.removeUser", { user: user.user_id })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() =>
              confirm({
                title: t("authn.removeUser", { user: user.user_id }),
                text: t("authn.removeUserText"),
                button: t("common.delete"),
                run: () => remove.mutate(user.user_id),
              })
            }
          />
        </>
      )),
    );
  return (
    <>
      <Group justify="space-between" align="flex-end">
        <Filters filters={filters} />
        {canWrite && (
          <Group gap="xs" mb="md">
            <FileButton onChange={(file) => file && load.mutate(file)} accept=".csv,.json">
              {(props) => (
                <Button {...props} variant="default" leftSection={<IconUpload size={16} />}>
                  {t("authn.import")}
                </Button>
              )}
            </FileButton>
            <Button leftSection={<IconPlus size={16} />} onClick={() => setEditing("new")}>
              {t("authn.addUser")}
            </Button>
          </Group>
        )}
      </Group>
      <DataTable
        label={t("authn.users")}
        columns={columns}
        query={list}
        rowKey={(row) => row.user_id}
        empty={values.like_user_id ? t("filter.nothing") : t("authn.noUsers")}
      />
      <PageControl list={list} />
      {editing && (
        <UserDialog id={id} user={editing === "new" ? null : editing} opened onClose={() => setEditing(null)} />
      )}
    </>
  );
}
