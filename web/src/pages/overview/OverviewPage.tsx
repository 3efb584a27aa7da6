import { Box, Card, Group, SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import {
  IconArrowDownRight,
  IconArrowUpRight,
  IconDevices,
  IconDropletOff,
  IconHierarchy2,
  IconRss,
} from "@tabler/icons-react";
import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useCurrent, useHistory } from "../../api/live";
import type { Current, Sample } from "../../api/types";
import { formatValue } from "../../components/chart";
import { PageHeader } from "../../components/PageHeader";
import { Sparkline } from "../../components/Sparkline";
import { ErrorState, Loaded, Loading } from "../../components/States";
import { formatCount } from "../../lib/numbers";
import { colors } from "./colors";
import { ratesOf } from "./history";
import { NodeList } from "./NodeList";

const Charts = lazy(() => import("./Charts"));

const kRanges = { "1h": 3600, "6h": 6 * 3600, "12h": 12 * 3600, "1d": 86400, "3d": 3 * 86400, "7d": 7 * 86400 };

interface Tile {
  label: string;
  value: number;
  note?: string;
  icon: ReactNode;
  color: string;
  past: (number | null)[];
}

function Figure({ label, value, note, icon, color, past }: Tile) {
  return (
    <Card withBorder padding={0} component="section" aria-label={label}>
      <Group justify="space-between" wrap="nowrap" align="flex-start" px="md" pt="sm">
        <Stack gap={0}>
          <Text size="sm" c="dimmed">
            {label}
          </Text>
          <Group gap={6} align="baseline">
            <Text fz={26} fw={650} lh={1.3} className="figure">
              {formatValue(value)}
            </Text>
            {note && (
              <Text size="xs" c="dimmed">
                {note}
              </Text>
            )}
          </Group>
        </Stack>
        <Box c={color} mt={2} aria-hidden>
          {icon}
        </Box>
      </Group>
      <Box mt={6} mb={-4}>
        <Sparkline values={past} color={color} />
      </Box>
    </Card>
  );
}

function Figures({ current, samples }: { current: Current; samples: Sample[] }) {
  const { t } = useTranslation();
  const note = t("overview.perSecond");
  const past = useMemo(() => {
    const of = (key: keyof Sample) => samples.map((sample) => sample[key]);
    return { ...ratesOf(samples), live: of("live_connections"), subscriptions: of("subscriptions"), topics: of("topics") };
  }, [samples]);
  const tiles: Tile[] = [
    {
      label: t("overview.connections"),
      value: current.live_connections,
      note: t("overview.sessions", { total: formatCount(current.connections) }),
      icon: <IconDevices size={20} />,
      color: colors.connections,
      past: past.live,
    },
    {
      label: t("overview.received"),
      value: current.received_msg_rate,
      note,
      icon: <IconArrowDownRight size={20} />,
      color: colors.received,
      past: past.received,
    },
    {
      label: t("overview.sent"),
      value: current.sent_msg_rate,
      note,
      icon: <IconArrowUpRight size={20} />,
      color: colors.sent,
      past: past.sent,
    },
    {
      label: t("overview.dropped"),
      value: current.dropped_msg_rate,
      note,
      icon: <IconDropletOff size={20} />,
      color: colors.dropped,
      past: past.dropped,
    },
    {
      label: t("overview.subscriptions"),
      value: current.subscriptions,
      icon: <IconRss size={20} />,
      color: colors.subscriptions,
      past: past.subscriptions,
    },
    {
      label: t("overview.topics"),
      value: current.topics,
      icon: <IconHierarchy2 size={20} />,
      color: colors.topics,
      past: past.topics,
    },
  ];
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }}>
      {tiles.map((tile) => (
        <Figure key={tile.label} {...tile} />
      ))}
    </SimpleGrid>
  );
}

const noSamples: Sample[] = [];

export function OverviewPage() {
  const { t } = useTranslation();
  const [range, setRange] = useState<keyof typeof kRanges>("1h");
  const current = useCurrent();
  const history = useHistory(kRanges[range]);
  return (
    <>
      <PageHeader title={t("nav.overview")}>
        <SegmentedControl
          size="xs"
          aria-label={t("overview.range")}
          value={range}
          onChange={(value) => setRange(value as keyof typeof kRanges)}
          data={Object.keys(kRanges).map((value) => ({ value, label: t(`overview.ranges.${value}`) }))}
        />
      </PageHeader>
      <Stack gap="md">
        <Loaded query={current}>{(figures) => <Figures current={figures} samples={history.data ?? noSamples} />}</Loaded>
        {current.data && current.error && <ErrorState error={current.error} />}
        <Loaded query={history}>
          {(samples) => (
            <Suspense fallback={<Loading />}>
              <Charts samples={samples} />
            </Suspense>
          )}
        </Loaded>
        <NodeList />
      </Stack>
    </>
  );
}
