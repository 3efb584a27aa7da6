// What a client is, how full its session is, and what went through it.
import { Card, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Client } from "../../api/types";
import { Facts } from "../../components/Facts";
import { Meter } from "../../components/Meter";
import { Time } from "../../components/Time";
import { formatBytes, formatCount } from "../../lib/numbers";
import { formatDuration } from "../../lib/time";
import { ConnectionBadge } from "./ConnectionBadge";
import { addressOf, isForEver, protocolName } from "./words";

function Connection({ client }: { client: Client }) {
  const { t } = useTranslation();
  return (
    <Facts
      title={t("clients.connection")}
      columns={2}
      facts={[
        [t("common.status"), <ConnectionBadge connected={client.connected} />],
        [t("clients.username"), client.username],
        [t("clients.address"), addressOf(client)],
        [t("clients.listener"), client.listener],
        [t("clients.protocol"), protocolName(client.proto_ver)],
        [t("clients.keepalive"), client.connected ? `${client.keepalive} s` : ""],
        [t("clients.connectedAt"), <Time value={client.connected_at} />],
        client.connected
          ? [t("node.one"), client.node]
          : [t("clients.disconnectedAt"), <Time value={client.disconnected_at} />],
      ]}
    />
  );
}

function Session({ client }: { client: Client }) {
  const { t } = useTranslation();
  const seconds = client.expiry_interval;
  const expiry = isForEver(seconds)
    ? t("clients.forEver")
    : seconds === 0
      ? t("clients.withConnection")
      : formatDuration(seconds * 1000);
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="sm">
        {t("clients.session")}
      </Title>
      <Stack gap="sm">
        <Meter label={t("clients.queue")} now={client.mqueue_len} most={client.mqueue_max} />
        <Meter label={t("clients.inflight")} now={client.inflight_cnt} most={client.inflight_max} />
        <Meter label={t("clients.awaitingRel")} now={client.awaiting_rel_cnt} most={client.awaiting_rel_max} />
        <Meter label={t("overview.subscriptions")} now={client.subscriptions_cnt} most={client.subscriptions_max} />
        <Text size="sm" c="dimmed">
          {t(client.clean_start ? "clients.startedClean" : "clients.resumes")} · {t("clients.expiry")}: {expiry} ·{" "}
          {t("clients.created")} <Time value={client.created_at} />
          {client.mountpoint && ` · ${t("clients.mountpoint")}: ${client.mountpoint}`}
        </Text>
      </Stack>
    </Card>
  );
}

function Traffic({ client }: { client: Client }) {
  const { t } = useTranslation();
  const rows: [string, string, string][] = [
    [t("clients.messages"), formatCount(client.recv_msg), formatCount(client.send_msg)],
    [t("clients.packets"), formatCount(client.recv_pkt), formatCount(client.send_pkt)],
    [t("clients.bytes"), formatBytes(client.recv_oct), formatBytes(client.send_oct)],
  ];
  const dropped: [string, number][] = [
    [t("clients.droppedFull"), client["send_msg.dropped.queue_full"]],
    [t("clients.droppedExpired"), client["send_msg.dropped.expired"]],
    [t("clients.droppedLarge"), client["send_msg.dropped.too_large"]],
    [t("clients.droppedReceived"), client["recv_msg.dropped"]],
  ];
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="xs">
        {t("clients.traffic")}
      </Title>
      <Table aria-label={t("clients.traffic")} verticalSpacing={5} horizontalSpacing={4} fz="sm" className="figure">
        <Table.Thead>
          <Table.Tr>
            <Table.Td />
            <Table.Th ta="right">{t("overview.received")}</Table.Th>
            <Table.Th ta="right">{t("overview.sent")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, received, sent]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={400}>
                {name}
              </Table.Th>
              <Table.Td ta="right">{received}</Table.Td>
              <Table.Td ta="right">{sent}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Stack gap={5} mt="sm" px={4}>
        {dropped.map(([name, count]) => (
          <Text key={name} size="sm" c={count > 0 ? "var(--mantine-color-error)" : "dimmed"} className="figure" style={{ display: "flex", justifyContent: "space-between" }}>
            <span>{name}</span>
            <b>{formatCount(count)}</b>
          </Text>
        ))}
      </Stack>
    </Card>
  );
}

export function ClientFacts({ client }: { client: Client }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
      <Connection client={client} />
      <Session client={client} />
      <Traffic client={client} />
    </SimpleGrid>
  );
}
