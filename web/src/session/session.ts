// Who is logged in. The token is opaque and slides on with every request; the server says when it has died.
import { createStore, useStore } from "../state/store";

export interface Session {
  username: string;
  role: string;
  token: string;
  /** With the password that everybody knows: nothing is shown before it is another one. */
  mustChange?: boolean;
}

function isSession(value: unknown): value is Session | null {
  if (value === null) return true;
  const session = value as Partial<Session>;
  return typeof session.username === "string" && typeof session.role === "string" && typeof session.token === "string";
}

export const sessionStore = createStore<Session | null>("signalbox-session", null, isSession);

/** Whether the session that is over was ended by the server: the log-in page says so. */
export const expiredStore = createStore("signalbox-session-expired", false, (value) => typeof value === "boolean");

/** The server knows the token no longer: it expired, or the user was changed or deleted. */
export function expireSession() {
  if (!sessionStore.get()) return;
  expiredStore.set(true);
  sessionStore.set(null);
}

export function startSession(session: Session) {
  expiredStore.set(false);
  sessionStore.set(session);
}

export const useSession = () => useStore(sessionStore);

/** Viewers look; what would change something is not offered to them. The server decides all the same. */
export const useCanWrite = () => useSession()?.role === "administrator";
