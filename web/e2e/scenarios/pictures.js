// The pictures of README and docs: the overview under some load, light and dark.
export async function run(dashboard, { atLeast }) {
  const { page } = dashboard;
  await dashboard.logIn();
  await page.getByRole("img", { name: /Messages per second: Received [1-9]/ }).waitFor({ timeout: 60_000 });
  await page.getByRole("region", { name: "Connections" }).getByText(String(atLeast), { exact: true }).waitFor();
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(500); // a canvas tells nobody that it was drawn again
    await dashboard.picture(`overview-${scheme}`);
  }
}
