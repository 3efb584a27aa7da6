// Lists and maps of objects: each entry is a form of its own, in the order in which the list counts.
import { Button, Fieldset, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../components/actions";
import { SchemaForm, useField } from "./SchemaForm";
import { isTree, singular, type Fault, type Field, type Tree } from "./schema";
import { useFieldTexts } from "./useFieldTexts";

/** The faults below one place, as the form of that place names them. */
export function faultsBelow(faults: Record<string, Fault>, path: string[]): Record<string, Fault> {
  const prefix = `${path.join(".")}.`;
  return Object.fromEntries(
    Object.entries(faults)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, fault]) => [key.slice(prefix.length), fault]),
  );
}

function Heading({ field, children }: { field: Field; children: ReactNode }) {
  const { label, help } = useFieldTexts();
  return (
    <Stack gap={2} role="group" aria-label={label(field)}>
      <Text size="sm" fw={500}>
        {label(field)}
      </Text>
      <Text size="xs" c="dimmed" mb={4}>
        {help(field)}
      </Text>
      {children}
    </Stack>
  );
}

interface EntryProps {
  title: string;
  fields: Field[];
  tree: Tree;
  faults: Record<string, Fault>;
  readOnly: boolean;
  onChange: (tree: Tree) => void;
  actions: ReactNode;
}

function Entry({ title, fields, tree, faults, readOnly, onChange, actions }: EntryProps) {
  return (
    <Fieldset
      legend={
        <Group gap={4}>
          <Text size="sm" fw={600}>
            {title}
          </Text>
          {actions}
        </Group>
      }
      p="sm"
    >
      <SchemaForm fields={fields} tree={tree} onChange={onChange} faults={faults} readOnly={readOnly} dense />
    </Fieldset>
  );
}

export function RowsInput({ field, path }: { field: Field; path: string[] }) {
  const { t } = useTranslation();
  const { value, set, readOnly, faults } = useField(path);
  const rows = (Array.isArray(value) ? value : []).filter(isTree);
  const one = singular(useFieldTexts().label(field));
  const raise = (at: number) => {
    const next = [...rows];
    const [row] = next.splice(at, 1);
    if (row) next.splice(at - 1, 0, row);
    set(next);
  };
  return (
    <Heading field={field}>
      <Stack gap="sm">
        {rows.length === 0 && <Text c="dimmed">{t("form.noEntry")}</Text>}
        {rows.map((row, i) => (
          <Entry
            key={i}
            title={`${one} ${i + 1}`}
            fields={field.fields ?? []}
            tree={row}
            faults={faultsBelow(faults, [...path, String(i)])}
            readOnly={readOnly}
            onChange={(next) => set(rows.map((old, at) => (at === i ? next : old)))}
            actions={
              !readOnly && (
                <>
                  <IconAction
                    label={t("form.raise", { entry: `${one} ${i + 1}` })}
                    icon={<IconArrowUp size={16} />}
                    disabled={i === 0}
                    onClick={() => raise(i)}
                  />
                  <IconAction
                    label={t("form.remove", { entry: `${one} ${i + 1}` })}
                    icon={<IconTrash size={16} />}
                    color="red"
                    onClick={() => set(rows.filter((_row, at) => at !== i))}
                  />
                </>
              )
            }
          />
        ))}
        {!readOnly && (
          <Button
            w="fit-content"
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => set([...rows, {}])}
          >
            {t("form.addEntry")}
          </Button>
        )}
      </Stack>
    </Heading>
  );
}

/** A new entry needs a name that is not taken. */
function NewName({ taken, onAdd }: { taken: string[]; onAdd: (name: string) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const valid = /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && !taken.includes(name);
  return (
    <Group gap="xs" align="flex-end">
      <TextInput
        size="xs"
        label={t("form.newName")}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlus size={14} />}
        disabled={!valid}
        onClick={() => {
          onAdd(name);
          setName("");
        }}
      >
        {t("form.addEntry")}
      </Button>
    </Group>
  );
}

export function MapInput({ field, path }: { field: Field; path: string[] }) {
  const { t } = useTranslation();
  const { value, set, readOnly, faults } = useField(path);
  const entries = Object.entries(isTree(value) ? value : {});
  return (
    <Heading field={field}>
      <Stack gap="sm">
        {entries.map(([name, entry]) => (
          <Entry
            key={name}
            title={name}
            fields={field.fields ?? []}
            tree={isTree(entry) ? entry : {}}
            faults={faultsBelow(faults, [...path, name])}
            readOnly={readOnly}
            onChange={(next) => set({ ...Object.fromEntries(entries), [name]: next })}
            actions={
              !readOnly && (
                <IconAction
                  label={t("form.remove", { entry: name })}
                  icon={<IconTrash size={16} />}
                  color="red"
                  onClick={() => set(Object.fromEntries(entries.filter(([other]) => other !== name)))}
                />
              )
            }
          />
        ))}
        {!readOnly && <NewName taken={entries.map(([name]) => name)} onAdd={(name) => set({ ...Object.fromEntries(entries), [name]: {} })} />}
      </Stack>
    </Heading>
  );
}
