// Runs one scenario against a running node in the Chromium of the system. Usage: node e2e/run.js SCENARIO
// Environment: SB_URL, SB_USER, SB_PASSWORD, SB_OUT (a folder for what it leaves), SB_ARGS (JSON of the scenario's own),
// SB_CHROMIUM (/usr/bin/chromium). Exit code 0: everything was as expected.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { Dashboard } from "./dashboard.js";

const name = process.argv[2];
const out = process.env.SB_OUT ?? "build/e2e";
mkdirSync(out, { recursive: true });
const { run } = await import(`./scenarios/${name}.js`);

const browser = await chromium.launch({
  executablePath: process.env.SB_CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
const context = await browser.newContext({
  viewport: { width: 1360, height: 900 },
  locale: "en-GB",
  timezoneId: "UTC",
  acceptDownloads: true,
  // What still moves is not where it is clicked.
  reducedMotion: "reduce",
});
const page = await context.newPage();
page.setDefaultTimeout(10_000);
const dashboard = new Dashboard(page, {
  url: process.env.SB_URL,
  user: process.env.SB_USER ?? "admin",
  password: process.env.SB_PASSWORD ?? "public",
  out,
});
let code = 0;
try {
  await run(dashboard, JSON.parse(process.env.SB_ARGS ?? "{}"));
  dashboard.expectNoFaults();
} catch (error) {
  code = 1;
  console.error(error instanceof Error ? error.stack : error);
  for (const fault of dashboard.faults) console.error(fault);
  await page.screenshot({ path: join(out, `${name}-failed.png`) }).catch(() => undefined);
}
await browser.close();
process.exit(code);
