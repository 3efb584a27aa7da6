// The parts of the configuration that change at run time, each with the endpoint that reads and writes it.
import { api } from "../../api/client";
import type { Stored } from "../../api/stored";
import type { Tree } from "../../form/schema";

/** All of one shape for the client, though some are left out of the document. */
type Path = "/api/v5/configs/alarm";

export interface Section {
  key: string;
  /** Root of the schema. */
  root: string;
  /** The root is a list: its endpoint speaks the list, its form a tree with this one key. */
  list?: boolean;
  stored: Stored<Tree>;
}

interface More {
  list?: boolean;
  /** What the endpoint answers, as the form shows it, and back. */
  show?: (answer: unknown) => Tree;
  body?: (tree: Tree) => unknown;
}

function section(root: string, path: string, { list, show, body }: More = {}): Section {
  return {
    key: root,
    root,
    list,
    stored: {
      get: () => api.GET(path as Path),
      show: show ?? ((answer) => answer as Tree),
      put: (tree, headers) => api.PUT(path as Path, { body: (body ? body(tree) : tree) as never, headers }),
    },
  };
}

/** global_zone holds several roots; each is a section. */
const zoneSection = (root: string) =>
  section(root, "/api/v5/configs/global_zone", {
    show: (answer) => (answer as Record<string, Tree>)[root] ?? {},
    body: (tree) => ({ [root]: tree }),
  });

const rootSection = (root: string) => section(root, `/api/v5/configs/${root}`);

export const sections: Section[] = [
  zoneSection("mqtt"),
  section("retainer", "/api/v5/mqtt/retainer"),
  section("delayed", "/api/v5/mqtt/delayed"),
  section("rewrite", "/api/v5/mqtt/topic_rewrite", {
    list: true,
    show: (answer) => ({ rewrite: answer }) as Tree,
    body: ({ rewrite }) => rewrite ?? [],
  }),
  section("auto_subscribe", "/api/v5/mqtt/auto_subscribe", {
    show: (answer) => ({ topics: answer }) as Tree,
    body: ({ topics }) => topics ?? [],
  }),
  zoneSection("flapping_detect"),
  zoneSection("force_shutdown"),
  zoneSection("force_gc"),
  rootSection("limiter"),
  rootSection("sys_topics"),
  rootSection("log"),
  rootSection("sysmon"),
  rootSection("alarm"),
  rootSection("dashboard"),
  section("prometheus", "/api/v5/prometheus"),
  section("slow_subs", "/api/v5/slow_subscriptions/settings"),
];
