// Who is logged in. The token is opaque and slides on with every request; the server says when it has died.
import { createStore, useStore } from "../state/store";

export interface Session {
  username: string;
  role: string;
  token: string;
}

function isSession(value: unknown): value is Session | null {
  if (value === null) return true;
  const session = value as Partial<Session>;
  return typeof session.username === "string" && typeof session.role === "string" && typeof session.token === "string";
}

export const sessionStore = createStore<Session | null>("signalbox-session", null, isSession);

export const useSession = () => useStore(sessionStore);

/** Viewers look; what would change something is not offered to them. The server decides all the same. */
export const useCanWrite = () => useSession()?.role === "administrator";
