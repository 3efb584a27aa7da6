// Every page by the rules of axe-core (WCAG 2.1 A and AA), in one colour scheme.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";

import { paths } from "../pages.js";

const kAxe = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const kRules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];

async function violations(page, rules = [...kRules, "best-practice"]) {
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }), rules);
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ""}`),
  );
}

export async function run(dashboard, { scheme, more }) {
  const { page } = dashboard;
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.goto(dashboard.url);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.evaluate(kAxe);
  assert.deepEqual(await violations(page), [], "log-in");
  await dashboard.logIn();
  const faults = [];
  for (const path of [...paths, ...more]) {
    await dashboard.visit(path);
    for (const fault of await violations(page)) faults.push(`${path}: ${fault}`);
  }
  // A dialog, with its form.
  await dashboard.visit("/users");
  await page.getByRole("button", { name: "Add a user" }).click();
  await page.getByRole("dialog").waitFor();
  for (const fault of await violations(page, kRules)) faults.push(`dialog: ${fault}`);
  assert.deepEqual(faults, []);
}
