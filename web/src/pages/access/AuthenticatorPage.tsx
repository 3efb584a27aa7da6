import { Stack, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { Authenticator, ChainStatus } from "../../api/types";
import { Facts } from "../../components/Facts";
import { PageHeader } from "../../components/PageHeader";
import { Loaded } from "../../components/States";
import type { Tree } from "../../form/schema";
import { TreeEditor } from "../../form/TreeEditor";
import { useHotConf } from "../../form/useHotConf";
import { formatCount } from "../../lib/numbers";
import { AuthUsers } from "./AuthUsers";
import { mechanismName, partsOf, settingsOf } from "./chain";
import { ChainStatusBadge } from "./ChainStatusBadge";

/** Without what names it. */
const ownSettings = (authenticator: Authenticator): Tree =>
  Object.fromEntries(Object.entries(authenticator).filter(([key]) => !["id", "mechanism", "backend"].includes(key)));

function Settings({ id }: { id: string }) {
  const schema = useHotConf();
  const query = useQuery({
    queryKey: ["authentication", id],
    queryFn: () => take<Authenticator>(api.GET("/api/v5/authentication/{id}", { params: { path: { id } } })),
  });
  return (
    <Loaded query={schema}>
      {({ authentication = [] }) => (
        <Loaded query={query}>
          {(authenticator) => (
            <TreeEditor
              fields={settingsOf(authentication.find(({ name }) => name === id)?.fields)}
              stored={ownSettings(authenticator)}
              save={(tree) =>
                take(
                  api.PUT("/api/v5/authentication/{id}", {
                    params: { path: { id } },
                    body: { ...partsOf(id), ...tree } as never,
                  }),
                )
              }
              onSaved={() => void query.refetch()}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

function Status({ id }: { id: string }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ["authentication", id, "status"],
    queryFn: () => take<ChainStatus>(api.GET("/api/v5/authentication/{id}/status", { params: { path: { id } } })),
    refetchInterval: 5_000,
  });
  return (
    <Loaded query={query}>
      {({ status, metrics, node_error }) => (
        <Stack>
          <Facts
            facts={[
              [t("common.status"), <ChainStatusBadge status={status} />],
              ...Object.entries(metrics).map(([name, value]): [string, string] => [
                t(`chain.metric.${name}`, { defaultValue: name }),
                formatCount(value),
              ]),
              ...(node_error ?? []).map(({ node, reason }): [string, string] => [node, reason]),
            ]}
          />
        </Stack>
      )}
    </Loaded>
  );
}

export function AuthenticatorPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const hasUsers = id.endsWith(":built_in_database");
  return (
    <>
      <PageHeader title={mechanismName(t, id)} parent={{ title: t("nav.authentication"), path: "/authentication" }} />
      <Tabs key={id} defaultValue={hasUsers ? "users" : "settings"} keepMounted={false}>
        <Tabs.List mb="md">
          {hasUsers && <Tabs.Tab value="users">{t("authn.users")}</Tabs.Tab>}
          <Tabs.Tab value="settings">{t("chain.settings")}</Tabs.Tab>
          <Tabs.Tab value="status">{t("common.status")}</Tabs.Tab>
        </Tabs.List>
        {hasUsers && (
          <Tabs.Panel value="users">
            <AuthUsers id={id} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="settings">
          <Settings id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="status">
          <Status id={id} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
