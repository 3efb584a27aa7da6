import { Alert, Button, Card, Group, Stack, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { ChainStatus, Source } from "../../api/types";
import { useChange } from "../../components/actions";
import { Facts } from "../../components/Facts";
import { PageHeader } from "../../components/PageHeader";
import { Loaded } from "../../components/States";
import type { Tree } from "../../form/schema";
import { useHotConf } from "../../form/useHotConf";
import { formatCount } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";
import { AccessRules } from "./AccessRules";
import { sourceFields, SourceInput } from "./AddSource";
import { ChainStatusBadge } from "./AuthenticationPage";

function SettingsForm({ source }: { source: Source }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const schema = useHotConf();
  const { type, ...stored } = source;
  const [tree, setTree] = useState<Tree>(stored);
  const save = useChange<Tree>({
    run: (body) =>
      take(
        api.PUT("/api/v5/authorization/sources/{type}", {
          params: { path: { type } as never },
          body: { type, ...body } as never,
        }),
      ),
    done: t("form.saved"),
    renews: [["authorization"]],
  });
  return (
    <Card withBorder maw={760}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(tree);
        }}
      >
        <Stack>
          <Loaded query={schema}>
            {({ authorization }) => (
              <SourceInput
                type={type}
                fields={sourceFields(authorization, type)}
                tree={tree}
                onChange={setTree}
                readOnly={!canWrite}
              />
            )}
          </Loaded>
          {save.error instanceof Error && (
            <Alert color="red" variant="light" role="alert">
              {save.error.message}
            </Alert>
          )}
          {canWrite && (
            <Group justify="flex-end">
              <Button type="submit" loading={save.isPending}>
                {t("common.save")}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Card>
  );
}

function Settings({ type }: { type: string }) {
  const query = useQuery({
    queryKey: ["authorization", "source", type],
    queryFn: () => take<Source>(api.GET("/api/v5/authorization/sources/{type}", { params: { path: { type } as never } })),
  });
  return <Loaded query={query}>{(source) => <SettingsForm source={source} />}</Loaded>;
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
        title={t(`source.${type}`, { defaultValue: type })}
        parent={{ title: t("nav.authorization"), path: "/authorization" }}
      />
      <Tabs defaultValue={hasRules ? "rules" : "settings"} keepMounted={false}>
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
