// Topic rewrite, auto-subscribe and Prometheus: lists and objects of the configuration by their forms.
import { strict as assert } from "node:assert";

export async function run(dashboard, { from, re, to, topic }) {
  const { page } = dashboard;
  const save = async () => {
    // The notice of the last save may still be there.
    const answered = page.waitForResponse((response) => response.request().method() !== "GET");
    await page.getByRole("button", { name: "Save" }).click();
    assert.equal((await answered).ok(), true, "the answer to Save");
    await dashboard.expectNotice("Saved");
  };
  await dashboard.logIn("/configuration/rewrite");
  await page.getByText("None yet.").waitFor();
  await page.getByRole("button", { name: "Add", exact: true }).click();
  assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true, "an empty rule");
  await dashboard.choose("Action", "publish");
  await page.getByRole("textbox", { name: "Source topic" }).fill(from);
  await page.getByRole("textbox", { name: "Destination topic" }).fill(to);
  await page.getByRole("textbox", { name: "Regular expression" }).fill(re);
  await save();

  await dashboard.open("/configuration/auto_subscribe");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("textbox", { name: "Topic", exact: true }).fill(topic);
  await dashboard.choose("QoS", "1");
  await save();
  await page.reload();
  await page.getByRole("textbox", { name: "Topic", exact: true }).waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Topic", exact: true }).inputValue(), topic);

  await dashboard.open("/configuration/prometheus");
  await page.getByRole("button", { name: "Push gateway" }).click();
  const headers = page.getByRole("group", { name: "Headers" });
  await headers.getByRole("button", { name: "Add" }).click();
  await headers.getByRole("textbox", { name: "Name 1" }).fill("X-Team");
  await headers.getByRole("textbox", { name: "Value 1" }).fill("plant");
  await page.getByRole("textbox", { name: "Interval" }).fill("30s");
  await save();
}
