import { Button, Group, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { useChange } from "../../components/actions";
import { EmptyState, Loaded } from "../../components/States";
import type { Tree } from "../../form/schema";
import { TreeEditor } from "../../form/TreeEditor";
import { useHotConf } from "../../form/useHotConf";
import { useCanWrite } from "../../session/session";
import { fieldsOf } from "../configuration/RootEditor";

export function AuthorizationSettings() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const schema = useHotConf();
  const query = useQuery({
    queryKey: ["authorization", "settings"],
    queryFn: () => take<Tree>(api.GET("/api/v5/authorization/settings")),
  });
  const clear = useChange({
    run: () => take(api.DELETE("/api/v5/authorization/cache")),
    done: t("authz.cacheCleared"),
    renews: [],
  });
  return (
    <Stack>
      <Loaded query={schema}>
        {({ roots }) => {
          const root = roots.find(({ name }) => name === "authorization");
          if (!root?.fields) return <EmptyState title={t("configuration.noSchema")} />;
          return (
            <Loaded query={query}>
              {(tree) => (
                <TreeEditor
                  fields={fieldsOf(root.fields ?? [], tree)}
                  stored={tree}
                  save={(body) => take(api.PUT("/api/v5/authorization/settings", { body: body as never }))}
                  onSaved={() => void query.refetch()}
                />
              )}
            </Loaded>
          );
        }}
      </Loaded>
      {canWrite && (
        <Group>
          <Button variant="default" onClick={() => clear.mutate()}>
            {t("authz.clearAllCaches")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
