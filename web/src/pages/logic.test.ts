import { describe, expect, it } from "vitest";

import { describe as inWords, formatValue, sparkPath, thin, timeTicks } from "../components/chart";
import { queryOf, type Filter } from "../components/Filters";
import { shareOf } from "../components/Meter";
import { hasNext, totalOf } from "../components/paging";
import { isStrongPassword } from "../session/password";
import { moved } from "./access/order";
import { detailsOf } from "./alarms/AlarmsPage";
import { reachesOne } from "./clients/filters";
import { addressOf, isForEver, protocolName } from "./clients/words";
import { shortened } from "./nodes/CounterCard";
import { groupCounters, pairGauges } from "./nodes/counters";
import { ratesOf } from "./overview/history";
import { operationOf } from "./system/audit";
import { filledTables } from "./system/ImportReport";
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
});

describe("filters", () => {
  it("send times as RFC 3339 and drop half-typed ones", () => {
    const filters: Filter[] = [{ key: "gte_connected_at", label: "", type: "datetime-local" }, { key: "username", label: "" }];
    expect(queryOf(filters, { gte_connected_at: "2024-01-09T10:00", username: "a" }, "Asia/Shanghai")).toEqual({
      gte_connected_at: "2024-01-09T02:00:00.000Z",
      username: "a",
    });
    expect(queryOf(filters, { gte_connected_at: "soon" }, "")).toEqual({});
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

describe("totalOf", () => {
  it("does not take what was shown so far for all there is", () => {
    expect(totalOf({ page: 1, limit: 20, meta: { page: 1, limit: 20, count: 20, hasnext: true } })).toBeUndefined();
    expect(totalOf({ page: 2, limit: 20, meta: { page: 2, limit: 20, count: 41, hasnext: true } })).toBe(41);
    expect(totalOf({ page: 3, limit: 20, meta: { page: 3, limit: 20, count: 41, hasnext: false } })).toBe(41);
  });
});

describe("clients", () => {
  it("have no address and protocol once they are only a session", () => {
    expect(addressOf({ ip_address: "127.0.0.1", port: 0 })).toBe("");
    expect(addressOf({ ip_address: "::1", port: 1883 })).toBe("[::1]:1883");
    expect([0, 4, 7].map(protocolName)).toEqual(["", "MQTT 3.1.1", "7"]);
  });
  it("may keep their session for ever", () => {
    expect([7200, 0xffffffff].map(isForEver)).toEqual([false, true]);
  });
});

describe("meters", () => {
  it("know the share of a bound", () => {
    expect([shareOf(5, 20), shareOf(30, 20), shareOf(5, "infinity"), shareOf(5, 0)]).toEqual([25, 100, 0, 0]);
  });
});

describe("node counters", () => {
  it("leave the title out of their names", () => {
    expect(shortened("packets", [["packets.sent", 1234], ["other", 1]])).toEqual([
      { name: "sent", value: "1,234" },
      { name: "other", value: "1" },
    ]);
  });
});

describe("alarms", () => {
  it("say in lines what they add to their message", () => {
    expect(detailsOf({ name: "a", usage: "81%", high: [1] })).toEqual([["usage", "81%"], ["high", "[1]"]]);
    expect(detailsOf("text")).toEqual([]);
  });
});

describe("import report", () => {
  it("tells of tables that held something", () => {
    expect(filledTables({ tables: { b: { rows: 2, written_over: 1 }, a: { rows: 1, written_over: 0 }, c: { rows: 0, written_over: 0 } } }).map(([name]) => name)).toEqual(["a", "b"]);
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
    expect(inWords([{ label: "In", color: "", values: [1, 12.6] }, { label: "Out", color: "", values: [] }])).toBe("In 13, Out –");
  });
  it("keep a digit of small rates", () => {
    expect([0, 0.44, 9.96, 12345.6, null].map(formatValue)).toEqual(["0", "0.4", "10", "12,346", "–"]);
  });
  it("show seconds where the ticks are close", () => {
    expect(timeTicks([30, 60], "UTC")).toEqual(["00:00:30", "00:01:00"]);
  });
  it("draw a line from zero up", () => {
    expect(sparkPath([0, 5, null, 10], 30, 10)).toBe("M0.0,10.0L10.0,5.0L20.0,10.0L30.0,0.0");
    expect(sparkPath([7], 30, 10)).toBe("");
  });
  it("leave out evenly and keep the last", () => {
    expect(thin([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
    expect(thin([1, 2], 3)).toEqual([1, 2]);
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
