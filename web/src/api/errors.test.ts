import { describe, expect, it } from "vitest";

import { errorOf } from "./errors";
import { rootOf } from "./root";

describe("errorOf", () => {
  it("reads complaints out of the message of a validation error", () => {
    const one = { kind: "validation_error", path: "root.qos", reason: "out_of_range", expected: "integer 0..2", value: 7 };
    const error = errorOf(400, { code: "BAD_REQUEST", message: JSON.stringify([one]) });
    expect(error.code).toBe("BAD_REQUEST");
    expect(error.complaints).toHaveLength(1);
    expect(error.message).toBe("qos: out of range, expected integer 0..2, got 7");
  });
  it("tells every complaint, and what needs no expectation", () => {
    const told = (...complaints: unknown[]) => errorOf(400, { code: "BAD_REQUEST", message: JSON.stringify(complaints) }).message;
    expect(told({ path: "root.a", reason: "required_field", expected: "text" }, { path: "root.2.b", reason: "bad_type", value: "x" }))
      .toBe("a: required field, expected text; 2.b: bad type, got x");
    expect(told({ path: "root.rules", reason: "line 2: no_rule" })).toBe("rules: line 2: no_rule");
    expect(told({ path: "root", reason: "not_built", expected: "it is not there" })).toBe("it is not there");
  });
  it("reads the complaints of a whole configuration root by root", () => {
    const one = (path: string) => ({ kind: "validation_error", path, reason: "out_of_range", expected: "1..9", value: 0 });
    const error = errorOf(400, JSON.stringify({ mqtt: [one("mqtt.a"), one("mqtt.b")], log: one("log.c") }));
    expect(error.message).toBe(
      "mqtt.a: out of range, expected 1..9, got 0; mqtt.b: out of range, expected 1..9, got 0; log.c: out of range, expected 1..9, got 0",
    );
    expect(errorOf(400, '{"who":"a"}').message).toBe('{"who":"a"}');
  });
  it("keeps plain messages", () => {
    expect(errorOf(404, { code: "NOT_FOUND", message: "Client ID not found" }).message).toBe("Client ID not found");
    expect(errorOf(400, "mqtt.max_inflight = 0").message).toBe("mqtt.max_inflight = 0");
  });
  it("has something to say about an empty answer", () => {
    expect(errorOf(503, undefined).message).toBe("HTTP 503");
    expect(errorOf(400, { message: "[broken" }).message).toBe("[broken");
  });
});

describe("rootOf", () => {
  it("is the path under which a proxy has put the node", () => {
    expect(rootOf("http://host:18083/#/clients?page=2")).toBe("");
    expect(rootOf("https://host/mqtt/#/a/b")).toBe("/mqtt");
    expect(rootOf("https://host/mqtt/index.html")).toBe("/mqtt");
  });
});
