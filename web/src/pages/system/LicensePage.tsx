import { Alert, Badge, Button, Card, Code, Group, NumberInput, Progress, SimpleGrid, Stack, Text, Textarea, Title } from "@mantine/core";
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
import { formatCount } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";

function Usage({ license }: { license: License }) {
  const { t } = useTranslation();
  const live = useCurrent().data?.live_connections ?? 0;
  const share = license.max_connections > 0 ? Math.min(100, (100 * live) / license.max_connections) : 0;
  return (
    <Card withBorder>
      <Group justify="space-between">
        <Title order={2} size="h5">
          {t("license.usage")}
        </Title>
        <Text fw={600}>
          {formatCount(live)} / {formatCount(license.max_connections)}
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

interface Marks {
  connection_low_watermark: string;
  connection_high_watermark: string;
}

const percent = (text: string) => Number.parseFloat(text) || 0;

function MarksForm({ marks }: { marks: Marks }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [low, setLow] = useState<string | number>(percent(marks.connection_low_watermark));
  const [high, setHigh] = useState<string | number>(percent(marks.connection_high_watermark));
  const save = useChange<Marks>({
    run: (body) => take(api.PUT("/api/v5/license/setting", { body: { ...body } })),
    done: t("form.saved"),
    renews: [["license", "setting"]],
  });
  const common = { suffix: "%", min: 1, max: 100, disabled: !canWrite };
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="xs">
        {t("license.marks")}
      </Title>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ connection_low_watermark: `${low}%`, connection_high_watermark: `${high}%` });
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">
            {t("license.marksHint")}
          </Text>
          <Group grow>
            <NumberInput label={t("license.low")} {...common} value={low} onChange={setLow} />
            <NumberInput
              label={t("license.high")}
              {...common}
              value={high}
              onChange={setHigh}
              error={Number(low) < Number(high) ? undefined : t("license.order")}
            />
          </Group>
          {canWrite && (
            <Group justify="flex-end">
              <Button type="submit" disabled={Number(low) >= Number(high)} loading={save.isPending}>
                {t("common.save")}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Card>
  );
}

export function LicensePage() {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const query = useQuery({ queryKey: ["license"], queryFn: () => take<License>(api.GET("/api/v5/license")) });
  const setting = useQuery({
    queryKey: ["license", "setting"],
    queryFn: () => take<Marks>(api.GET("/api/v5/license/setting")),
  });
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
          <Loaded query={setting}>{(marks) => <MarksForm marks={marks} />}</Loaded>
        </SimpleGrid>
      </Stack>
    </>
  );
}
