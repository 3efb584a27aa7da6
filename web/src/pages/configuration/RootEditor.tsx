import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { EmptyState, Loaded } from "../../components/States";
import type { Field, Tree } from "../../form/schema";
import { TreeEditor } from "../../form/TreeEditor";
import { useHotConf } from "../../form/useHotConf";
import { read, write, type Section } from "./sections";

/** The endpoint decides which keys there are; the schema says what they mean. */
export const fieldsOf = (fields: Field[], tree: Tree): Field[] => fields.filter(({ name }) => name in tree);

export function RootEditor({ section }: { section: Section }) {
  const { t } = useTranslation();
  const schema = useHotConf();
  const stored = useQuery({ queryKey: ["config", section.key], queryFn: () => read(section) });
  return (
    <Loaded query={schema}>
      {({ roots }) => {
        const root = roots.find(({ name }) => name === section.root);
        if (!root?.fields) return <EmptyState title={t("configuration.noSchema")} />;
        const known = section.list ? [root] : root.fields;
        return (
          <Loaded query={stored}>
            {(tree) => (
              <TreeEditor
                fields={fieldsOf(known, tree)}
                stored={tree}
                save={(changed, base) => write(section, changed, base)}
                onSaved={() => void stored.refetch()}
              />
            )}
          </Loaded>
        );
      }}
    </Loaded>
  );
}
