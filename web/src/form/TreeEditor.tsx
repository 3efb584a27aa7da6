// The form of one stored object: edit, see what is wrong, save, or go back to what is stored.
import { Button, Card, Group, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useCanWrite } from "../session/session";
import { SaveError } from "./SaveError";
import { SchemaForm, type FormProps } from "./SchemaForm";
import { faultsOf, type Field, type Tree } from "./schema";
import { useEditor, type Editable } from "./useEditor";

interface Props extends Editable<Tree> {
  fields: Field[];
  /** Where the form of the schema does not do. */
  render?: (form: FormProps) => ReactNode;
}

export function TreeEditor({ fields, render, ...editable }: Props) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const editor = useEditor(editable);
  const faults = faultsOf(fields, editor.value);
  const wrong = Object.keys(faults).length > 0;
  const form: FormProps = { fields, tree: editor.value, onChange: editor.set, faults, readOnly: !canWrite };
  return (
    <Card withBorder maw={760}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) editor.save();
        }}
      >
        <Stack>
          {render ? render(form) : <SchemaForm {...form} />}
          <SaveError {...editor} />
          {canWrite && (
            <Group justify="flex-end">
              <Button variant="default" disabled={!editor.dirty} onClick={editor.undo}>
                {t("form.undo")}
              </Button>
              <Button type="submit" disabled={!editor.dirty || wrong} loading={editor.saving}>
                {t("common.save")}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Card>
  );
}
