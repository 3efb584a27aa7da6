import { useTranslation } from "react-i18next";

import { EmptyState, Loaded } from "../../components/States";
import type { Field, Tree } from "../../form/schema";
import { StoredEditor } from "../../form/StoredEditor";
import { useHotConf } from "../../form/useHotConf";
import type { Section } from "./sections";

/** The endpoint decides which keys there are; the schema says what they mean. */
export const fieldsOf = (fields: Field[], tree: Tree): Field[] => fields.filter(({ name }) => name in tree);

export function RootEditor({ section }: { section: Section }) {
  const { t } = useTranslation();
  const schema = useHotConf();
  return (
    <Loaded query={schema}>
      {({ roots }) => {
        const root = roots.find(({ name }) => name === section.root);
        if (!root?.fields) return <EmptyState title={t("configuration.noSchema")} />;
        const known = section.list ? [root] : root.fields;
        return (
          <StoredEditor
            queryKey={["config", section.key]}
            stored={section.stored}
            fields={(tree) => fieldsOf(known, tree)}
          />
        );
      }}
    </Loaded>
  );
}
