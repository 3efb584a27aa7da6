// On a telephone no page is wider than the screen, in both languages; the menu opens and closes.
import { strict as assert } from "node:assert";

import { paths } from "../pages.js";

export async function run(dashboard, { more }) {
  const { page } = dashboard;
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(dashboard.url);
  await dashboard.fillLogin(dashboard.user, dashboard.password);
  await dashboard.expectTitle("Overview");
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("navigation").getByRole("link", { name: "Clients", exact: true }).click();
  await dashboard.expectTitle("Clients");
  for (const language of ["en", "zh"]) {
    await page.evaluate((chosen) => {
      localStorage.setItem("signalbox-settings", JSON.stringify({ language: chosen, timeZone: "" }));
    }, language);
    await page.reload();
    for (const path of [...paths, ...more]) {
      await dashboard.open(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForLoadState("networkidle");
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(beyond <= 0, `${language} ${path} is ${beyond} pixels too wide`);
    }
  }
}
