// A session that the server ended leads to the log-in page, which says why, and from there back to the page.
import { strict as assert } from "node:assert";

export async function run(dashboard) {
  const { page } = dashboard;
  dashboard.expectStatus(401);
  await dashboard.logIn("/banned");
  await dashboard.expectTitle("Banned clients");
  const { token, username } = await page.evaluate(() => JSON.parse(localStorage.getItem("signalbox-session")));
  const ended = await fetch(`${dashboard.url}/api/v5/logout`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ username }),
  });
  assert.equal(ended.status, 204);
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("Your session has ended.").waitFor();
  await dashboard.fillLogin(dashboard.user, dashboard.password);
  await dashboard.expectTitle("Banned clients");
  // Who leaves on purpose is told nothing.
  await dashboard.logOut();
  assert.equal(await page.getByText("Your session has ended.").count(), 0);
}
