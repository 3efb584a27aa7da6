// Makes a backup, saves it, deletes it on the node, sends it back and restores it.
import { join } from "node:path";

export async function run(dashboard) {
  const { page } = dashboard;
  await dashboard.logIn("/backup");
  await page.getByRole("button", { name: "New backup" }).click();
  const download = page.getByRole("button", { name: /^Download / });
  await download.waitFor();
  const [saved] = await Promise.all([page.waitForEvent("download"), download.click()]);
  const file = join(dashboard.out, saved.suggestedFilename());
  await saved.saveAs(file);

  await page.getByRole("button", { name: /^Delete / }).click();
  await dashboard.confirm("Delete");
  await page.getByText("No backup yet.").waitFor();

  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Upload" }).click(),
  ]);
  await chooser.setFiles(file);
  await page.getByText(saved.suggestedFilename()).first().waitFor();

  await page.getByRole("button", { name: /^Restore / }).click();
  await dashboard.confirm("Restore");
  await dashboard.expectNotice("Restored");
}
