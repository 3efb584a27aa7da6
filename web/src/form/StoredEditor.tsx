// Reads one object of the API and edits it over what was read.
import type { QueryKey } from "@tanstack/react-query";
import type { ReactNode } from "react";

import type { Stored } from "../api/stored";
import { Loaded } from "../components/States";
import type { FormProps } from "./SchemaForm";
import type { Field, Tree } from "./schema";
import { TreeEditor } from "./TreeEditor";
import { useStored } from "./useStored";

interface Props {
  queryKey: QueryKey;
  stored: Stored<Tree>;
  fields: (tree: Tree) => Field[];
  /** Where the form of the schema does not do. */
  render?: (form: FormProps) => ReactNode;
}

export function StoredEditor({ queryKey, stored, fields, render }: Props) {
  const { query, ...editing } = useStored(queryKey, stored);
  return (
    <Loaded query={query}>
      {(tree) => <TreeEditor fields={fields(tree)} stored={tree} {...editing} render={render} />}
    </Loaded>
  );
}
