import { api } from "../api/client";
import { sessionStore } from "./session";

/** The session ends here whatever the server says: it may be gone. */
export async function logOut(username: string) {
  await api.POST("/api/v5/logout", { body: { username } }).catch(() => undefined);
  sessionStore.set(null);
}
