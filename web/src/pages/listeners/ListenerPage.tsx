import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import { PageHeader } from "../../components/PageHeader";
import { EmptyState, Loaded } from "../../components/States";
import type { Field, Tree } from "../../form/schema";
import { TreeEditor } from "../../form/TreeEditor";
import { useHotConf } from "../../form/useHotConf";

/** Keys of listeners of one type: `listeners.<type>.<name>`. */
function listenerFields(roots: Field[], type: string): Field[] | undefined {
  const listeners = roots.find(({ name }) => name === "listeners");
  const kind = listeners?.fields?.find(({ name }) => name === type);
  return kind?.fields?.filter(({ name }) => name !== "authentication" && name !== "enable");
}

export function ListenerPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const schema = useHotConf();
  const query = useQuery({
    queryKey: ["listeners", id],
    queryFn: () => take<Tree>(api.GET("/api/v5/listeners/{id}", { params: { path: { id } } })),
  });
  return (
    <>
      <PageHeader title={id} parent={{ title: t("nav.listeners"), path: "/listeners" }} hint={t("listeners.hint")} />
      <Loaded query={schema}>
        {({ roots }) => {
          const fields = listenerFields(roots, id.split(":")[0] ?? "");
          if (!fields) return <EmptyState title={t("configuration.noSchema")} />;
          const names = new Set(fields.map(({ name }) => name));
          return (
            <Loaded query={query}>
              {(listener) => (
                <TreeEditor
                  fields={fields}
                  stored={Object.fromEntries(Object.entries(listener).filter(([name]) => names.has(name)))}
                  save={(tree) => take(api.PUT("/api/v5/listeners/{id}", { params: { path: { id } }, body: tree as never }))}
                  onSaved={() => void query.refetch()}
                />
              )}
            </Loaded>
          );
        }}
      </Loaded>
    </>
  );
}
