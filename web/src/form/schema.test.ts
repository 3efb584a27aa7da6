import { describe, expect, it } from "vitest";

import { faultsBelow } from "./RowsInput";
import { choicesOf, expects, faultOf, faultsOf, getAt, offered, scalarOf, setAt, singular, titleOf, type Field } from "./schema";

const field = (part: Partial<Field>): Field => ({ name: "x", type: "integer", shape: "scalar", ...part });

describe("setAt", () => {
  it("copies what it changes and leaves the rest alone", () => {
    const tree = { a: { b: 1 }, c: 2 };
    const next = setAt(tree, ["a", "b"], 3);
    expect(next).toEqual({ a: { b: 3 }, c: 2 });
    expect(tree.a.b).toBe(1);
  });
  it("makes and removes levels", () => {
    expect(setAt({}, ["a", "b"], 1)).toEqual({ a: { b: 1 } });
    expect(setAt({ a: { b: 1 } }, ["a", "b"], undefined)).toEqual({});
    expect(getAt({ a: { b: 1 } }, ["a", "b"])).toBe(1);
    expect(getAt({ a: 1 }, ["a", "b"])).toBeUndefined();
  });
});

describe("faultOf", () => {
  it("checks the range of numbers", () => {
    const port = field({ minimum: 1, maximum: 65535 });
    expect(faultOf(port, 0)).toBe("range");
    expect(faultOf(port, 65535)).toBeNull();
    expect(faultOf(port, "many")).toBe("form");
  });
  it("takes the words of a key", () => {
    expect(faultOf(field({ words: ["infinity"] }), "infinity")).toBeNull();
    expect(faultOf(field({ words: ["infinity"] }), "disabled")).toBe("form");
  });
  it("knows durations, sizes, rates and percentages", () => {
    expect(faultOf(field({ type: "duration" }), "1h30m")).toBeNull();
    expect(faultOf(field({ type: "duration (s)" }), "soon")).toBe("form");
    expect(faultOf(field({ type: "size" }), "1MB")).toBeNull();
    expect(faultOf(field({ type: "rate" }), "1MB/10s")).toBeNull();
    expect(faultOf(field({ type: "rate" }), "fast")).toBe("form");
    expect(faultOf(field({ type: "percent" }), "80%")).toBeNull();
    expect(faultOf(field({ type: "percent" }), "80")).toBe("form");
  });
  it("misses what is required and has no default", () => {
    expect(faultOf(field({ type: "string", required: true }), undefined)).toBe("required");
    expect(faultOf(field({ type: "string", required: true, default: "a" }), undefined)).toBeNull();
  });
  it("leaves masked and file secrets alone", () => {
    expect(faultOf(field({ type: "secret", secret: true }), "******")).toBeNull();
  });
});

describe("faultsOf", () => {
  const fields = [
    field({ name: "limits", type: "object", shape: "object", fields: [field({ name: "most", minimum: 1 })] }),
    field({ name: "all", shape: "list" }),
  ];
  it("names the place", () => {
    expect(faultsOf(fields, { limits: { most: 0 } })).toEqual({ "limits.most": "range" });
  });
  it("looks into lists and maps", () => {
    const inner = [field({ name: "topic", type: "string", required: true })];
    const many = [field({ name: "rules", shape: "list", fields: inner }), field({ name: "files", shape: "map", fields: inner })];
    expect(faultsOf(many, { rules: [{ topic: "a" }, {}], files: { one: {} } })).toEqual({
      "rules.1.topic": "required",
      "files.one.topic": "required",
    });
    expect(faultsBelow({ "rules.1.topic": "required", other: "form" }, ["rules", "1"])).toEqual({ topic: "required" });
  });
  it("does not ask for what is not there", () => {
    expect(faultsOf(fields, {})).toEqual({});
  });
});

describe("words about a field", () => {
  it("says what may be written", () => {
    expect(expects(field({ minimum: 1, maximum: 9, words: ["infinity"] }))).toBe("integer 1..9, infinity");
    expect(expects(field({ type: "duration (s)" }))).toBe("duration: 15s, 1h30m");
    expect(expects(field({ type: "enum", symbols: ["a", "b"] }))).toBe("a, b");
  });
  it("offers only what can be changed", () => {
    expect(offered([field({ hidden: true }), field({ readonly: true }), field({ name: "y" })]).map((f) => f.name)).toEqual(["y"]);
  });
  it("sends numbers as numbers", () => {
    expect(scalarOf(field({}), "12")).toBe(12);
    expect(scalarOf(field({ type: "duration" }), "12")).toBe("12");
    expect(scalarOf(field({}), "")).toBeUndefined();
  });
  it("offers few integers as a choice", () => {
    expect(choicesOf(field({ minimum: 0, maximum: 2 }))).toEqual(["0", "1", "2"]);
    expect(choicesOf(field({ minimum: 1, maximum: 65535 }))).toBeNull();
  });
  it("names one of many", () => {
    expect(["Topics", "Entries", "Rewrite", "Access"].map(singular)).toEqual(["Topic", "Entry", "Rewrite", "Access"]);
  });
  it("makes titles of names", () => {
    expect(titleOf("max_packet_size")).toBe("Max packet size");
    expect(titleOf("ssl_options")).toBe("TLS options");
  });
});
