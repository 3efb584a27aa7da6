// Lines over time. Drawn on a canvas, so what it shows is also said in words.
import { Box, Card, Group, Text, Title, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { formatTime } from "../lib/time";
import { useSettings } from "../state/settings";
import { describe, formatValue, timeTicks, type Line } from "./chart";

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

const kAxisHeight = 28;

interface Look {
  width: number;
  height: number;
  dark: boolean;
  timeZone: string;
}

function optionsOf(lines: Line[], { width, height, dark, timeZone }: Look, onCursor: (at: number | null) => void): UPlot.Options {
  const colors = dark ? kColors.dark : kColors.light;
  const axis: UPlot.Axis = { stroke: colors.axis, grid: { stroke: colors.grid, width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    padding: [8, 6, 0, 0],
    tzDate: (seconds) => (timeZone ? UPlot.tzDate(new Date(seconds * 1000), timeZone) : new Date(seconds * 1000)),
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
    scales: { y: { range: (_self, _low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...axis, size: kAxisHeight, space: 76, values: (_self, ticks) => timeTicks(ticks, timeZone) },
      { ...axis, size: 44, space: 36, values: (_self, ticks) => ticks.map(short) },
    ],
    series: [
      {},
      ...lines.map(
        (line): UPlot.Series => ({
          label: line.label,
          stroke: line.color,
          fill: `${line.color}${lines.length === 1 ? "22" : "10"}`,
          width: 1.8,
          points: { show: false },
          spanGaps: false,
        }),
      ),
    ],
  };
}

/** What the lines are, and their values: where the pointer is, else the latest. */
function Legend({ lines, at }: { lines: Line[]; at: number }) {
  return (
    <Group gap="md">
      {lines.map(({ label, color, values }) => (
        <Group key={label} gap={6} wrap="nowrap">
          <Box w={10} h={10} bg={color} style={{ borderRadius: 3 }} aria-hidden />
          <Text size="xs" c="dimmed">
            {label}
          </Text>
          <Text size="xs" fw={600} className="figure">
            {formatValue(values.at(at))}
          </Text>
        </Group>
      ))}
    </Group>
  );
}

export function TimeChart({ title, times, lines, height = 190 }: Props) {
  const { ref, width } = useElementSize();
  const chart = useRef<UPlot | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const dark = useComputedColorScheme("light") === "dark";
  const { timeZone } = useSettings();
  const shape = lines.map(({ label, color }) => `${label} ${color}`).join("|");

  const shown = useRef({ times, lines });
  shown.current = { times, lines };
  useEffect(() => {
    if (!host.current || width === 0) return;
    const { times: at, lines: now } = shown.current;
    const options = optionsOf(now, { width, height, dark, timeZone }, setPointed);
    chart.current = new UPlot(options, [at, ...now.map(({ values }) => values)], host.current);
    return () => {
      chart.current?.destroy();
      chart.current = null;
    };
  }, [width, height, dark, timeZone, shape]);

  useEffect(() => {
    chart.current?.setData([times, ...lines.map(({ values }) => values)]);
  }, [times, lines]);

  const at = pointed !== null && pointed < times.length ? pointed : -1;
  const time = times.at(at);
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" mb={2} gap="xs">
        <Title order={2} size="h6">
          {title}
        </Title>
        <Text size="xs" c="dimmed" className="figure">
          {pointed !== null && time !== undefined ? formatTime(time * 1000, timeZone) : "\u00a0"}
        </Text>
      </Group>
      <Legend lines={lines} at={at} />
      <Box ref={ref} role="img" aria-label={`${title}: ${describe(lines)}`} h={height}>
        <div ref={host} />
      </Box>
    </Card>
  );
}
