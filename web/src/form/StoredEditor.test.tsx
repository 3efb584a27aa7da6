import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { Answer } from "../api/client";
import type { Stored } from "../api/stored";
import { sessionStore } from "../session/session";
import { hasUnsaved } from "../state/unsaved";
import { show, startPage } from "../testing/page";
import type { Field, Tree } from "./schema";
import { StoredEditor } from "./StoredEditor";

beforeAll(async () => {
  await startPage();
  sessionStore.set({ username: "admin", token: "t", role: "administrator" });
});

const bind: Field = { name: "bind", type: "string", shape: "scalar" };

/** As the server: a state whose tag tells it from others, and a number that is no setting. */
class Server {
  bind = "1883";
  connections = 0;
  /** Runs between the look before a save and the save. */
  between = () => {};
  puts = vi.fn();

  tag = () => `"${this.bind}"`;
  stored: Stored<Tree> = {
    get: () => this.answer(200, { bind: this.bind, connections: this.connections++ }),
    show: (answer) => ({ bind: (answer as Tree).bind }),
    put: (tree, headers) => {
      this.between();
      this.puts(tree, headers);
      if (headers["If-Match"] !== this.tag()) return this.answer(412, { code: "PRECONDITION_FAILED", message: "changed" });
      this.bind = String(tree.bind).trim();
      return this.answer(200, tree);
    },
  };

  private async answer(status: number, body: unknown): Answer {
    const response = new Response(JSON.stringify(body), { status, headers: { etag: this.tag() } });
    return response.ok ? { data: body, response } : { error: body, response };
  }
}

let server: Server;
beforeEach(() => {
  server = new Server();
  show(<StoredEditor queryKey={["x"]} stored={server.stored} fields={() => [bind]} />);
});
afterEach(cleanup);

const field = () => screen.findByRole<HTMLInputElement>("textbox", { name: "Bind" });
const type = async (value: string) => fireEvent.change(await field(), { target: { value } });
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const button = (name: string) => screen.getByRole<HTMLButtonElement>("button", { name });

describe("a form of something stored", () => {
  it("is saved over what it was made from, again and again", async () => {
    for (const value of ["1884 ", "1885 "]) {
      await type(value);
      expect(hasUnsaved()).toBe(true);
      press("Save");
      // As the server writes it.
      await waitFor(async () => expect((await field()).value).toBe(value.trim()));
      expect(hasUnsaved()).toBe(false);
    }
    expect(server.puts.mock.calls).toEqual([
      [{ bind: "1884 " }, { "If-Match": '"1883"' }],
      [{ bind: "1885 " }, { "If-Match": '"1884"' }],
    ]);
  });

  it("says that somebody else saved first, keeps what was typed, and loads theirs", async () => {
    await type("1884");
    server.bind = "2000";
    press("Save");
    await screen.findByText(/Somebody else has changed these settings/);
    expect(server.puts).not.toHaveBeenCalled();
    expect((await field()).value).toBe("1884");
    await waitFor(() => expect(button("Load theirs").disabled).toBe(false));
    press("Load theirs");
    expect((await field()).value).toBe("2000");
    expect(screen.queryByText(/Somebody else/)).toBeNull();
    expect(hasUnsaved()).toBe(false);
    await type("2001");
    press("Save");
    await waitFor(() => expect(server.bind).toBe("2001"));
  });

  it("is refused by the server if the other saves in the last moment", async () => {
    await type("1884");
    server.between = () => (server.bind = "2000");
    press("Save");
    await screen.findByText(/Somebody else has changed these settings/);
    expect(server.puts).toHaveBeenCalledOnce();
    expect(server.bind).toBe("2000");
  });

  it("goes back to what is stored", async () => {
    await type("1884");
    press("Undo changes");
    expect((await field()).value).toBe("1883");
    expect(hasUnsaved()).toBe(false);
  });
});
