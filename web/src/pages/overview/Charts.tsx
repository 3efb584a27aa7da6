import { SimpleGrid } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { Sample } from "../../api/types";
import { TimeChart } from "../../components/TimeChart";
import { colors } from "./colors";
import { ratesOf } from "./history";

export default function Charts({ samples }: { samples: Sample[] }) {
  const { t } = useTranslation();
  const data = useMemo(() => {
    const times = samples.map((sample) => sample.time_stamp / 1000);
    const of = (key: keyof Sample) => samples.map((sample) => sample[key]);
    return { times, of, rates: ratesOf(samples) };
  }, [samples]);
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      <TimeChart
        title={t("overview.messageRates")}
        times={data.times}
        lines={[
          { label: t("overview.received"), color: colors.received, values: data.rates.received },
          { label: t("overview.sent"), color: colors.sent, values: data.rates.sent },
          { label: t("overview.dropped"), color: colors.dropped, values: data.rates.dropped },
        ]}
      />
      <TimeChart
        title={t("overview.connections")}
        times={data.times}
        lines={[
          { label: t("overview.live"), color: colors.connections, values: data.of("live_connections") },
          { label: t("overview.allSessions"), color: colors.sessions, values: data.of("connections") },
        ]}
      />
      <TimeChart
        title={t("overview.subscriptions")}
        times={data.times}
        lines={[{ label: t("overview.subscriptions"), color: colors.subscriptions, values: data.of("subscriptions") }]}
      />
      <TimeChart
        title={t("overview.topics")}
        times={data.times}
        lines={[{ label: t("overview.topics"), color: colors.topics, values: data.of("topics") }]}
      />
    </SimpleGrid>
  );
}
