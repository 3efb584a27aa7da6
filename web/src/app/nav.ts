// The menu, in the order in which it is shown. A key names the text and, as `nav.KEY`, the title of the page.
import {
  IconActivity,
  IconAdjustments,
  IconAlertTriangle,
  IconArchive,
  IconBan,
  IconClockPause,
  IconDatabaseExport,
  IconDevices,
  IconFileSearch,
  IconGauge,
  IconHierarchy2,
  IconHistory,
  IconHourglass,
  IconKey,
  IconLicense,
  IconLock,
  IconMessages,
  IconPlugConnected,
  IconRss,
  IconServer2,
  IconSettings,
  IconShieldCheck,
  IconUsers,
} from "@tabler/icons-react";
import type { ComponentType } from "react";

export interface NavEntry {
  key: string;
  path: string;
  icon: ComponentType<{ size?: number | string; stroke?: number | string }>;
}

export const navigation: { group: string; entries: NavEntry[] }[] = [
  {
    group: "monitoring",
    entries: [
      { key: "overview", path: "/", icon: IconGauge },
      { key: "nodes", path: "/nodes", icon: IconServer2 },
      { key: "clients", path: "/clients", icon: IconDevices },
      { key: "subscriptions", path: "/subscriptions", icon: IconRss },
      { key: "topics", path: "/topics", icon: IconHierarchy2 },
      { key: "retained", path: "/retained", icon: IconArchive },
      { key: "delayed", path: "/delayed", icon: IconHourglass },
      { key: "alarms", path: "/alarms", icon: IconAlertTriangle },
    ],
  },
  {
    group: "access",
    entries: [
      { key: "authentication", path: "/authentication", icon: IconLock },
      { key: "authorization", path: "/authorization", icon: IconShieldCheck },
      { key: "banned", path: "/banned", icon: IconBan },
    ],
  },
  {
    group: "management",
    entries: [
      { key: "listeners", path: "/listeners", icon: IconPlugConnected },
      { key: "configuration", path: "/configuration", icon: IconAdjustments },
    ],
  },
  {
    group: "diagnose",
    entries: [
      { key: "websocket", path: "/websocket", icon: IconMessages },
      { key: "topicMetrics", path: "/topic-metrics", icon: IconActivity },
      { key: "slow", path: "/slow-subscriptions", icon: IconClockPause },
      { key: "trace", path: "/trace", icon: IconFileSearch },
    ],
  },
  {
    group: "system",
    entries: [
      { key: "users", path: "/users", icon: IconUsers },
      { key: "apiKeys", path: "/api-keys", icon: IconKey },
      { key: "audit", path: "/audit", icon: IconHistory },
      { key: "backup", path: "/backup", icon: IconDatabaseExport },
      { key: "license", path: "/license", icon: IconLicense },
      { key: "settings", path: "/settings", icon: IconSettings },
    ],
  },
];

