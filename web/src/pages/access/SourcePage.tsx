import { Tabs } from "@mantine/core";
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
import { AccessRules } from "./AccessRules";
import { settingsOf, sourceName, storedSource } from "./chain";
import { ChainStatusBadge } from "./ChainStatusBadge";
import { SourceInput } from "./SourceInput";

function Settings({ type }: { type: string }) {
  const schema = useHotConf();
  return (
    <Loaded query={schema}>
      {({ authorization = [] }) => (
        <StoredEditor
          queryKey={["authorization", "source", type]}
          stored={storedSource(type)}
          fields={() => settingsOf(authorization.find(({ name }) => name === type)?.fields)}
          render={(form) => <SourceInput type={type} form={form} stored />}
        />
      )}
    </Loaded>
  );
}

function Status({ type }: { type: string }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ["authorization", type, "status"],
    queryFn: () =>
      take<ChainStatus>(api.GET("/api/v5/authorization/sources/{type}/status", { params: { path: { type } as never } })),
    refetchInterval: 5_000,
  });
  return (
    <Loaded query={query}>
      {({ status, metrics }) => (
        <Facts
          facts={[
            [t("common.status"), <ChainStatusBadge status={status} />],
            ...Object.entries(metrics).map(([name, value]): [string, string] => [
              t(`chain.metric.${name}`, { defaultValue: name }),
              formatCount(value),
            ]),
          ]}
        />
      )}
    </Loaded>
  );
}

export function SourcePage() {
  const { t } = useTranslation();
  const { type = "" } = useParams();
  const hasRules = type === "built_in_database";
  return (
    <>
      <PageHeader
        title={sourceName(t, type)}
        parent={{ title: t("nav.authorization"), path: "/authorization" }}
      />
      <PageTabs key={type} first={hasRules ? "rules" : "settings"}>
        <Tabs.List mb="md">
          {hasRules && <Tabs.Tab value="rules">{t("authz.permissions")}</Tabs.Tab>}
          {!hasRules && <Tabs.Tab value="settings">{t("chain.settings")}</Tabs.Tab>}
          <Tabs.Tab value="status">{t("common.status")}</Tabs.Tab>
        </Tabs.List>
        {hasRules && (
          <Tabs.Panel value="rules">
            <AccessRules />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="settings">
          <Settings type={type} />
        </Tabs.Panel>
        <Tabs.Panel value="status">
          <Status type={type} />
        </Tabs.Panel>
      </PageTabs>
    </>
  );
}
