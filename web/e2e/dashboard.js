// What a person does in the dashboard, in the words of its labels.
import { strict as assert } from "node:assert";
import { join } from "node:path";

/** Refusals that tell a page what it wants to know: nothing was imported yet. */
const isAnswer = (response) => response.status() === 404 && response.url().endsWith("/data/imports/last");

export class Dashboard {
  constructor(page, { url, user, password, out }) {
    this.page = page;
    this.url = url;
    this.user = user;
    this.password = password;
    this.out = out;
    // What a page must never do: break, or ask for what is not there.
    this.faults = [];
    page.on("pageerror", (error) => this.faults.push(`page error: ${error.message}`));
    page.on("response", (response) => {
      if (response.status() >= 400 && !this.expected.has(response.status()) && !isAnswer(response))
        this.faults.push(`${response.status()} ${response.request().method()} ${response.url()}`);
    });
    // Everything comes from the node itself: a dashboard works where there is no internet.
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (/^https?:$/.test(protocol) && origin !== new URL(url).origin) this.faults.push(`asks ${request.url()}`);
    });
    this.expected = new Set();
  }

  /** Answers of this status are part of the scenario. */
  expectStatus(...statuses) {
    for (const status of statuses) this.expected.add(status);
  }

  expectNoFaults() {
    assert.deepEqual(this.faults, []);
  }

  async fillLogin(user, password) {
    await this.page.getByLabel("User name").fill(user);
    await this.page.getByRole("textbox", { name: "Password", exact: true }).fill(password);
    await this.page.getByRole("button", { name: "Log in" }).click();
  }

  async logIn(path = "/") {
    await this.page.goto(`${this.url}/#${path}`);
    await this.fillLogin(this.user, this.password);
    await this.page.getByRole("navigation").first().waitFor();
  }

  async open(path) {
    await this.page.goto(`${this.url}/#${path}`);
  }

  async expectTitle(title) {
    await this.page.getByRole("heading", { level: 1, name: title }).waitFor();
  }

  /** A page and all that it loads at first. */
  async visit(path) {
    await this.open(path);
    await this.page.getByRole("heading", { level: 1 }).waitFor();
    await this.page.waitForFunction(() => !document.querySelector(".mantine-Loader-root"));
    await this.page.waitForLoadState("networkidle");
  }

  async logOut(user = this.user) {
    await this.page.getByRole("button", { name: `Account of ${user}` }).click();
    await this.page.getByRole("menuitem", { name: "Log out" }).click();
    await this.page.getByRole("heading", { name: "Log in" }).waitFor();
  }

  row(key) {
    return this.page.locator(`tr[data-row="${key}"]`);
  }

  /** The question that comes before something is destroyed. */
  async confirm(button) {
    await this.page.getByRole("dialog").getByRole("button", { name: button }).click();
  }

  async expectNotice(text) {
    await this.page.getByRole("alert").filter({ hasText: text }).first().waitFor();
  }

  /** Of a Mantine select: opens it and takes an option. */
  async choose(label, option, within = this.page) {
    await within.getByRole("textbox", { name: label }).click();
    await this.page.getByRole("option", { name: option, exact: true }).click();
  }

  async picture(name) {
    await this.page.screenshot({ path: join(this.out, `${name}.png`) });
  }
}
