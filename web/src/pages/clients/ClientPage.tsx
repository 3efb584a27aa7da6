import { Button, Group, Stack } from "@mantine/core";
import { IconSend, IconUserX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { Client } from "../../api/types";
import { useChange, useConfirm } from "../../components/actions";
import { Facts } from "../../components/Facts";
import { PageHeader } from "../../components/PageHeader";
import { Loaded } from "../../components/States";
import { Time } from "../../components/Time";
import { formatBytes, formatCount, formatLimit } from "../../lib/numbers";
import { useCanWrite } from "../../session/session";
import { AuthorizationCache } from "./AuthorizationCache";
import { ConnectionBadge, protocolName } from "./ClientsPage";
import { ClientSubscriptions } from "./ClientSubscriptions";
import { PublishDialog } from "./PublishDialog";

const filled = (now: number, most: number | string) => `${formatCount(now)} / ${formatLimit(most)}`;

function ClientFacts({ client }: { client: Client }) {
  const { t } = useTranslation();
  return (
    <>
      <Facts
        title={t("clients.connection")}
        facts={[
          [t("common.status"), <ConnectionBadge connected={client.connected} />],
          [t("clients.username"), client.username],
          [t("clients.address"), `${client.ip_address}:${client.port}`],
          [t("clients.protocol"), protocolName(client.proto_ver)],
          [t("clients.listener"), client.listener],
          [t("clients.keepalive"), `${client.keepalive} s`],
          [t("clients.connectedAt"), <Time value={client.connected_at} />],
          [t("clients.disconnectedAt"), <Time value={client.disconnected_at} />],
          [t("node.one"), client.node],
        ]}
      />
      <Facts
        title={t("clients.session")}
        facts={[
          [t("clients.cleanStart"), t(client.clean_start ? "common.yes" : "common.no")],
          [t("clients.expiry"), `${formatCount(client.expiry_interval)} s`],
          [t("clients.created"), <Time value={client.created_at} />],
          [t("overview.subscriptions"), filled(client.subscriptions_cnt, client.subscriptions_max)],
          [t("clients.queue"), filled(client.mqueue_len, client.mqueue_max)],
          [t("clients.inflight"), filled(client.inflight_cnt, client.inflight_max)],
          [t("clients.awaitingRel"), filled(client.awaiting_rel_cnt, client.awaiting_rel_max)],
          [t("clients.queueDropped"), formatCount(client.mqueue_dropped)],
          [t("clients.mountpoint"), client.mountpoint],
        ]}
      />
      <Facts
        title={t("clients.traffic")}
        facts={[
          [t("clients.receivedMessages"), formatCount(client.recv_msg)],
          [t("clients.receivedPackets"), formatCount(client.recv_pkt)],
          [t("clients.receivedBytes"), formatBytes(client.recv_oct)],
          [t("clients.sentMessages"), formatCount(client.send_msg)],
          [t("clients.sentPackets"), formatCount(client.send_pkt)],
          [t("clients.sentBytes"), formatBytes(client.send_oct)],
          [t("clients.droppedExpired"), formatCount(client["send_msg.dropped.expired"])],
          [t("clients.droppedFull"), formatCount(client["send_msg.dropped.queue_full"])],
          [t("clients.droppedLarge"), formatCount(client["send_msg.dropped.too_large"])],
        ]}
      />
    </>
  );
}

export function ClientPage() {
  const { t } = useTranslation();
  const { clientid = "" } = useParams();
  const canWrite = useCanWrite();
  const confirm = useConfirm();
  const navigate = useNavigate();
  const [publishing, setPublishing] = useState(false);
  const query = useQuery({
    queryKey: ["clients", "one", clientid],
    queryFn: () => take<Client>(api.GET("/api/v5/clients/{clientid}", { params: { path: { clientid } } })),
    refetchInterval: 5_000,
  });
  const kick = useChange({
    run: () => take(api.DELETE("/api/v5/clients/{clientid}", { params: { path: { clientid } } })),
    done: t("clients.kicked"),
    renews: [["clients"]],
    after: () => navigate("/clients"),
  });
  return (
    <>
      <PageHeader
        title={<span className="mono">{clientid}</span>}
        parent={{ title: t("nav.clients"), path: "/clients" }}
        refresh={() => void query.refetch()}
      >
        {canWrite && (
          <Group gap="xs">
            <Button variant="default" leftSection={<IconSend size={16} />} onClick={() => setPublishing(true)}>
              {t("publish.button")}
            </Button>
            <Button
              color="red"
              leftSection={<IconUserX size={16} />}
              onClick={() =>
                confirm({
                  title: t("clients.kickTitle"),
                  text: t("clients.kickText", { count: 1, first: clientid }),
                  button: t("clients.kick"),
                  run: () => kick.mutate(),
                })
              }
            >
              {t("clients.kick")}
            </Button>
          </Group>
        )}
      </PageHeader>
      <Loaded query={query}>
        {(client) => (
          <Stack>
            <ClientFacts client={client} />
            <ClientSubscriptions clientid={clientid} />
            <AuthorizationCache clientid={clientid} />
            <PublishDialog clientid={clientid} opened={publishing} onClose={() => setPublishing(false)} />
          </Stack>
        )}
      </Loaded>
    </>
  );
}
