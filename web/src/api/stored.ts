// What several people may change at once: saved only over what the change was made from.
import { take, takeTagged, type Answer } from "./client";
import { ApiError } from "./errors";

export interface Stored<T> {
  get: () => Answer;
  /** What is edited of the answer: the rest, live numbers say, may change without being in the way. */
  show: (answer: unknown) => T;
  put: (value: T, headers: Record<string, string>) => Answer;
}

async function readTagged<T>(stored: Stored<T>) {
  const { data, etag } = await takeTagged(stored.get());
  return { now: stored.show(data), headers: etag ? { "If-Match": etag } : ({} as Record<string, string>) };
}

export const read = async <T>(stored: Stored<T>): Promise<T> => (await readTagged(stored)).now;

export const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** Whether a save was refused because somebody else saved first. */
export const changedMeanwhile = (error: unknown) => error instanceof ApiError && error.status === 412;

/** Saves what was made of `base`, unless somebody has saved something else since. */
export async function write<T>(stored: Stored<T>, value: T, base: T): Promise<unknown> {
  const { now, headers } = await readTagged(stored);
  if (!same(now, base)) throw new ApiError(412, "PRECONDITION_FAILED", "changed");
  return take(stored.put(value, headers));
}

/** Changes a part of what is stored now and leaves the rest as it is. */
export async function amend<T>(stored: Stored<T>, change: (now: T) => T): Promise<unknown> {
  const { now, headers } = await readTagged(stored);
  return take(stored.put(change(now), headers));
}
