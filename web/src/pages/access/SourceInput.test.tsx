import { cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import type { Tree } from "../../form/schema";
import { show, startPage } from "../../testing/page";
import { SourceInput } from "./SourceInput";

beforeAll(startPage);
afterEach(cleanup);

const editor = () => screen.queryByRole<HTMLTextAreaElement>("textbox", { name: "Rules" });
const open = (tree: Tree, stored: boolean) => {
  const onChange = vi.fn();
  show(<SourceInput type="file" form={{ fields: [], tree, onChange }} stored={stored} />);
  return onChange;
};

describe("the rules of a file", () => {
  it("are edited, and the file is named that they come from", () => {
    const onChange = open({ path: "/etc/acl.conf", rules: "{allow, all}." }, true);
    expect(editor()?.value).toBe("{allow, all}.");
    expect(screen.getByText(/\/etc\/acl\.conf/)).toBeTruthy();
    fireEvent.change(editor()!, { target: { value: "{deny, all}." } });
    expect(onChange).toHaveBeenCalledWith({ path: "/etc/acl.conf", rules: "{deny, all}." });
  });

  it("that could not be read are not offered to be written over", () => {
    open({ path: "/etc/acl.conf" }, true);
    expect(editor()).toBeNull();
    expect(screen.getByRole("alert").textContent).toContain("/etc/acl.conf");
  });

  it("begin empty for a source that is added", () => {
    open({}, false);
    expect(editor()?.value).toBe("");
  });
});
