// Finds a client that is really connected, subscribes in its name, publishes to it, kicks it out.
export async function run(dashboard, { clientid, topic, added, payload }) {
  const { page } = dashboard;
  await dashboard.logIn("/clients");
  await page.getByRole("search").getByLabel("Client ID").fill(clientid.slice(2));
  await page.waitForURL(/like_clientid=/);
  await dashboard.row(clientid).getByText("Connected").waitFor();
  await page.getByRole("link", { name: clientid }).click();
  await page.getByRole("heading", { level: 1, name: clientid }).waitFor();
  const subscriptions = page.getByRole("table", { name: "Subscriptions" });
  await subscriptions.getByText(topic, { exact: true }).waitFor();
  await dashboard.picture("client");

  await page.getByRole("button", { name: "Add a subscription" }).click();
  const subscribe = page.getByRole("dialog", { name: "Add a subscription" });
  await subscribe.getByLabel("Topic filter").fill(added);
  await dashboard.choose("QoS", "1 – at least once", subscribe);
  await subscribe.getByRole("button", { name: "Subscribe", exact: true }).click();
  await subscriptions.getByText(added, { exact: true }).waitFor();

  await page.getByRole("button", { name: "Publish", exact: true }).click();
  const publish = page.getByRole("dialog", { name: `Publish to ${clientid}` });
  await publish.getByRole("textbox", { name: "Topic", exact: true }).fill("nobody/listens/here");
  await publish.getByText("would not get the message").waitFor();
  await publish.getByRole("textbox", { name: "Topic", exact: true }).fill(added);
  await publish.getByRole("textbox", { name: "Payload", exact: true }).fill(payload);
  await publish.getByRole("button", { name: "Publish", exact: true }).click();
  await dashboard.expectNotice("Published");

  dashboard.expectStatus(404); // the page of a client that is gone may ask once more
  await page.getByRole("button", { name: "Kick out", exact: true }).click();
  await dashboard.confirm("Kick out");
  await dashboard.expectNotice("Kicked out");
  await dashboard.expectTitle("Clients");
  await dashboard.row(clientid).waitFor({ state: "detached" });
}
