import { Alert, Button, Group, JsonInput, Modal, Select, Stack, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { useChange } from "../../components/actions";
import { Loaded } from "../../components/States";
import { SchemaForm } from "../../form/SchemaForm";
import { faultsOf, isTree, type Field, type Tree } from "../../form/schema";
import { useHotConf } from "../../form/useHotConf";

interface Props {
  opened: boolean;
  onClose: () => void;
  used: string[];
}

const kTypes = ["file", "built_in_database", "http", "mysql", "postgresql", "mongodb", "redis", "ldap"];

/** The keys of a source other than its type. */
export function sourceFields(authorization: Field[] | undefined, type: string | null): Field[] | undefined {
  return authorization?.find(({ name }) => name === type)?.fields?.filter(({ name }) => name !== "type");
}

/** Of a file source: its rules; of others: the form of the schema, or JSON where the schema does not know the type. */
export function SourceInput({ type, fields, tree, onChange, readOnly, faults }: {
  type: string;
  fields: Field[] | undefined;
  tree: Tree;
  onChange: (tree: Tree) => void;
  readOnly?: boolean;
  faults?: ReturnType<typeof faultsOf>;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => JSON.stringify(tree, null, 2));
  if (type === "file")
    return (
      <Textarea
        label={t("authz.rules")}
        description={t("authz.rulesHint")}
        autosize
        minRows={8}
        maxRows={24}
        disabled={readOnly}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        value={typeof tree.rules === "string" ? tree.rules : ""}
        onChange={(event) => onChange({ ...tree, rules: event.currentTarget.value })}
      />
    );
  if (fields) return <SchemaForm fields={fields} tree={tree} onChange={onChange} faults={faults} readOnly={readOnly} />;
  if (type === "built_in_database") return null;
  return (
    <JsonInput
      label={t("chain.settings")}
      autosize
      minRows={6}
      maxRows={24}
      disabled={readOnly}
      validationError={t("form.notJson")}
      value={text}
      onChange={(next) => {
        setText(next);
        try {
          const parsed: unknown = JSON.parse(next);
          if (isTree(parsed)) onChange(parsed);
        } catch {
          // Half-typed JSON: what was whole before stays, and the field says so.
        }
      }}
    />
  );
}

export function AddSource({ opened, onClose, used }: Props) {
  const { t } = useTranslation();
  const schema = useHotConf();
  const [type, setType] = useState<string | null>(null);
  const [tree, setTree] = useState<Tree>({});
  const [tried, setTried] = useState(false);
  const close = () => {
    setType(null);
    setTree({});
    setTried(false);
    create.reset();
    onClose();
  };
  const create = useChange<Tree>({
    run: (body) => take(api.POST("/api/v5/authorization/sources", { body: body as never })),
    done: t("authz.added"),
    renews: [["authorization"]],
    after: close,
  });
  return (
    <Modal opened={opened} onClose={close} title={t("authz.add")} size="lg">
      <Loaded query={schema}>
        {({ authorization }) => {
          const fields = sourceFields(authorization, type);
          const faults = faultsOf(fields ?? [], tree);
          return (
            <form
              noValidate
              onSubmit={(event) => {
                event.preventDefault();
                setTried(true);
                if (type && Object.keys(faults).length === 0) create.mutate({ type, ...tree });
              }}
            >
              <Stack>
                <Select
                  label={t("authz.source")}
                  data-autofocus
                  data={(authorization?.map(({ name }) => name) ?? kTypes).map((value) => ({
                    value,
                    label: t(`source.${value}`, { defaultValue: value }),
                    disabled: used.includes(value),
                  }))}
                  value={type}
                  onChange={(next) => {
                    setType(next);
                    setTree({});
                    setTried(false);
                  }}
                />
                {type && (
                  <SourceInput
                    key={type}
                    type={type}
                    fields={fields}
                    tree={tree}
                    onChange={setTree}
                    faults={tried ? faults : {}}
                  />
                )}
                {create.error instanceof Error && (
                  <Alert color="red" variant="light" role="alert">
                    {create.error.message}
                  </Alert>
                )}
                <Group justify="flex-end">
                  <Button variant="default" onClick={close}>
                    {t("common.cancel")}
                  </Button>
                  <Button type="submit" disabled={!type} loading={create.isPending}>
                    {t("common.add")}
                  </Button>
                </Group>
              </Stack>
            </form>
          );
        }}
      </Loaded>
    </Modal>
  );
}
