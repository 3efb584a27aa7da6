import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api } from "../../api/client";
import type { Stored } from "../../api/stored";
import { PageHeader } from "../../components/PageHeader";
import { EmptyState, Loaded } from "../../components/States";
import type { Field, Tree } from "../../form/schema";
import { StoredEditor } from "../../form/StoredEditor";
import { useHotConf } from "../../form/useHotConf";

/** Keys of listeners of one type: `listeners.<type>.<name>`. */
function listenerFields(roots: Field[], type: string): Field[] | undefined {
  const listeners = roots.find(({ name }) => name === "listeners");
  const kind = listeners?.fields?.find(({ name }) => name === type);
  return kind?.fields?.filter(({ name }) => name !== "authentication" && name !== "enable");
}

/** Of what is known of a listener, the settings. */
function storedListener(id: string, fields: Field[]): Stored<Tree> {
  const names = new Set(fields.map(({ name }) => name));
  const params = { path: { id } };
  return {
    get: () => api.GET("/api/v5/listeners/{id}", { params }),
    show: (answer) => Object.fromEntries(Object.entries(answer as Tree).filter(([name]) => names.has(name))),
    put: (tree, headers) => api.PUT("/api/v5/listeners/{id}", { params, body: tree as never, headers }),
  };
}

export function ListenerPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const schema = useHotConf();
  return (
    <>
      <PageHeader title={id} parent={{ title: t("nav.listeners"), path: "/listeners" }} hint={t("listeners.hint")} />
      <Loaded query={schema}>
        {({ roots }) => {
          const fields = listenerFields(roots, id.split(":")[0] ?? "");
          if (!fields) return <EmptyState title={t("configuration.noSchema")} />;
          return (
            <StoredEditor key={id} queryKey={["listeners", id]} stored={storedListener(id, fields)} fields={() => fields} />
          );
        }}
      </Loaded>
    </>
  );
}
