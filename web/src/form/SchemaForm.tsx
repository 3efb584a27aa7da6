// A form made from the schema. It holds no state: the tree comes in, changes go out.
import { Accordion, SimpleGrid, Stack } from "@mantine/core";
import { createContext, useContext } from "react";

import { ScalarInput } from "./ScalarInput";
import { ListInput, TreeInput } from "./CompoundInput";
import { PairsInput } from "./PairsInput";
import { MapInput, RowsInput } from "./RowsInput";
import { getAt, offered, setAt, type Fault, type Field, type Tree } from "./schema";
import { useFieldTexts } from "./useFieldTexts";

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
    faults: form.faults,
    readOnly: form.readOnly,
  };
}

function FieldInput({ field, path }: { field: Field; path: string[] }) {
  switch (field.shape) {
    case "scalar":
      return <ScalarInput field={field} path={path} />;
    case "list":
      return field.fields ? <RowsInput field={field} path={path} /> : <ListInput field={field} path={path} />;
    case "map":
      if (field.fields) return <MapInput field={field} path={path} />;
      return field.type === "map of string" ? (
        <PairsInput field={field} path={path} />
      ) : (
        <TreeInput field={field} path={path} />
      );
    default:
      return <TreeInput field={field} path={path} />;
  }
}

function Fields({ fields, path, dense }: { fields: Field[]; path: string[]; dense: boolean }) {
  const { label } = useFieldTexts();
  const shown = offered(fields);
  const flat = shown.filter((field) => field.shape !== "object" || !field.fields);
  const nested = shown.filter((field) => field.shape === "object" && field.fields);
  return (
    <Stack>
      <SimpleGrid cols={dense ? { base: 1, xs: 2 } : 1} spacing="md" verticalSpacing="md">
        {flat.map((field) => (
          <FieldInput key={field.name} field={field} path={[...path, field.name]} />
        ))}
      </SimpleGrid>
      {nested.length > 0 && (
        <Accordion variant="contained" multiple chevronPosition="left">
          {nested.map((field) => (
            <Accordion.Item key={field.name} value={field.name}>
              <Accordion.Control>{label(field)}</Accordion.Control>
              <Accordion.Panel>
                <Fields fields={field.fields ?? []} path={[...path, field.name]} dense={dense} />
              </Accordion.Panel>
            </Accordion.Item>
          ))}
        </Accordion>
      )}
    </Stack>
  );
}

export interface FormProps {
  fields: Field[];
  tree: Tree;
  onChange: (tree: Tree) => void;
  faults?: Record<string, Fault>;
  readOnly?: boolean;
  /** Two fields a line: in an entry of a list. */
  dense?: boolean;
}

export function SchemaForm({ fields, tree, onChange, faults = {}, readOnly = false, dense = false }: FormProps) {
  return (
    <Context.Provider value={{ tree, change: onChange, faults, readOnly }}>
      <Fields fields={fields} path={[]} dense={dense} />
    </Context.Provider>
  );
}
