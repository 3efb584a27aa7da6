// A viewer sees the pages and nothing that would change something.
import { strict as assert } from "node:assert";

export async function run(dashboard, { viewer, chosen, clientid }) {
  const { page } = dashboard;
  await dashboard.logIn("/users");
  await page.getByRole("button", { name: "Add a user" }).click();
  const form = page.getByRole("dialog", { name: "Add a user" });
  await form.getByRole("textbox", { name: "User name" }).fill(viewer);
  await form.getByRole("textbox", { name: "Password", exact: true }).fill(chosen);
  await form.getByRole("button", { name: "Save" }).click();
  await dashboard.row(`local ${viewer}`).getByText("Viewer").waitFor();
  await page.getByRole("button", { name: `Account of ${dashboard.user}` }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();

  await dashboard.fillLogin(viewer, chosen);
  await dashboard.open("/clients");
  await dashboard.row(clientid).waitFor();
  assert.equal(await page.getByRole("button", { name: /^Kick out/ }).count(), 0);
  for (const path of ["/users", "/api-keys", "/banned", "/listeners", "/backup"]) {
    await dashboard.open(path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await page.getByRole("button", { name: /^(Add|New|Ban somebody|Delete|Upload)/ }).count(), 0, path);
  }
}
