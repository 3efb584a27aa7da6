import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { en } from "./en";
import { schema } from "./schema.zh";
import { zh } from "./zh";

function flat(tree: object, prefix = ""): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") out.set(prefix + key, value);
    else for (const [path, text] of flat(value as object, `${prefix}${key}.`)) out.set(path, text);
  }
  return out;
}

const english = flat(en);
const chinese = flat(zh);
const places = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}|<(\w+)>/g)].map((found) => found[0]).sort();

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !entry.name.includes(".test.") ? [readFileSync(path, "utf8")] : [];
  });
}

// Whether every field has words is a system test's: tests/system/test_dashboard_texts.py asks a node for its schema.
describe("texts about fields", () => {
  const literals = (text: string) => [...text.matchAll(/\$\{?\w+\}?|`\w+`|\d+/g)].map((found) => found[0]).sort();
  it("keep placeholders and numbers", () => {
    for (const [english, chinese] of Object.entries(schema.descriptions)) expect([english, literals(chinese)]).toEqual([english, literals(english)]);
  });
  it("are Chinese, or names that are the same everywhere", () => {
    const foreign = Object.values({ ...schema.names, ...schema.types }).filter((text) => !/\p{Script=Han}/u.test(text));
    expect([...new Set(foreign)].sort()).toEqual([
      "DNS", "HTTP", "HTTPS", "Kubernetes", "MQTT", "OCSP", "Prometheus", "QUIC", "QoS", "StartTLS", "TCP", "TLS", "URL", "WebSocket", "WebSocket（TLS）", "etcd",
    ]);
    expect(Object.values(schema.descriptions).filter((text) => !/^.*\p{Script=Han}.*。$/u.test(text))).toEqual([]);
  });
});

describe("texts", () => {
  it("exist in both languages, with the same places to fill", () => {
    expect([...chinese.keys()]).toEqual([...english.keys()]);
    for (const [key, text] of english)
      if (!/_(one|other)$/.test(key)) expect([key, places(chinese.get(key) ?? "")]).toEqual([key, places(text)]);
  });
  it("exist for every key that the code names", () => {
    const named = sources("src").flatMap((text) => [...text.matchAll(/\bt\(\s*"([\w.]+)"/g), ...text.matchAll(/i18nKey="([\w.]+)"/g)].map((found) => found[1] ?? ""));
    expect(named.length).toBeGreaterThan(200);
    const missing = named.filter((key) => !english.has(key) && !english.has(`${key}_other`));
    expect([...new Set(missing)]).toEqual([]);
  });
  it("are all used", () => {
    const code = sources("src").filter((text) => !text.includes("export const zh") && !text.includes("export const en")).join("\n");
    const groups = [...code.matchAll(/`([\w.]+)\.\$\{/g)].map((found) => `${found[1] ?? ""}.`);
    const unused = [...english.keys()].filter((key) => {
      const plain = key.replace(/_(one|other)$/, "");
      return !code.includes(`"${plain}"`) && !groups.some((group) => plain.startsWith(group)) && !/^subscriptions\.rh\d$/.test(plain);
    });
    expect(unused).toEqual([]);
  });
});
