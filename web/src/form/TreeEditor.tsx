// The form of one stored object: edit, see what is wrong, save, or go back to what is stored.
import { Alert, Button, Card, Group, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { notifications } from "@mantine/notifications";

import { ApiError } from "../api/errors";
import { useCanWrite } from "../session/session";
import { SchemaForm, type FormProps } from "./SchemaForm";
import { faultsOf, type Field, type Tree } from "./schema";

interface Props {
  fields: Field[];
  stored: Tree;
  /** `base`: what was stored when the editing began. */
  save: (tree: Tree, base: Tree) => Promise<unknown>;
  onSaved: () => void;
  /** Where the form of the schema does not do. */
  render?: (form: FormProps) => ReactNode;
}

const changedMeanwhile = (error: unknown) => error instanceof ApiError && error.status === 412;

export function TreeEditor({ fields, stored, save, onSaved, render }: Props) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [tree, setTree] = useState(stored);
  // What others saved shows up, unless something is being edited here.
  const [base, setBase] = useState(stored);
  const dirty = JSON.stringify(tree) !== JSON.stringify(base);
  const seen = useRef(stored);
  useEffect(() => {
    if (JSON.stringify(seen.current) === JSON.stringify(stored)) return;
    seen.current = stored;
    if (dirty) return;
    setTree(stored);
    setBase(stored);
  }, [stored, dirty]);

  const saving = useMutation({
    mutationFn: (changed: Tree) => save(changed, base),
    // Somebody else's change is there to be loaded.
    onError: (error) => changedMeanwhile(error) && onSaved(),
    onSuccess: (_answer, saved) => {
      setBase(saved);
      notifications.show({ color: "green", message: t("form.saved") });
      onSaved();
    },
  });
  const faults = faultsOf(fields, tree);
  const form: FormProps = { fields, tree, onChange: setTree, faults, readOnly: !canWrite };
  return (
    <Card withBorder maw={760}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (Object.keys(faults).length === 0) saving.mutate(tree);
        }}
      >
        <Stack>
          {render ? render(form) : <SchemaForm {...form} />}
          {changedMeanwhile(saving.error) && (
            <Alert color="yellow" variant="light" role="alert">
              <Group justify="space-between">
                {t("form.changedMeanwhile")}
                <Button
                  variant="default"
                  size="xs"
                  disabled={JSON.stringify(stored) === JSON.stringify(base)}
                  onClick={() => {
                    setTree(stored);
                    setBase(stored);
                    saving.reset();
                  }}
                >
                  {t("form.loadAnew")}
                </Button>
              </Group>
            </Alert>
          )}
          {saving.error && !changedMeanwhile(saving.error) && (
            <Alert color="red" variant="light" role="alert" style={{ whiteSpace: "pre-wrap" }}>
              {saving.error.message}
            </Alert>
          )}
          {canWrite && (
            <Group justify="flex-end">
              <Button variant="default" disabled={!dirty} onClick={() => setTree(base)}>
                {t("form.undo")}
              </Button>
              <Button type="submit" disabled={!dirty || Object.keys(faults).length > 0} loading={saving.isPending}>
                {t("common.save")}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Card>
  );
}
