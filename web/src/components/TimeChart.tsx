// Lines over time. Drawn on a canvas, so what it shows is also said in words.
import { Box, Card, Group, Text, Title, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { formatTime } from "../lib/time";
import { useSettings } from "../state/settings";
import { describeLatest, timeTicks, type Line } from "./chart";

interface Props {
  title: string;
  /** Seconds since 1970, ascending. */
  times: number[];
  lines: Line[];
  height?: number;
}

const kColors = {
  dark: { axis: "#b8b8b8", grid: "rgba(255,255,255,0.08)" },
  light: { axis: "#5c6370", grid: "rgba(0,0,0,0.07)" },
};

function short(value: number): string {
  if (Math.abs(value) >= 1e6) return `${+(value / 1e6).toFixed(1)}M`;
  if (Math.abs(value) >= 1e4) return `${+(value / 1e3).toFixed(1)}k`;
  return String(+value.toFixed(2));
}

function optionsOf(lines: Line[], width: number, height: number, dark: boolean, timeZone: string): UPlot.Options {
  const colors = dark ? kColors.dark : kColors.light;
  const axis: UPlot.Axis = { stroke: colors.axis, grid: { stroke: colors.grid, width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    tzDate: (seconds) => (timeZone ? UPlot.tzDate(new Date(seconds * 1000), timeZone) : new Date(seconds * 1000)),
    legend: { show: lines.length > 1, live: true },
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_self, _low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...axis, space: 70, values: (_self, ticks) => timeTicks(ticks, timeZone) },
      { ...axis, size: 48, values: (_self, ticks) => ticks.map(short) },
    ],
    series: [
      { value: (_self, seconds) => (seconds === null ? "–" : formatTime(seconds * 1000, timeZone)) },
      ...lines.map(
        (line): UPlot.Series => ({
          label: line.label,
          stroke: line.color,
          fill: lines.length === 1 ? `${line.color}22` : undefined,
          width: 2,
          points: { show: false },
          spanGaps: false,
        }),
      ),
    ],
  };
}

export function TimeChart({ title, times, lines, height = 190 }: Props) {
  const { ref, width } = useElementSize();
  const chart = useRef<UPlot | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const dark = useComputedColorScheme("light") === "dark";
  const { timeZone } = useSettings();
  const shape = lines.map(({ label, color }) => `${label} ${color}`).join("|");

  const shown = useRef({ times, lines });
  shown.current = { times, lines };
  useEffect(() => {
    if (!host.current || width === 0) return;
    const { times: at, lines: now } = shown.current;
    const options = optionsOf(now, width, height, dark, timeZone);
    chart.current = new UPlot(options, [at, ...now.map(({ values }) => values)], host.current);
    return () => {
      chart.current?.destroy();
      chart.current = null;
    };
  }, [width, height, dark, timeZone, shape]);

  useEffect(() => {
    chart.current?.setData([times, ...lines.map(({ values }) => values)]);
  }, [times, lines]);

  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" mb={4}>
        <Title order={2} size="h6">
          {title}
        </Title>
        <Text size="xs" c="dimmed">
          {describeLatest(lines)}
        </Text>
      </Group>
      <Box ref={ref} role="img" aria-label={`${title}: ${describeLatest(lines)}`} mih={height}>
        <div ref={host} />
      </Box>
    </Card>
  );
}
