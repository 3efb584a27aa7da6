import { act, cleanup, renderHook } from "@testing-library/react";
import i18next from "i18next";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

import { startI18n } from "../i18n";
import { loadFieldTexts } from "../i18n/fieldTexts";
import { settingsStore, type Language } from "../state/settings";
import type { Field } from "./schema";
import { useFieldTexts } from "./useFieldTexts";

beforeAll(startI18n);
afterEach(cleanup);

async function speak(language: Language) {
  const spoken = new Promise((done) => i18next.on("languageChanged", done));
  settingsStore.set({ ...settingsStore.get(), language });
  await spoken;
}

const shown = () => renderHook(useFieldTexts).result;

const inflight: Field = {
  name: "max_inflight",
  type: "integer",
  shape: "scalar",
  description: "QoS 1 and 2 messages on the way to one client; its Receive Maximum may lower it.",
  minimum: 1,
  maximum: 65535,
};
const unknown: Field = { name: "new_setting", type: "colour", shape: "scalar", description: "Not translated yet." };

describe("texts about a field", () => {
  it("are English without being loaded", () => {
    const { label, help, fault } = shown().current;
    expect(label(inflight)).toBe("Max inflight");
    expect(help(inflight)).toBe(`${inflight.description} (integer 1..65535)`);
    expect(help({ ...inflight, description: undefined })).toBe("(integer 1..65535)");
    expect(help({ ...unknown, type: "string" })).toBe("Not translated yet.");
    expect(fault(inflight, "range")).toBe("Expected: integer 1..65535");
    expect(fault(inflight, undefined)).toBeUndefined();
  });

  it("are Chinese as soon as they are there, where there are any", async () => {
    const texts = shown();
    await act(() => speak("zh"));
    expect(texts.current.label(inflight)).toBe("Max inflight");
    await act(() => loadFieldTexts("zh"));
    const { label, help, fault } = texts.current;
    expect(label(inflight)).toBe("飞行窗口大小");
    expect(help(inflight)).toMatch(/^同时发往.*（整数 1\.\.65535）$/);
    expect(help({ ...inflight, after_restart: true })).toMatch(/（整数 1\.\.65535；重启后生效）$/);
    expect(fault({ ...inflight, type: "duration" }, "form")).toBe("应为：时长：15s, 1h30m");
    expect(label(unknown)).toBe("New setting");
    expect(help(unknown)).toBe("Not translated yet.（colour）");
    await act(() => speak("en"));
    expect(texts.current.label(inflight)).toBe("Max inflight");
  });
});
