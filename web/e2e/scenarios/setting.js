// Changes one key of the configuration in the form of the schema, and finds who did it in the audit log.
import { strict as assert } from "node:assert";

export async function run(dashboard, { value }) {
  const { page } = dashboard;
  await dashboard.logIn("/configuration/mqtt");
  const field = page.getByRole("textbox", { name: "Max inflight" });
  await field.fill("0");
  await page.getByText("Expected: integer").waitFor();
  assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true);
  await field.fill(String(value));
  await page.getByRole("button", { name: "Save" }).click();
  await dashboard.expectNotice("Saved");
  await page.reload();
  await field.waitFor();
  assert.equal(await field.inputValue(), String(value));
  await dashboard.picture("configuration");

  await dashboard.open("/audit");
  await dashboard.choose("Method", "PUT", page.getByRole("search"));
  const row = page.getByRole("row").filter({ hasText: "PUT /configs/global_zone" }).first();
  await row.getByText("Success").waitFor();
  await row.getByText(dashboard.user).waitFor();
  await row.getByRole("button", { name: /^Show PUT/ }).click();
  const record = page.getByRole("dialog", { name: /PUT \/configs\/global_zone/ });
  await record.getByText(`"max_inflight": ${value}`).waitFor();
  await dashboard.picture("audit");
}
