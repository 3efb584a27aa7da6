import { Card, Group, SegmentedControl, SimpleGrid, Stack, Text, ThemeIcon } from "@mantine/core";
import {
  IconArrowDownRight,
  IconArrowUpRight,
  IconDevices,
  IconDropletOff,
  IconHierarchy2,
  IconRss,
} from "@tabler/icons-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useCurrent, useHistory } from "../../api/live";
import type { Current } from "../../api/types";
import { PageHeader } from "../../components/PageHeader";
import { ErrorState, Loaded, Loading } from "../../components/States";
import { formatCount } from "../../lib/numbers";
import { NodeList } from "./NodeList";

const Charts = lazy(() => import("./Charts"));

const kRanges = { "1h": 3600, "6h": 6 * 3600, "1d": 86400, "7d": 7 * 86400 };

function Figure({ label, value, note, icon, color }: {
  label: string;
  value: ReactNode;
  note?: string;
  icon: ReactNode;
  color: string;
}) {
  return (
    <Card withBorder padding="md" component="section" aria-label={label}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap={0}>
          <Text size="sm" c="dimmed">
            {label}
          </Text>
          <Text fz={26} fw={650} style={{ fontVariantNumeric: "tabular-nums" }}>
            {value}
          </Text>
          <Text size="xs" c="dimmed">
            {note ?? "\u00a0"}
          </Text>
        </Stack>
        <ThemeIcon variant="light" color={color} size={34} aria-hidden>
          {icon}
        </ThemeIcon>
      </Group>
    </Card>
  );
}

function Figures({ current }: { current: Current }) {
  const { t } = useTranslation();
  const perSecond = t("overview.perSecond");
  const size = { size: 19 };
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 6 }}>
      <Figure
        label={t("overview.connections")}
        value={formatCount(current.live_connections)}
        note={t("overview.sessions", { total: formatCount(current.connections) })}
        icon={<IconDevices {...size} />}
        color="signal"
      />
      <Figure
        label={t("overview.received")}
        value={formatCount(current.received_msg_rate)}
        note={perSecond}
        icon={<IconArrowDownRight {...size} />}
        color="blue"
      />
      <Figure
        label={t("overview.sent")}
        value={formatCount(current.sent_msg_rate)}
        note={perSecond}
        icon={<IconArrowUpRight {...size} />}
        color="grape"
      />
      <Figure
        label={t("overview.dropped")}
        value={formatCount(current.dropped_msg_rate)}
        note={perSecond}
        icon={<IconDropletOff {...size} />}
        color="orange"
      />
      <Figure
        label={t("overview.subscriptions")}
        value={formatCount(current.subscriptions)}
        icon={<IconRss {...size} />}
        color="cyan"
      />
      <Figure
        label={t("overview.topics")}
        value={formatCount(current.topics)}
        icon={<IconHierarchy2 {...size} />}
        color="indigo"
      />
    </SimpleGrid>
  );
}

export function OverviewPage() {
  const { t } = useTranslation();
  const [range, setRange] = useState<keyof typeof kRanges>("1h");
  const current = useCurrent();
  const history = useHistory(kRanges[range]);
  return (
    <>
      <PageHeader title={t("nav.overview")} />
      <Stack gap="lg">
        <Loaded query={current}>{(figures) => <Figures current={figures} />}</Loaded>
        {current.data && current.error && <ErrorState error={current.error} />}
        <Stack gap="sm">
          <Group justify="flex-end">
            <SegmentedControl
              size="xs"
              aria-label={t("overview.range")}
              value={range}
              onChange={(value) => setRange(value as keyof typeof kRanges)}
              data={Object.keys(kRanges).map((value) => ({ value, label: t(`overview.ranges.${value}`) }))}
            />
          </Group>
          <Loaded query={history}>
            {(samples) => (
              <Suspense fallback={<Loading />}>
                <Charts samples={samples} />
              </Suspense>
            )}
          </Loaded>
        </Stack>
        <NodeList />
      </Stack>
    </>
  );
}
