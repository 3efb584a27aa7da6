// Makes one API key of each role and leaves their secrets, as shown this once, for the test to use.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const kRoles = { administrator: "Administrator", viewer: "Viewer", publisher: "Publisher" };

export async function run(dashboard) {
  const { page } = dashboard;
  await dashboard.logIn("/api-keys");
  const made = {};
  for (const [role, label] of Object.entries(kRoles)) {
    const name = `for_${role}`;
    await page.getByRole("button", { name: "New API key" }).click();
    const form = page.getByRole("dialog", { name: "New API key" });
    await form.getByLabel("Name").fill(name);
    await dashboard.choose("Role", label, form);
    await form.getByRole("button", { name: "Save" }).click();
    const shown = page.getByRole("dialog", { name: `API key ${name}` });
    made[role] = {
      key: await shown.getByRole("textbox", { name: "API key" }).inputValue(),
      secret: await shown.getByRole("textbox", { name: "Secret" }).inputValue(),
    };
    await shown.getByRole("button", { name: "Close" }).last().click();
    await dashboard.row(name).getByText(label, { exact: true }).waitFor();
  }
  writeFileSync(join(dashboard.out, "keys.json"), JSON.stringify(made));
}
