import { describe, expect, it } from "vitest";

import { formatBytes, formatLimit } from "./numbers";
import { bytesOf, showPayload, toBase64 } from "./payload";
import { fieldOf, formatDuration, formatTime, instantOf } from "./time";

describe("formatTime", () => {
  it("shows an instant in the chosen zone", () => {
    expect(formatTime("2024-01-09T10:00:00+00:00", "UTC")).toBe("2024-01-09 10:00:00");
    expect(formatTime("2024-01-09T10:00:00+00:00", "Asia/Shanghai")).toBe("2024-01-09 18:00:00");
    expect(formatTime(0, "UTC")).toBe("1970-01-01 00:00:00");
  });
  it("leaves what is no time as it is", () => {
    expect(formatTime("infinity")).toBe("infinity");
    expect(formatTime(null)).toBe("");
  });
});

describe("fields of times", () => {
  it("are read in the chosen zone, on both sides of a change of the clocks", () => {
    expect(instantOf("2024-01-09T10:00", "UTC")).toBe("2024-01-09T10:00:00.000Z");
    expect(instantOf("2024-01-09T10:00", "Asia/Shanghai")).toBe("2024-01-09T02:00:00.000Z");
    expect(instantOf("2024-03-31T01:30", "Europe/Berlin")).toBe("2024-03-31T00:30:00.000Z");
    expect(instantOf("2024-03-31T03:30", "Europe/Berlin")).toBe("2024-03-31T01:30:00.000Z");
    expect(instantOf("2024-0", "UTC")).toBeNull();
  });
  it("show an instant in that zone", () => {
    expect(fieldOf("2024-01-09T02:00:00+00:00", "Asia/Shanghai")).toBe("2024-01-09T10:00");
    expect(fieldOf("infinity", "UTC")).toBe("");
  });
});

describe("formatDuration", () => {
  it("has at most three units and is never empty", () => {
    expect(formatDuration(93_784_000)).toBe("1d 2h 3m");
    expect(formatDuration(61_000)).toBe("1m 1s");
    expect(formatDuration(12)).toBe("12ms");
    expect(formatDuration(0)).toBe("0ms");
  });
});

describe("numbers", () => {
  it("shows bytes in binary units", () => {
    expect(formatBytes(1023)).toBe("1023 B");
    expect(formatBytes(1536)).toBe("1.5 KiB");
    expect(formatBytes(5 * 1024 ** 3)).toBe("5.0 GiB");
  });
  it("knows infinity", () => {
    expect(formatLimit("infinity")).toBe("∞");
    expect(formatLimit(12345)).toBe("12,345");
  });
});

describe("showPayload", () => {
  const bytes = bytesOf("eyJhIjoxfQ==");
  it("shows the same bytes in each form", () => {
    expect(showPayload(bytes, "text")).toBe('{"a":1}');
    expect(showPayload(bytes, "json")).toBe('{\n  "a": 1\n}');
    expect(showPayload(bytes, "hex")).toBe("000000  7b 22 61 22 3a 31 7d");
    expect(showPayload(bytes, "base64")).toBe("eyJhIjoxfQ==");
  });
  it("says nothing when bytes are not JSON", () => {
    expect(showPayload(new Uint8Array([0xff, 0xfe]), "json")).toBe("");
  });
  it("keeps every byte on the way", () => {
    const all = Uint8Array.from({ length: 256 }, (_value, i) => i);
    expect(bytesOf(toBase64(all))).toEqual(all);
  });
});
