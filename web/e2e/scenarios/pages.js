// Every page opens from the menu, says its name, and breaks nothing; in both languages, and by keyboard alone.
import { strict as assert } from "node:assert";

import { menuPages } from "../pages.js";

export async function run(dashboard) {
  const { page } = dashboard;
  await dashboard.logIn();
  const menu = page.getByRole("navigation").first();
  for (const title of menuPages) {
    await menu.getByRole("link", { name: title, exact: true }).click();
    await dashboard.expectTitle(title);
    await page.waitForLoadState("networkidle");
    assert.equal(await page.getByText("The request failed").count(), 0, title);
  }

  // By keyboard: the first stop leads past the menu, and a page change moves the focus to its content.
  await dashboard.open("/clients");
  await page.reload();
  await dashboard.expectTitle("Clients");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "content");

  await page.getByRole("button", { name: "Language" }).click();
  await page.getByRole("menuitem", { name: "中文" }).click();
  await page.getByRole("heading", { level: 1, name: "客户端" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "客户端" }).waitFor();

  // Forms made from the schema speak it too, and change with it.
  await dashboard.open("/configuration/mqtt");
  await page.getByRole("textbox", { name: "飞行窗口大小" }).waitFor();
  await page.getByText(/（整数 1\.\.65535）/).first().waitFor();
  await page.getByRole("button", { name: "语言" }).click();
  await page.getByRole("menuitem", { name: "English" }).click();
  await page.getByRole("textbox", { name: "Max inflight" }).waitFor();
}
