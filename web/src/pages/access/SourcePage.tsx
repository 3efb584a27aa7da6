import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { ChainStatus, Source } from "../../api/types";
import { Facts } from "../../components/Facts";
import { PageHeader } from "../../components/PageHeader";
import { Loaded } from "../../components/States";
import type { Tree } from "../../form/schema";
import { TreeEditor } from "../../form/TreeEditor";
import { useHotConf } from "../../form/useHotConf";
import { formatCount } from "../../lib/numbers";
import { AccessRules } from "./AccessRules";
import { settingsOf, sourceName } from "./chain";
import { ChainStatusBadge } from "./ChainStatusBadge";
import { SourceInput } from "./SourceInput";

/** Without what names it. */
const ownSettings = (source: Source): Tree => Object.fromEntries(Object.entries(source).filter(([key]) => key !== "type"));

function Settings({ type }: { type: string }) {
  const schema = useHotConf();
  const query = useQuery({
    queryKey: ["authorization", "source", type],
    queryFn: () => take<Source>(api.GET("/api/v5/authorization/sources/{type}", { params: { path: { type } as never } })),
  });
  return (
    <Loaded query={schema}>
      {({ authorization = [] }) => (
        <Loaded query={query}>
          {(source) => (
            <TreeEditor
              fields={settingsOf(authorization.find(({ name }) => name === type)?.fields)}
              stored={ownSettings(source)}
              save={(tree) =>
                take(
                  api.PUT("/api/v5/authorization/sources/{type}", {
                    params: { path: { type } as never },
                    body: { type, ...tree } as never,
                  }),
                )
              }
              onSaved={() => void query.refetch()}
              render={(form) => <SourceInput type={type} form={form} />}
            />
          )}
        </Loaded>
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
      <Tabs key={type} defaultValue={hasRules ? "rules" : "settings"} keepMounted={false}>
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
      </Tabs>
    </>
  );
}
