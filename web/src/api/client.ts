// The client of the management interface, typed from the OpenAPI document that the server itself prints.
import createClient from "openapi-fetch";

import { expireSession, sessionStore } from "../session/session";
import { ApiError, errorOf } from "./errors";
import { rootOf } from "./root";
import type { paths } from "./schema";

/** Where the node is seen from the page: a proxy may put it under a path of its own. */
const root = rootOf(window.location.href);

export const api = createClient<paths>({ baseUrl: root });

const headers = (): Record<string, string> => {
  const session = sessionStore.get();
  return session ? { Authorization: `Bearer ${session.token}` } : {};
};

/** A token that died ends the session; a wrong password at log-in does not come here. */
function endSessionOn(response: Response) {
  if (response.status === 401) expireSession();
}

api.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(headers())) request.headers.set(name, value);
    return request;
  },
  onResponse({ response }) {
    endSessionOn(response);
  },
});

export type Answer = Promise<{ data?: unknown; error?: unknown; response: Response }>;

/**
 * The content of an answer, or an ApiError. The document describes rows as open objects; T is what the page reads of
 * them.
 */
export async function take<T = void>(answer: Answer): Promise<T> {
  let got;
  try {
    got = await answer;
  } catch (cause) {
    throw new ApiError(0, "UNREACHABLE", cause instanceof Error ? cause.message : String(cause));
  }
  if (!got.response.ok) throw errorOf(got.response.status, got.error);
  return got.data as T;
}

/** The same with the name of what was answered, for an If-Match. */
export async function takeTagged(answer: Answer): Promise<{ data: unknown; etag: string | null }> {
  const data = await take<unknown>(answer);
  return { data, etag: (await answer).response.headers.get("etag") };
}

/** Files go up as multipart forms, which the document describes as plain bodies. */
export async function upload(path: string, part: string, file: File): Promise<void> {
  const body = new FormData();
  body.append(part, file, file.name);
  const response = await fetch(root + path, { method: "POST", headers: headers(), body });
  endSessionOn(response);
  if (!response.ok) throw errorOf(response.status, await readBody(response));
}

/** Fetches a file with the session's token and hands it to the browser to save. */
export async function download(path: string, filename: string): Promise<void> {
  const response = await fetch(root + path, { headers: headers() });
  endSessionOn(response);
  if (!response.ok) throw errorOf(response.status, await readBody(response));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  URL.revokeObjectURL(url);
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
