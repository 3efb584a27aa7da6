import { Button, Group, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Stored } from "../../api/stored";
import { useChange } from "../../components/actions";
import { EmptyState, Loaded } from "../../components/States";
import type { Tree } from "../../form/schema";
import { StoredEditor } from "../../form/StoredEditor";
import { useHotConf } from "../../form/useHotConf";
import { useCanWrite } from "../../session/session";
import { fieldsOf } from "../configuration/RootEditor";

const kPath = "/api/v5/authorization/settings";
const kSettings: Stored<Tree> = {
  get: () => api.GET(kPath),
  show: (answer) => answer as Tree,
  put: (tree, headers) => api.PUT(kPath, { body: tree as never, headers }),
};

export function AuthorizationSettings() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const schema = useHotConf();
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
          const known = root.fields;
          return (
            <StoredEditor
              queryKey={["authorization", "settings"]}
              stored={kSettings}
              fields={(tree) => fieldsOf(known, tree)}
            />
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
