// Rules of the built-in database: of one client, one user, or everybody.
import { Badge, Button, Group, Modal, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Stored } from "../../api/stored";
import type { AccessRule, Page } from "../../api/types";
import { IconAction, useChange, useConfirm } from "../../components/actions";
import { actionsColumn, monoColumn } from "../../components/columns";
import { DataTable, type Column } from "../../components/DataTable";
import { useLeave } from "../../components/leave";
import { PageControl, usePaged } from "../../components/paging";
import { Loaded } from "../../components/States";
import { useStored } from "../../form/useStored";
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

function storedRules(kind: Kind, name: string): Stored<AccessRule[]> {
  const show = (answer: unknown) => (answer as { rules: AccessRule[] }).rules;
  if (kind === "clients") {
    const params = { path: { clientid: name } };
    return {
      get: () => api.GET(`${kBase}/clients/{clientid}`, { params }),
      show,
      put: (rules, headers) =>
        api.PUT(`${kBase}/clients/{clientid}`, { params, body: { clientid: name, rules } as never, headers }),
    };
  }
  if (kind === "users") {
    const params = { path: { username: name } };
    return {
      get: () => api.GET(`${kBase}/users/{username}`, { params }),
      show,
      put: (rules, headers) =>
        api.PUT(`${kBase}/users/{username}`, { params, body: { username: name, rules } as never, headers }),
    };
  }
  return {
    get: () => api.GET(`${kBase}/all`),
    show,
    // Not a PUT, so without a tag: a change is found by what was read before.
    put: (rules) => api.POST(`${kBase}/all`, { body: { rules } as never }),
  };
}

function StoredRules({ kind, name, onSaved }: { kind: Kind; name: string; onSaved?: () => void }) {
  const { query, ...editing } = useStored(["authorization", "rules", kind, name], storedRules(kind, name));
  return <Loaded query={query}>{(rules) => <RuleList stored={rules} {...editing} onSaved={onSaved} />}</Loaded>;
}

/** `holder` null: a new one. */
function HolderDialog({ kind, holder, onClose }: { kind: "clients" | "users"; holder: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const leave = useLeave();
  const [name, setName] = useState(holder ?? "");
  const onSaved = () => {
    void queries.invalidateQueries({ queryKey: ["authorization", "rules"] });
    onClose();
  };
  return (
    <Modal opened onClose={() => leave(onClose)} title={t("authz.permissions")} size="xl">
      <Stack>
        <TextInput
          label={t(kind === "clients" ? "clients.clientid" : "clients.username")}
          required
          data-autofocus
          disabled={holder !== null}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {holder === null ? (
          <RuleList
            stored={[]}
            save={(rules) => take(storedRules(kind, name).put(rules, {}))}
            renew={() => Promise.resolve(undefined)}
            onSaved={onSaved}
            disabled={name === ""}
          />
        ) : (
          <StoredRules kind={kind} name={holder} onSaved={onSaved} />
        )}
      </Stack>
    </Modal>
  );
}

function Holders({ kind }: { kind: "clients" | "users" }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const [editing, setEditing] = useState<{ name: string | null } | null>(null);
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
        <Button mt="sm" w="fit-content" leftSection={<IconPlus size={16} />} onClick={() => setEditing({ name: null })}>
          {t("authz.addRules")}
        </Button>
      )}
      {editing && <HolderDialog kind={kind} holder={editing.name} onClose={() => setEditing(null)} />}
    </>
  );
}

export function AccessRules() {
  const { t } = useTranslation();
  const leave = useLeave();
  const [kind, setKind] = useState<Kind>("clients");
  return (
    <Stack>
      <Group>
        <SegmentedControl
          aria-label={t("authz.whose")}
          value={kind}
          onChange={(value) => leave(() => setKind(value as Kind))}
          data={(["clients", "users", "all"] as const).map((value) => ({ value, label: t(`authz.kind.${value}`) }))}
        />
      </Group>
      {kind === "all" ? <StoredRules kind="all" name="" /> : <Holders key={kind} kind={kind} />}
    </Stack>
  );
}
