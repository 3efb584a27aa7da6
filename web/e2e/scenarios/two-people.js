// Two people change the same settings: who saves second is told, loads what the first has saved, and goes on from there.
// Nobody loses what is typed by leaving the page.
import { strict as assert } from "node:assert";

const save = (page) => page.getByRole("button", { name: "Save" }).click();

/** A page says so, a dialog closes. */
async function saved(page, { button }) {
  await save(page);
  if (button) await page.getByRole("dialog").waitFor({ state: "detached" });
  else await page.getByRole("alert").filter({ hasText: "Saved" }).waitFor();
}

const textbox = (page, { label }) => page.getByRole("textbox", { name: label, exact: true });

/** A form of a page, or of the dialog that a button opens there. */
async function show(dashboard, page, { path, button }) {
  await page.goto(`${dashboard.url}/#${path}`);
  if (button) await page.getByRole("button", { name: button }).click();
}

/** What somebody else does meanwhile, in a window of their own. */
async function otherSaves(dashboard, place) {
  const page = await dashboard.page.context().newPage();
  await show(dashboard, page, place);
  await textbox(page, place).fill(place.theirs);
  await saved(page, place);
  await page.close();
}

async function collide(dashboard, place) {
  const { page } = dashboard;
  const { mine, theirs, after } = place;
  await show(dashboard, page, place);
  const field = textbox(page, place);
  await field.fill(mine);
  await otherSaves(dashboard, place);
  await save(page);
  await dashboard.expectNotice("Somebody else has changed these settings meanwhile.");
  assert.equal(await field.inputValue(), mine, "what was typed stays");
  await page.getByRole("button", { name: "Load theirs" }).click();
  await page.getByRole("button", { name: "Load theirs" }).waitFor({ state: "detached" });
  assert.equal(await field.inputValue(), theirs);
  await field.fill(after);
  await saved(page, place);
  await page.reload();
  await show(dashboard, page, place);
  await field.waitFor();
  assert.equal(await field.inputValue(), after);
}

async function leave(dashboard, place) {
  const { page } = dashboard;
  const { path, mine, after } = place;
  const field = textbox(page, place);
  const away = page.getByRole("link", { name: "Banned clients" });
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  await dashboard.open(path);
  await field.fill(mine);
  await away.click();
  await question.waitFor();
  await dashboard.confirm("Cancel");
  await question.waitFor({ state: "detached" });
  assert.equal(await field.inputValue(), mine);
  // The browser asks in its own words before the page itself goes.
  const [dialog] = await Promise.all([
    page.waitForEvent("dialog"),
    page.evaluate(() => void window.setTimeout(() => window.location.reload())),
  ]);
  assert.equal(dialog.type(), "beforeunload");
  await dialog.dismiss();
  await away.click();
  await dashboard.confirm("Leave");
  await dashboard.expectTitle("Banned clients");
  await dashboard.open(path);
  await field.waitFor();
  assert.equal(await field.inputValue(), after, "nothing of it was saved");
}

export async function run(dashboard, { places }) {
  await dashboard.logIn();
  for (const place of places) {
    await collide(dashboard, place);
    if (!place.button) await leave(dashboard, place);
  }
}
