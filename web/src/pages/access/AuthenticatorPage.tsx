import { Stack, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { ChainStatus } from "../../api/types";
import { Facts } from "../../components/Facts";
import { PageHeader } from "../../components/PageHeader";
import { PageTabs } from "../../components/PageTabs";
import { Loaded } from "../../components/States";
import { StoredEditor } from "../../form/StoredEditor";
import { useHotConf } from "../../form/useHotConf";
import { formatCount } from "../../lib/numbers";
import { AuthUsers } from "./AuthUsers";
import { mechanismName, settingsOf, storedAuthenticator } from "./chain";
import { ChainStatusBadge } from "./ChainStatusBadge";

function Settings({ id }: { id: string }) {
  const schema = useHotConf();
  return (
    <Loaded query={schema}>
      {({ authentication = [] }) => (
        <StoredEditor
          queryKey={["authentication", id]}
          stored={storedAuthenticator(id)}
          fields={() => settingsOf(authentication.find(({ name }) => name === id)?.fields)}
        />
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
      <PageTabs key={id} first={hasUsers ? "users" : "settings"}>
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
      </PageTabs>
    </>
  );
}
