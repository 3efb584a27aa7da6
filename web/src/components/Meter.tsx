// How full something is: the figures in words, the share as a bar where there is a bound.
import { Group, Progress, Stack, Text } from "@mantine/core";

import { formatCount, formatLimit } from "../lib/numbers";

interface Props {
  label: string;
  now: number;
  most: number | string | undefined;
}

export const shareOf = (now: number, most: number | string | undefined): number =>
  typeof most === "number" && most > 0 ? Math.min(100, (now / most) * 100) : 0;

export function Meter({ label, now, most }: Props) {
  const share = shareOf(now, most);
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm">{label}</Text>
        <Text size="sm" className="figure">
          <b>{formatCount(now)}</b>{" "}
          <Text span inherit c="dimmed">
            / {formatLimit(most)}
          </Text>
        </Text>
      </Group>
      <Progress
        value={share}
        size={6}
        color={share >= 90 ? "red" : share >= 60 ? "yellow" : "signal"}
        aria-label={label}
      />
    </Stack>
  );
}
