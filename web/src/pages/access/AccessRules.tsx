// Rules of the built-in database: of one client, one user, or everybody.
import { Badge, Button, Group, Modal, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { AccessRule, Page } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, monoColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { PageControl, usePaged } from "../../components/paging";
import { Loaded } from "../../components/States";
import { useCanWrite } from "../../session/session";
import { RuleList } from "./RuleList";

type Kind = "clients" | "users" | "all";
interface Holder {
  name: string;
  rules: AccessRule[];
}

const kBase = "/api/v5/authorization/sources/built_in_database/rules";

function listHolders(kind: "clients" | "users", paging: { page: number; limit: number }): Promise<Page<Holder>> {
  const named = <T extends { rules: AccessRule[] }>(page: Page<T>, nameOf: (row: T) => string): Page<Holder> => ({
    ...page,
    data: page.data.map((row) => ({ name: nameOf(row), rules: row.rules })),
  });
  return kind === "clients"
    ? take<Page<{ clientid: string; rules: AccessRule[] }>>(
        api.GET(`${kBase}/clients`, { params: { query: paging } }),
      ).then((page) => named(page, (row) => row.clientid))
    : take<Page<{ username: string; rules: AccessRule[] }>>(
        api.GET(`${kBase}/users`, { params: { query: paging } }),
      ).then((page) => named(page, (row) => row.username));
}

function store(kind: Kind, { name, rules }: Holder): Promise<unknown> {
  if (kind === "clients")
    return take(
      api.PUT(`${kBase}/clients/{clientid}`, {
        params: { path: { clientid: name } },
        body: { clientid: name, rules } as never,
      }),
    );
  if (kind === "users")
    return take(
      api.PUT(`${kBase}/users/{username}`, {
        params: { path: { username: name } },
        body: { username: name, rules } as never,
      }),
    );
  return take(api.POST(`${kBase}/all`, { body: { rules } as never }));
}

function HolderDialog({ kind, holder, onClose }: { kind: "clients" | "users"; holder: Holder | "new"; onClose: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(holder === "new" ? "" : holder.name);
  const label = t(kind === "clients" ? "clients.clientid" : "clients.username");
  const save = useChange<Holder>({
    run: (value) => store(kind, value),
    done: t("form.saved"),
    renews: [["authorization", "rules"]],
    after: onClose,
  });
  return (
    <Modal opened onClose={onClose} title={t("authz.permissions")} size="xl">
      <Stack>
        <TextInput
          label={label}
          required
          data-autofocus
          disabled={holder !== "new"}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <RuleList
          initial={holder === "new" ? [] : holder.rules}
          saving={save.isPending}
          disabled={name === ""}
          onSave={(rules) => save.mutate({ name, rules })}
        />
      </Stack>
    </Modal>
  );
}

function Holders({ kind }: { kind: "clients" | "users" }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [editing, setEditing] = useState<Holder | "new" | null>(null);
  const list = usePaged<Holder>(["authorization", "rules", kind], (paging) => listHolders(kind, paging));
  const remove = useChange<string>({
    run: (name) =>
      kind === "clients"
        ? take(api.DELETE(`${kBase}/clients/{clientid}`, { params: { path: { clientid: name } } }))
        : take(api.DELETE(`${kBase}/users/{username}`, { params: { path: { username: name } } })),
    done: t("authz.rulesRemoved"),
    renews: [["authorization", "rules"]],
  });
  const columns: Column<Holder>[] = [
    monoColumn<Holder>("name", t(kind === "clients" ? "clients.clientid" : "clients.username")),
    {
      id: "rules",
      header: t("authz.rules"),
      enableSorting: false,
      cell: ({ row }) => <Badge variant="light">{row.original.rules.length}</Badge>,
    },
  ];
  if (canWrite)
    columns.push(
      actionsColumn<Holder>((holder) => (
        <>
          <IconAction
            label={t("authz.editRules", { name: holder.name })}
            icon={<IconPencil size={16} />}
            onClick={() => setEditing(holder)}
          />
          <IconAction
            label={t("authz.removeRules", { name: holder.name })}
            icon={<IconTrash size={16} />}
            color="red"
            onClick={() =>
              confirm({
                title: t("authz.removeRules", { name: holder.name }),
                text: holder.name,
                button: t("common.delete"),
                run: () => remove.mutate(holder.name),
              })
            }
          />
        </>
      )),
    );
  return (
    <>
      <DataTable
        label={t("authz.permissions")}
        columns={columns}
        query={list}
        rowKey={(row) => row.name}
        empty={t("authz.noRules")}
      />
      <PageControl list={list} />
      {canWrite && (
        <Button mt="sm" w="fit-content" leftSection={<IconPlus size={16} />} onClick={() => setEditing("new")}>
          {t("authz.addRules")}
        </Button>
      )}
      {editing && <HolderDialog kind={kind} holder={editing} onClose={() => setEditing(null)} />}
    </>
  );
}

function Everybody() {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ["authorization", "rules", "all"],
    queryFn: async () => (await take<{ rules: AccessRule[] }>(api.GET(`${kBase}/all`))).rules,
  });
  const save = useChange<AccessRule[]>({
    run: (rules) => store("all", { name: "", rules }),
    done: t("form.saved"),
    renews: [["authorization", "rules"]],
  });
  return (
    <Loaded query={query}>
      {(rules) => <RuleList initial={rules} saving={save.isPending} onSave={(next) => save.mutate(next)} />}
    </Loaded>
  );
}

export function AccessRules() {
  const { t } = useTranslation();
  const [kind, setKind] = useState<Kind>("clients");
  return (
    <Stack>
      <Group>
        <SegmentedControl
          aria-label={t("authz.whose")}
          value={kind}
          onChange={(value) => setKind(value as Kind)}
          data={(["clients", "users", "all"] as const).map((value) => ({ value, label: t(`authz.kind.${value}`) }))}
        />
      </Group>
      {kind === "all" ? <Everybody /> : <Holders key={kind} kind={kind} />}
    </Stack>
  );
}
