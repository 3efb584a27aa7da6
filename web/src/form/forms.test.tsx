import { cleanup, fireEvent, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

import { show, startPage } from "../testing/page";
import { SchemaForm } from "./SchemaForm";
import type { Field, Tree } from "./schema";

beforeAll(startPage);
afterEach(cleanup);

const topic: Field = { name: "topic", type: "string", shape: "scalar" };
let shown: Tree = {};

function Form({ fields, initial, readOnly }: { fields: Field[]; initial: Tree; readOnly?: boolean }) {
  const [tree, setTree] = useState(initial);
  shown = tree;
  return (
    <>
      <SchemaForm fields={fields} tree={tree} onChange={setTree} readOnly={readOnly} />
      <button onClick={() => setTree(initial)}>Undo</button>
    </>
  );
}

function showForm(fields: Field[], initial: Tree, readOnly = false) {
  show(<Form fields={fields} initial={initial} readOnly={readOnly} />);
}

describe("a list of objects", () => {
  const fields: Field[] = [{ name: "topics", type: "list of object", shape: "list", fields: [topic] }];
  it("is added to, filled in, put in order and taken from", () => {
    showForm(fields, { topics: [{ topic: "a" }] });
    fireEvent.click(screen.getByRole("button", { name: "Add" }));
    fireEvent.change(screen.getAllByRole("textbox", { name: "Topic" })[1]!, { target: { value: "b" } });
    expect(shown).toEqual({ topics: [{ topic: "a" }, { topic: "b" }] });
    fireEvent.click(screen.getByRole("button", { name: "Move Topic 2 up" }));
    expect(shown).toEqual({ topics: [{ topic: "b" }, { topic: "a" }] });
    fireEvent.click(screen.getByRole("button", { name: "Delete Topic 1" }));
    expect(shown).toEqual({ topics: [{ topic: "a" }] });
  });
  it("offers nothing to those who only look", () => {
    showForm(fields, { topics: [{ topic: "a" }] }, true);
    expect(screen.queryAllByRole("button").map(({ textContent }) => textContent)).toEqual(["Undo"]);
    expect((screen.getByRole("textbox", { name: "Topic" }) as HTMLInputElement).disabled).toBe(true);
  });
});

describe("a map of objects", () => {
  it("has entries by name", () => {
    showForm([{ name: "file", type: "map of object", shape: "map", fields: [topic] }], { file: { default: { topic: "a" } } });
    fireEvent.change(screen.getByRole("textbox", { name: "New name" }), { target: { value: "extra" } });
    fireEvent.click(screen.getByRole("button", { name: "Add" }));
    fireEvent.change(screen.getAllByRole("textbox", { name: "Topic" })[1]!, { target: { value: "b" } });
    fireEvent.click(screen.getByRole("button", { name: "Delete default" }));
    expect(shown).toEqual({ file: { extra: { topic: "b" } } });
  });
});

describe("a map of texts", () => {
  it("is edited a pair a line, and loses none while a name is typed", () => {
    showForm([{ name: "headers", type: "map of string", shape: "map" }], { headers: { accept: "x" } });
    fireEvent.click(screen.getByRole("button", { name: "Add" }));
    expect(shown).toEqual({ headers: { accept: "x" } });
    fireEvent.change(screen.getByRole("textbox", { name: "Name 2" }), { target: { value: "accept" } });
    fireEvent.change(screen.getByRole("textbox", { name: "Name 2" }), { target: { value: "accept-language" } });
    fireEvent.change(screen.getByRole("textbox", { name: "Value 2" }), { target: { value: "zh" } });
    expect(shown).toEqual({ headers: { accept: "x", "accept-language": "zh" } });
  });
  it("shows what is there again when the change is undone", () => {
    showForm([{ name: "headers", type: "map of string", shape: "map" }], { headers: { accept: "x" } });
    fireEvent.click(screen.getByRole("button", { name: "Add" }));
    fireEvent.change(screen.getByRole("textbox", { name: "Name 2" }), { target: { value: "host" } });
    fireEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(screen.getAllByRole("textbox").map((box) => (box as HTMLInputElement).value)).toEqual(["accept", "x"]);
  });
});

describe("what has no form", () => {
  it("is JSON, kept while it is none yet, and made anew when the change is undone", () => {
    showForm([{ name: "body", type: "object", shape: "object" }], { body: { a: 1 } });
    const box = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Body" });
    fireEvent.change(box, { target: { value: '{"a": 2' } });
    expect([box.value, shown]).toEqual(['{"a": 2', { body: { a: 1 } }]);
    fireEvent.change(box, { target: { value: '{"a": 2}' } });
    expect([box.value, shown]).toEqual(['{"a": 2}', { body: { a: 2 } }]);
    fireEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(JSON.parse(box.value)).toEqual({ a: 1 });
  });
});
