// Counters of one kind, each a line; kinds flow into as many columns as fit.
import { Card, Group, Stack, Text, Title } from "@mantine/core";

import { formatCount } from "../../lib/numbers";

export interface Counter {
  name: string;
  value: string;
}

export function CounterCard({ title, counters }: { title: string; counters: Counter[] }) {
  return (
    <Card withBorder padding="sm" style={{ breakInside: "avoid", marginBottom: "var(--mantine-spacing-md)" }}>
      <Title order={2} size="h6" mb={6}>
        {title}
      </Title>
      <Stack component="dl" gap={3} m={0}>
        {counters.map(({ name, value }) => (
          <Group key={name} justify="space-between" gap="xs" wrap="nowrap">
            <Text component="dt" size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
              {name}
            </Text>
            <Text component="dd" size="sm" m={0} className="figure">
              {value}
            </Text>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}

/** "packets.connect.received" under the title "packets" is "connect.received". */
export const shortened = (group: string, members: [string, number][]): Counter[] =>
  members.map(([name, value]) => ({
    name: name.startsWith(`${group}.`) ? name.slice(group.length + 1) : name,
    value: formatCount(value),
  }));
