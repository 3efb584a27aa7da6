// A viewer sees the pages and nothing that would change something.
import { strict as assert } from "node:assert";

import { paths } from "../pages.js";

const kEditing =
  /^(Add|Add .*|New .*|Ban .*|Lift .*|Delete.*|Upload|Save|Undo .*|Kick .*|Restart .*|Restore .*|Clear|Clear .*|Edit .*|Move .*|Update|Back to the trial|Import .*|Set .*|Stop .*|Watch .*|Publish|Subscribe|Change the password of .*)$/;
/** Pages of the viewer's own: an MQTT client in the browser, and what the browser keeps. */
const kOwn = ["/websocket", "/settings"];

/** Names of controls in the page's content that would change something. */
function offered() {
  const main = document.getElementById("content");
  const visible = [...main.querySelectorAll("button, input, textarea")].filter(
    (one) => one.offsetParent !== null && !one.closest('[role="search"], [role="navigation"], [role="radiogroup"]') && !one.disabled,
  );
  const name = (one) => one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent ?? "";
  return visible.map((one) => [one.tagName, name(one).trim()]);
}

export async function run(dashboard, { viewer, chosen, clientid }) {
  const { page } = dashboard;
  await dashboard.logIn("/users");
  await page.getByRole("button", { name: "Add a user" }).click();
  const form = page.getByRole("dialog", { name: "Add a user" });
  await form.getByRole("textbox", { name: "User name" }).fill(viewer);
  await form.getByRole("textbox", { name: "Password", exact: true }).fill(chosen);
  await form.getByRole("button", { name: "Save" }).click();
  await dashboard.row(`local ${viewer}`).getByText("Viewer", { exact: true }).waitFor();
  await dashboard.logOut();

  await dashboard.fillLogin(viewer, chosen);
  await dashboard.open("/clients");
  await dashboard.row(clientid).waitFor();
  dashboard.expectStatus(403); // pages whose lists are not for viewers say so
  for (const path of [...paths, `/clients/${clientid}`].filter((one) => !kOwn.includes(one))) {
    await dashboard.visit(path);
    const controls = await page.evaluate(offered);
    const editing = controls.filter(([tag, name]) => tag !== "BUTTON" || kEditing.test(name));
    assert.deepEqual(editing, [], path);
  }
}
