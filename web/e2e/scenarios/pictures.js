// The pictures of README and docs: a node with a fleet on it, its overview in both themes and languages.
export async function run(dashboard, { atLeast, clientid }) {
  const { page } = dashboard;
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await dashboard.logIn();
  await page.getByRole("img", { name: /Messages per second: Received [1-9]/ }).waitFor({ timeout: 60_000 });
  await page.getByRole("region", { name: "Connections" }).getByText(String(atLeast), { exact: true }).waitFor();
  const picture = async (name) => {
    await page.waitForLoadState("networkidle");
    await page.waitForTimeout(700); // a canvas tells nobody that it was drawn again
    await dashboard.picture(name);
  };
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await picture(`overview-${scheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  for (const [name, path] of [
    ["clients", "/clients"],
    ["client", `/clients/${clientid}`],
    ["configuration", "/configuration/rewrite"],
    ["audit", "/audit"],
    ["license", "/license"],
  ]) {
    await dashboard.visit(path);
    await picture(name);
  }
  await page.evaluate(() => localStorage.setItem("signalbox-settings", JSON.stringify({ language: "zh", timeZone: "" })));
  await page.reload();
  await dashboard.visit("/");
  await page.getByRole("img", { name: /每秒消息数/ }).waitFor();
  await picture("overview-zh");
}
