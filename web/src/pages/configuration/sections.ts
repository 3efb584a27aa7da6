// The parts of the configuration that change at run time, each with the endpoint that reads and writes it.
import { api, take } from "../../api/client";
import type { Tree } from "../../form/schema";

export interface Section {
  key: string;
  /** Root of the schema. */
  root: string;
  /** The root is a list: its endpoint speaks the list, its form a tree with this one key. */
  list?: boolean;
  read: () => Promise<Tree>;
  write: (tree: Tree) => Promise<unknown>;
}

/** global_zone holds several roots; each is a section. */
function zoneSection(root: string): Section {
  return {
    key: root,
    root,
    read: async () => (await take<Record<string, Tree>>(api.GET("/api/v5/configs/global_zone")))[root] ?? {},
    write: (tree) => take(api.PUT("/api/v5/configs/global_zone", { body: { [root]: tree } as never })),
  };
}

type Root = "alarm" | "sys_topics" | "sysmon" | "log" | "dashboard" | "limiter";

function rootSection(root: Root): Section {
  // All of one shape; the limiter is served although the document leaves it out.
  const path = `/api/v5/configs/${root}` as "/api/v5/configs/alarm";
  return {
    key: root,
    root,
    read: () => take<Tree>(api.GET(path)),
    write: (tree) => take(api.PUT(path, { body: tree as never })),
  };
}

export const sections: Section[] = [
  zoneSection("mqtt"),
  {
    key: "retainer",
    root: "retainer",
    read: () => take<Tree>(api.GET("/api/v5/mqtt/retainer")),
    write: (tree) => take(api.PUT("/api/v5/mqtt/retainer", { body: tree as never })),
  },
  {
    key: "delayed",
    root: "delayed",
    read: () => take<Tree>(api.GET("/api/v5/mqtt/delayed")),
    write: (tree) => take(api.PUT("/api/v5/mqtt/delayed", { body: tree as never })),
  },
  {
    key: "rewrite",
    root: "rewrite",
    list: true,
    read: async () => ({ rewrite: await take(api.GET("/api/v5/mqtt/topic_rewrite")) }),
    write: ({ rewrite }) => take(api.PUT("/api/v5/mqtt/topic_rewrite", { body: (rewrite ?? []) as never })),
  },
  {
    key: "auto_subscribe",
    root: "auto_subscribe",
    read: async () => ({ topics: await take(api.GET("/api/v5/mqtt/auto_subscribe")) }),
    write: ({ topics }) => take(api.PUT("/api/v5/mqtt/auto_subscribe", { body: (topics ?? []) as never })),
  },
  zoneSection("flapping_detect"),
  zoneSection("force_shutdown"),
  zoneSection("force_gc"),
  rootSection("limiter"),
  rootSection("sys_topics"),
  rootSection("log"),
  rootSection("sysmon"),
  rootSection("alarm"),
  rootSection("dashboard"),
  {
    key: "prometheus",
    root: "prometheus",
    read: () => take<Tree>(api.GET("/api/v5/prometheus")),
    write: (tree) => take(api.PUT("/api/v5/prometheus", { body: tree as never })),
  },
  {
    key: "slow_subs",
    root: "slow_subs",
    read: () => take<Tree>(api.GET("/api/v5/slow_subscriptions/settings")),
    write: (tree) => take(api.PUT("/api/v5/slow_subscriptions/settings", { body: tree as never })),
  },
];
