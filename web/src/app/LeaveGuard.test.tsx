import { Button, Tabs } from "@mantine/core";
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { createMemoryRouter, Link, Outlet, RouterProvider } from "react-router-dom";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { PageTabs } from "../components/PageTabs";
import { useUnsaved } from "../state/unsaved";
import { show, startPage } from "../testing/page";
import { LeaveGuard } from "./LeaveGuard";

beforeAll(startPage);
afterEach(cleanup);

function Form() {
  const [dirty, setDirty] = useState(false);
  useUnsaved(dirty);
  return <Button onClick={() => setDirty(!dirty)}>{dirty ? "Undo" : "Edit"}</Button>;
}

function FormPage() {
  return (
    <PageTabs first="form">
      <Tabs.List>
        <Tabs.Tab value="form">Form</Tabs.Tab>
        <Tabs.Tab value="status">Status</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="form">
        <Form />
      </Tabs.Panel>
    </PageTabs>
  );
}

function Frame() {
  return (
    <>
      <LeaveGuard />
      <Link to="/other">Away</Link>
      <Link to="/?page=2">Filtered</Link>
      <Outlet />
    </>
  );
}

beforeEach(() => {
  const children = [
    { path: "/", element: <FormPage /> },
    { path: "/other", element: <p>Elsewhere</p> },
  ];
  show(<RouterProvider router={createMemoryRouter([{ element: <Frame />, children }])} />);
});

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const away = () => fireEvent.click(screen.getByRole("link", { name: "Away" }));
const question = () => screen.findByRole("dialog", { name: "Leave without saving?" });

/** Whether the browser would ask before it closes the page. */
function asksToClose() {
  const closing = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(closing);
  return closing.defaultPrevented;
}

describe("the guard of unsaved forms", () => {
  it("lets go who has changed nothing", async () => {
    expect(asksToClose()).toBe(false);
    away();
    await screen.findByText("Elsewhere");
  });

  it("asks before the page is left, stays on a no and goes on a yes", async () => {
    press("Edit");
    expect(asksToClose()).toBe(true);
    away();
    await question();
    press("Cancel");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(screen.queryByText("Elsewhere")).toBeNull();
    away();
    await question();
    press("Leave");
    await screen.findByText("Elsewhere");
    expect(asksToClose()).toBe(false);
  });

  it("does not ask where the form stays, or has been taken back", async () => {
    press("Edit");
    fireEvent.click(screen.getByRole("link", { name: "Filtered" }));
    expect(screen.queryByRole("dialog")).toBeNull();
    press("Undo");
    away();
    await screen.findByText("Elsewhere");
  });

  it("asks before a tab of the page throws the form away", async () => {
    press("Edit");
    fireEvent.click(screen.getByRole("tab", { name: "Status" }));
    await question();
    expect(screen.getByRole("button", { name: "Undo" })).toBeTruthy();
    press("Leave");
    await waitFor(() => expect(screen.queryByRole("button", { name: "Undo" })).toBeNull());
  });
});
