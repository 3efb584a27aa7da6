// MQTT clients that live in this page, to try things out. They end when the page is reloaded.
import { Button, Tabs } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/actions";
import { PageHeader } from "../../components/PageHeader";
import { MqttTab } from "./MqttTab";

let nextTab = 1;
const freshTab = () => String(nextTab++);

export function WebSocketPage() {
  const { t } = useTranslation();
  const [tabs, setTabs] = useState<string[]>(() => [freshTab()]);
  const [active, setActive] = useState<string | null>(tabs[0] ?? null);
  const add = () => {
    const tab = freshTab();
    setTabs([...tabs, tab]);
    setActive(tab);
  };
  const remove = (tab: string) => {
    const rest = tabs.filter((one) => one !== tab);
    setTabs(rest);
    if (active === tab) setActive(rest.at(-1) ?? null);
  };
  return (
    <>
      <PageHeader title={t("nav.websocket")} hint={t("websocket.hint")}>
        {active && tabs.length > 1 && (
          <IconAction label={t("websocket.close")} icon={<IconX size={18} />} onClick={() => remove(active)} />
        )}
        <Button leftSection={<IconPlus size={16} />} onClick={add}>
          {t("websocket.add")}
        </Button>
      </PageHeader>
      <Tabs value={active} onChange={setActive}>
        <Tabs.List mb="md">
          {tabs.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {t("websocket.tab", { number: tab })}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map((tab) => (
          <Tabs.Panel key={tab} value={tab}>
            <MqttTab />
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  );
}
