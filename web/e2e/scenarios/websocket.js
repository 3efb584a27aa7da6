// A client in the page connects, subscribes, publishes and receives.
export async function run(dashboard, { address }) {
  const { page } = dashboard;
  await dashboard.logIn("/websocket");
  await page.getByRole("textbox", { name: "Address" }).fill(address);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Subscribe", exact: true }).click();
  await page.getByRole("button", { name: "Unsubscribe from testtopic/#" }).waitFor();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  const log = page.getByRole("log", { name: "Messages" });
  await log.getByText("Sent").waitFor();
  await log.getByText("Received").waitFor();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByText("Not connected").waitFor();
}
