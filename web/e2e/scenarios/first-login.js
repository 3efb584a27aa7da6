// A fresh node: a wrong password is refused, the default one must be changed, the new one works.
import { strict as assert } from "node:assert";

export async function run(dashboard, { newPassword }) {
  const { page } = dashboard;
  dashboard.expectStatus(401);
  await page.goto(dashboard.url);
  await dashboard.fillLogin(dashboard.user, "not it 1");
  await page.getByRole("alert").waitFor();

  await dashboard.fillLogin(dashboard.user, dashboard.password);
  await page.getByRole("heading", { name: "Choose a password of your own" }).waitFor();
  await page.reload();  // does not lead around it
  await page.getByRole("heading", { name: "Choose a password of your own" }).waitFor();
  const dialog = page.getByRole("main");
  await dialog.getByRole("textbox", { name: "Current password" }).fill(dashboard.password);
  await dialog.getByRole("textbox", { name: "New password", exact: true }).fill("short");
  await dialog.getByRole("textbox", { name: "New password again" }).fill("short");
  await dialog.getByRole("button", { name: "Change password" }).click();
  await dialog.getByText("8 to 64 characters").nth(1).waitFor();
  await dialog.getByRole("textbox", { name: "New password", exact: true }).fill(newPassword);
  await dialog.getByRole("textbox", { name: "New password again" }).fill(newPassword);
  await dialog.getByRole("button", { name: "Change password" }).click();

  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await dashboard.fillLogin(dashboard.user, newPassword);
  await dashboard.expectTitle("Overview");

  await dashboard.logOut();
  assert.equal(await page.evaluate(() => localStorage.getItem("signalbox-session")), "null");
}
