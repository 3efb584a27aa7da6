// What the first page costs on the wire, from the empty cache to the charts that are drawn.
import { strict as assert } from "node:assert";

export async function run(dashboard, { limit }) {
  const { page } = dashboard;
  const asked = [];
  page.on("requestfinished", (request) => {
    if (!request.url().includes("/api/v5/")) asked.push(request.sizes().then(({ responseBodySize }) => [request.url(), responseBodySize]));
  });
  await dashboard.logIn();
  await page.getByRole("img", { name: /^Messages per second/ }).waitFor();
  await page.waitForLoadState("networkidle");
  const sizes = await Promise.all(asked);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  console.log(`first load: ${sizes.length} files, ${total} bytes`);
  assert.ok(sizes.length >= 4 && total > 100_000, "the pages were not measured");
  assert.ok(total < limit, JSON.stringify(sizes));
}
