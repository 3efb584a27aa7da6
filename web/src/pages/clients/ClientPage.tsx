import { Button, Group, Stack } from "@mantine/core";
import { IconSend, IconUserX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router-dom";

import { api, take } from "../../api/client";
import type { Client } from "../../api/types";
import { useChange, useConfirm } from "../../components/actions";
import { PageHeader } from "../../components/PageHeader";
import { Loaded } from "../../components/States";
import { useCanWrite } from "../../session/session";
import { AuthorizationCache } from "./AuthorizationCache";
import { ClientFacts } from "./ClientFacts";
import { ClientSubscriptions } from "./ClientSubscriptions";
import { PublishDialog } from "./PublishDialog";

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
              variant="light"
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
