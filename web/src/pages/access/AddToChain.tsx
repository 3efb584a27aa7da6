// The dialog that adds one to a chain: an authenticator, or a source of authorization. Kind first, then its settings.
import { Alert, Button, Group, Modal, Select, Stack } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useChange } from "../../components/actions";
import { Loaded } from "../../components/States";
import { SchemaForm, type FormProps } from "../../form/SchemaForm";
import { faultsOf, type Field, type HotConf, type Tree } from "../../form/schema";
import { useHotConf } from "../../form/useHotConf";

export interface Kind {
  id: string;
  label: string;
  fields: Field[];
}

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  label: string;
  kinds: (schema: HotConf) => Kind[];
  /** Ids that the chain holds: each at most once. */
  used: string[];
  send: (id: string, settings: Tree) => Promise<unknown>;
  done: string;
  renews: string;
  /** Where the form of the schema does not do. */
  render?: (id: string, form: FormProps) => ReactNode;
}

export function AddToChain({ opened, onClose, title, label, kinds, used, send, done, renews, render }: Props) {
  const { t } = useTranslation();
  const schema = useHotConf();
  const [id, setId] = useState<string | null>(null);
  const [tree, setTree] = useState<Tree>({});
  const [tried, setTried] = useState(false);
  const choose = (next: string | null) => {
    setId(next);
    setTree({});
    setTried(false);
  };
  const create = useChange<{ id: string; settings: Tree }>({
    run: ({ id: kind, settings }) => send(kind, settings),
    done,
    renews: [[renews]],
    after: () => close(),
  });
  const close = () => {
    choose(null);
    create.reset();
    onClose();
  };
  const content = (all: Kind[]) => {
    const fields = all.find((kind) => kind.id === id)?.fields ?? [];
    const faults = faultsOf(fields, tree);
    const form: FormProps = { fields, tree, onChange: setTree, faults: tried ? faults : {} };
    return (
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (id && Object.keys(faults).length === 0) create.mutate({ id, settings: tree });
        }}
      >
        <Stack>
          <Select
            label={label}
            data-autofocus
            data={all.map((kind) => ({ value: kind.id, label: kind.label, disabled: used.includes(kind.id) }))}
            value={id}
            onChange={choose}
          />
          {id && <div key={id}>{render ? render(id, form) : <SchemaForm {...form} />}</div>}
          {create.error instanceof Error && (
            <Alert color="red" variant="light" role="alert">
              {create.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" disabled={!id} loading={create.isPending}>
              {t("common.add")}
            </Button>
          </Group>
        </Stack>
      </form>
    );
  };
  return (
    <Modal opened={opened} onClose={close} title={title} size="lg">
      <Loaded query={schema}>{(known) => content(kinds(known))}</Loaded>
    </Modal>
  );
}
