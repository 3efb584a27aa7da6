// A form made from the schema. It holds no state: the tree comes in, changes go out.
import { Accordion, Stack } from "@mantine/core";
import { createContext, useContext } from "react";

import { ScalarInput } from "./ScalarInput";
import { ListInput, TreeInput } from "./CompoundInput";
import { getAt, offered, setAt, titleOf, type Fault, type Field, type Tree } from "./schema";

interface FormContext {
  tree: Tree;
  change: (tree: Tree) => void;
  faults: Record<string, Fault>;
  readOnly: boolean;
}

const Context = createContext<FormContext | null>(null);

export function useField(path: string[]) {
  const form = useContext(Context);
  if (!form) throw new Error("a field outside of a SchemaForm");
  return {
    value: getAt(form.tree, path),
    set: (value: unknown) => form.change(setAt(form.tree, path, value)),
    fault: form.faults[path.join(".")],
    readOnly: form.readOnly,
  };
}

function FieldInput({ field, path }: { field: Field; path: string[] }) {
  switch (field.shape) {
    case "scalar":
      return <ScalarInput field={field} path={path} />;
    case "list":
      return field.fields ? <TreeInput field={field} path={path} /> : <ListInput field={field} path={path} />;
    default:
      return <TreeInput field={field} path={path} />;
  }
}

function Fields({ fields, path }: { fields: Field[]; path: string[] }) {
  const shown = offered(fields);
  const flat = shown.filter((field) => field.shape !== "object" || !field.fields);
  const nested = shown.filter((field) => field.shape === "object" && field.fields);
  return (
    <Stack>
      {flat.map((field) => (
        <FieldInput key={field.name} field={field} path={[...path, field.name]} />
      ))}
      {nested.length > 0 && (
        <Accordion variant="contained" multiple chevronPosition="left">
          {nested.map((field) => (
            <Accordion.Item key={field.name} value={field.name}>
              <Accordion.Control>{titleOf(field.name)}</Accordion.Control>
              <Accordion.Panel>
                <Fields fields={field.fields ?? []} path={[...path, field.name]} />
              </Accordion.Panel>
            </Accordion.Item>
          ))}
        </Accordion>
      )}
    </Stack>
  );
}

interface Props {
  fields: Field[];
  tree: Tree;
  onChange: (tree: Tree) => void;
  faults?: Record<string, Fault>;
  readOnly?: boolean;
}

export function SchemaForm({ fields, tree, onChange, faults = {}, readOnly = false }: Props) {
  return (
    <Context.Provider value={{ tree, change: onChange, faults, readOnly }}>
      <Fields fields={fields} path={[]} />
    </Context.Provider>
  );
}
