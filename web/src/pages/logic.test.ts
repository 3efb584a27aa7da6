import { describe, expect, it } from "vitest";

import { hasNext } from "../components/paging";
import { describeLatest, timeTicks } from "../components/chart";
import { isStrongPassword } from "../session/password";
import { moved } from "./access/order";
import { reachesOne } from "./clients/filters";
import { groupCounters, pairGauges } from "./nodes/counters";
import { ratesOf } from "./overview/history";
import { operationOf, queryOf } from "./system/audit";
import { webSocketUrl } from "./websocket/address";

describe("reachesOne", () => {
  it.each([
    ["a/b", "a/b", true],
    ["a/+", "a/b", true],
    ["a/+", "a/b/c", false],
    ["a/#", "a", true],
    ["#", "a/b", true],
    ["#", "$SYS/x", false],
    ["$SYS/#", "$SYS/x", true],
    ["$share/g/a/+", "a/b", true],
    ["a/b", "a", false],
  ])("%s for %s", (filter, topic, expected) => expect(reachesOne(filter, topic)).toBe(expected));
});

describe("ratesOf", () => {
  const sample = (time_stamp: number, received: number) => ({
    time_stamp,
    received,
    sent: 0,
    dropped: 0,
    subscriptions: 0,
    topics: 0,
    connections: 0,
    live_connections: 0,
  });
  it("divides by the step of each sample", () => {
    expect(ratesOf([sample(0, 50), sample(10_000, 100), sample(70_000, 600)]).received).toEqual([5, 10, 10]);
  });
  it("has no rate for a sample alone", () => {
    expect(ratesOf([sample(0, 50)]).received).toEqual([null]);
  });
});

describe("moved", () => {
  it("speaks the API's words", () => {
    expect(moved(["a", "b", "c"], "b", -1)).toBe("before:a");
    expect(moved(["a", "b", "c"], "b", 1)).toBe("after:c");
    expect(moved(["a", "b"], "a", -1)).toBeNull();
    expect(moved(["a", "b"], "x", 1)).toBeNull();
  });
});

describe("counters", () => {
  it("are grouped by their first word", () => {
    expect(groupCounters({ "b.x": 1, "a.z": 2, "a.y": 3 })).toEqual([
      ["a", [["a.y", 3], ["a.z", 2]]],
      ["b", [["b.x", 1]]],
    ]);
  });
  it("pair now with most", () => {
    expect(pairGauges({ "s.count": 1, "s.max": 4, other: 9 })).toEqual([["s", 1, 4]]);
  });
});

describe("audit", () => {
  it("names requests and commands", () => {
    expect(operationOf({ http_method: "post", operation_id: "/api_key", operation_type: "api_key", args: "" })).toBe("POST /api_key");
    expect(operationOf({ http_method: "", operation_id: "", operation_type: "clients", args: ["kick", "a"] })).toBe("clients kick a");
  });
  it("sends times as RFC 3339 and drops half-typed ones", () => {
    const query = queryOf({ gte_created_at: "2024-01-09T10:00", from: "cli" });
    expect(query.gte_created_at).toMatch(/^2024-01-(08|09|10)T\d\d:\d\d:00\.000Z$/);
    expect(query.from).toBe("cli");
    expect(queryOf({ lte_created_at: "soon" })).toEqual({});
  });
});

describe("hasNext", () => {
  const list = { data: [1, 2], page: 1, limit: 2 };
  it("believes the server, then the count, then a full page", () => {
    expect(hasNext({ ...list, meta: { page: 1, limit: 2, hasnext: false, count: 9 } })).toBe(false);
    expect(hasNext({ ...list, meta: { page: 1, limit: 2, count: 3 } })).toBe(true);
    expect(hasNext({ ...list, meta: { page: 1, limit: 2 } })).toBe(true);
    expect(hasNext({ ...list, data: [1], meta: { page: 1, limit: 2 } })).toBe(false);
  });
});

describe("webSocketUrl", () => {
  const listener = (type: string, bind: string, running = true) => ({
    type,
    bind,
    status: { running, max_connections: 1, current_connections: 0 },
  });
  it("takes the host of the page and the port of a listener that runs", () => {
    const page = { protocol: "http:", hostname: "broker.example" };
    expect(webSocketUrl([listener("tcp", ":1883"), listener("ws", "0.0.0.0:8083")], page)).toBe("ws://broker.example:8083/mqtt");
    expect(webSocketUrl([listener("ws", "8083", false)], page)).toBeNull();
  });
  it("keeps to TLS where the page came by TLS", () => {
    const page = { protocol: "https:", hostname: "::1" };
    expect(webSocketUrl([listener("ws", "8083"), listener("wss", "[::]:8084")], page)).toBe("wss://[::1]:8084/mqtt");
  });
});

describe("charts", () => {
  it("say their latest values", () => {
    expect(describeLatest([{ label: "In", color: "", values: [1, 2.6] }, { label: "Out", color: "", values: [] }])).toBe("In 3, Out –");
  });
  it("show the date where a day begins", () => {
    const midnight = Date.UTC(2024, 0, 10) / 1000;
    expect(timeTicks([midnight - 3600, midnight, midnight + 3600], "UTC")).toEqual(["23:00", "01-10", "01:00"]);
  });
});

describe("isStrongPassword", () => {
  it.each([
    ["public", false],
    ["abcdefgh", false],
    ["abcdefg1", true],
    ["pässwort1", false],
    ["a1".repeat(33), false],
  ])("%s", (text, expected) => expect(isStrongPassword(text)).toBe(expected));
});
