// The parts of the configuration that change at run time, each with the endpoint that reads and writes it.
import { api, take, takeTagged } from "../../api/client";
import { ApiError } from "../../api/errors";
import type { Tree } from "../../form/schema";

/** All of one shape for the client, though some are left out of the document. */
type Path = "/api/v5/configs/alarm";

export interface Section {
  key: string;
  /** Root of the schema. */
  root: string;
  path: Path;
  /** The root is a list: its endpoint speaks the list, its form a tree with this one key. */
  list?: boolean;
  /** What the endpoint answers, as the form shows it, and back. */
  show: (answer: unknown) => Tree;
  body: (tree: Tree) => unknown;
}

const readTagged = async (section: Section) => {
  const { data, etag } = await takeTagged(api.GET(section.path));
  return { tree: section.show(data), etag };
};

export const read = async (section: Section): Promise<Tree> => (await readTagged(section)).tree;

/** Saves what was made of `base`, unless somebody has saved something else since. */
export async function write(section: Section, tree: Tree, base: Tree): Promise<unknown> {
  const now = await readTagged(section);
  if (JSON.stringify(now.tree) !== JSON.stringify(base)) throw new ApiError(412, "PRECONDITION_FAILED", "changed");
  const headers = now.etag ? { "If-Match": now.etag } : {};
  return take(api.PUT(section.path, { body: section.body(tree) as never, headers }));
}

function section(root: string, path: string, more: Partial<Section> = {}): Section {
  return { key: root, root, path: path as Path, show: (answer) => answer as Tree, body: (tree) => tree, ...more };
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
