// Names and values of one thing.
import { Card, SimpleGrid, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

export type Fact = [name: string, value: ReactNode];

export function Facts({ title, facts, columns = 3 }: { title?: string; facts: Fact[]; columns?: number }) {
  return (
    <Card withBorder>
      {title && (
        <Title order={2} size="h5" mb="sm">
          {title}
        </Title>
      )}
      <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: columns }} spacing="md" verticalSpacing="sm" m={0}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <Text component="dt" size="xs" c="dimmed">
              {name}
            </Text>
            <Text component="dd" size="sm" m={0} style={{ overflowWrap: "anywhere" }}>
              {value === null || value === undefined || value === "" ? "–" : value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Card>
  );
}
