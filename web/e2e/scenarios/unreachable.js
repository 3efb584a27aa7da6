// A node that does not answer, one that is back with an empty list, and one that refuses.
export async function run(dashboard) {
  const { page } = dashboard;
  await dashboard.logIn("/settings");
  const list = "**/api/v5/mqtt/topic_metrics";
  await page.route(list, (route) => route.abort());
  await dashboard.open("/topic-metrics");
  const alert = page.getByRole("alert").filter({ hasText: "The server does not answer" });
  await alert.waitFor();
  await page.unroute(list);
  await alert.getByRole("button", { name: "Try again" }).click();
  await page.getByText("No topic is watched.").waitFor();

  dashboard.expectStatus(500);
  await page.route("**/api/v5/alarms?*", (route) =>
    route.fulfill({ status: 500, contentType: "application/json", body: '{"code":"INTERNAL_ERROR","message":"the disk is full"}' }),
  );
  await dashboard.open("/alarms");
  await page.getByRole("alert").filter({ hasText: "the disk is full" }).waitFor();
}
