import { Alert, Badge, Button, Card, Code, Group, Progress, SimpleGrid, Stack, Text, Textarea, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Trans, useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import { useCurrent } from "../../api/live";
import type { License } from "../../api/types";
import { useChange, useConfirm } from "../../components/actions";
import { Facts } from "../../components/Facts";
import { PageHeader } from "../../components/PageHeader";
import { Loaded } from "../../components/States";
import { formatCount, formatLimit } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";
import { LicenseMarks } from "./LicenseMarks";

function Usage({ license }: { license: License }) {
  const { t } = useTranslation();
  const live = useCurrent().data?.live_connections ?? 0;
  const most = license.max_connections;
  const share = typeof most === "number" && most > 0 ? Math.min(100, (100 * live) / most) : 0;
  return (
    <Card withBorder>
      <Group justify="space-between">
        <Title order={2} size="h5">
          {t("license.usage")}
        </Title>
        <Text fw={600}>
          {formatCount(live)} / {formatLimit(most)}
        </Text>
      </Group>
      <Progress
        mt="sm"
        size="lg"
        value={share}
        color={share >= 80 ? "red" : share >= 60 ? "yellow" : "signal"}
        aria-label={t("license.usage")}
      />
    </Card>
  );
}

function KeyForm() {
  const { t } = useTranslation();
  const confirm = useConfirm();
  const [key, setKey] = useState("");
  const renews = [["license"]];
  const update = useChange<string>({
    run: (value) => take(api.POST("/api/v5/license", { body: { key: value } })),
    done: t("license.updated"),
    renews,
    after: () => setKey(""),
  });
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="xs">
        {t("license.change")}
      </Title>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          update.mutate(key.trim());
        }}
      >
        <Stack>
          <Text size="sm">
            <Trans i18nKey="license.howTo" components={{ key: <Code /> }} />
          </Text>
          <Textarea
            label={t("license.key")}
            autosize
            minRows={3}
            maxRows={10}
            classNames={{ input: "mono" }}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
          />
          {update.error instanceof Error && (
            <Alert color="red" variant="light" role="alert">
              {update.error.message}
            </Alert>
          )}
          <Group justify="space-between">
            <Button
              variant="default"
              onClick={() =>
                confirm({
                  title: t("license.resetTitle"),
                  text: t("license.resetText"),
                  button: t("license.reset"),
                  run: () => update.mutate("default"),
                })
              }
            >
              {t("license.reset")}
            </Button>
            <Button type="submit" disabled={key.trim() === ""} loading={update.isPending}>
              {t("license.update")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

export function LicensePage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const query = useQuery({ queryKey: ["license"], queryFn: () => take<License>(api.GET("/api/v5/license")) });
  return (
    <>
      <PageHeader title={t("nav.license")} refresh={() => void query.refetch()} />
      <Stack>
        <Loaded query={query}>
          {(license) => (
            <>
              <Usage license={license} />
              <Facts
                facts={[
                  [t("license.type"), <Badge variant="light">{t(`license.types.${license.type}`, { defaultValue: license.type })}</Badge>],
                  [t("license.customer"), license.customer],
                  [t("license.email"), license.email],
                  [t("license.deployment"), license.deployment],
                  [t("license.issued"), license.start_at],
                  [
                    t("license.expires"),
                    license.expiry ? <Badge color="red">{`${license.expiry_at} · ${t("apiKeys.expired")}`}</Badge> : license.expiry_at,
                  ],
                ]}
              />
            </>
          )}
        </Loaded>
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          {canWrite && <KeyForm />}
          <LicenseMarks />
        </SimpleGrid>
      </Stack>
    </>
  );
}
