// Clients by the time of their connection, typed in the zone of the page.
/** An instant as a datetime-local field takes it; the browser's zone is UTC. */
const fieldOf = (minutesFromNow) => new Date(Date.now() + minutesFromNow * 60_000).toISOString().slice(0, 16);

export async function run(dashboard, { clientid }) {
  const { page } = dashboard;
  await dashboard.logIn("/clients");
  const row = dashboard.row(clientid);
  await row.waitFor();
  await page.getByLabel("Connected after").fill(fieldOf(5));
  await row.waitFor({ state: "detached" });
  await page.getByText("Nothing matches these filters.").waitFor();
  await page.getByLabel("Connected after").fill(fieldOf(-5));
  await row.waitFor();
  await page.getByLabel("Connected before").fill(fieldOf(-4));
  await row.waitFor({ state: "detached" });
  await page.getByLabel("Connected before").fill(fieldOf(5));
  await row.waitFor();
  // The filter is part of the address.
  await page.reload();
  await row.waitFor();
}
