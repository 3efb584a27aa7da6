// Times move with the chosen zone, those that are shown and those that are typed.
import { strict as assert } from "node:assert";

export async function run(dashboard) {
  const { page } = dashboard;
  await dashboard.logIn("/users");
  await dashboard.open("/clients");
  await dashboard.open("/settings");
  await page.getByRole("textbox", { name: "Time zone" }).fill("Asia/Shanghai");
  await page.getByRole("option", { name: "Asia/Shanghai", exact: true }).click();
  await dashboard.visit("/audit");
  const [shown] = await page.locator("tbody time").allInnerTexts();
  const ahead = Date.parse(`${shown.replace(" ", "T")}Z`) - Date.now();
  assert.ok(Math.abs(ahead - 8 * 3_600_000) < 600_000, `${shown} is not eight hours ahead`);
  // What was done until an hour ago, in Shanghai's time, leaves out the log-in of just now.
  const hourAgo = new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 16);
  await page.getByRole("search").getByLabel("Before").fill(hourAgo);
  await page.getByText("Nothing matches these filters.").waitFor();
}
