import { Button, Card, Checkbox, Group, NumberInput, PasswordInput, Select, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { api, take } from "../../api/client";
import type { Listener } from "../../api/types";
import { webSocketUrl } from "./address";
import type { Mqtt } from "./useMqtt";

export function ConnectForm({ mqtt }: { mqtt: Mqtt }) {
  const { t } = useTranslation();
  const listeners = useQuery({
    queryKey: ["listeners"],
    queryFn: () => take<Listener[]>(api.GET("/api/v5/listeners")),
  }).data;
  const form = useForm({
    initialValues: {
      url: "",
      clientId: `dashboard_${Math.random().toString(36).slice(2, 10)}`,
      username: "",
      password: "",
      version: "5",
      keepalive: 60,
      clean: true,
    },
    validate: { url: (value) => (/^wss?:\/\//.test(value) ? null : t("websocket.urlRule")) },
  });
  const { setFieldValue } = form;
  const known = form.values.url !== "";
  useEffect(() => {
    if (!known && listeners) setFieldValue("url", webSocketUrl(listeners, window.location) ?? "");
  }, [known, listeners, setFieldValue]);
  const off = mqtt.state === "off";
  return (
    <Card withBorder>
      <form
        onSubmit={form.onSubmit(({ version, ...options }) => {
          void mqtt.connect({ ...options, protocolVersion: version === "5" ? 5 : 4 });
        })}
        noValidate
      >
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }}>
          <TextInput label={t("websocket.url")} disabled={!off} required {...form.getInputProps("url")} />
          <TextInput label={t("clients.clientid")} disabled={!off} {...form.getInputProps("clientId")} />
          <Select
            label={t("clients.protocol")}
            disabled={!off}
            allowDeselect={false}
            data={[
              { value: "5", label: "MQTT 5.0" },
              { value: "4", label: "MQTT 3.1.1" },
            ]}
            {...form.getInputProps("version")}
          />
          <TextInput label={t("clients.username")} autoComplete="off" disabled={!off} {...form.getInputProps("username")} />
          <PasswordInput
            label={t("login.password")}
            autoComplete="off"
            disabled={!off}
            visibilityToggleButtonProps={{ "aria-label": t("form.reveal") }}
            {...form.getInputProps("password")}
          />
          <NumberInput label={t("clients.keepalive")} min={0} max={65535} disabled={!off} {...form.getInputProps("keepalive")} />
        </SimpleGrid>
        <Group mt="sm" justify="space-between">
          <Checkbox label={t("clients.cleanStart")} disabled={!off} {...form.getInputProps("clean", { type: "checkbox" })} />
          {off ? (
            <Button key="connect" type="submit">
              {t("websocket.connect")}
            </Button>
          ) : (
            // A key of its own: as the same element it would become the submit button while its click is on the way.
            <Button key="disconnect" variant="default" onClick={mqtt.disconnect}>
              {t("websocket.disconnect")}
            </Button>
          )}
        </Group>
      </form>
    </Card>
  );
}
