// What authenticators and sources are called, which of their keys a form shows, and how they are stored.
import type { TFunction } from "i18next";

import { api } from "../../api/client";
import type { Stored } from "../../api/stored";
import type { Field, Tree } from "../../form/schema";

/** "password_based:http" -> its two parts, as the API wants them */
export function partsOf(id: string): { mechanism: string; backend?: string } {
  const [mechanism = "", backend] = id.split(":");
  return backend ? { mechanism, backend } : { mechanism };
}

/** Mechanism, backend and type are chosen, not typed. */
export const settingsOf = (fields: Field[] | undefined): Field[] =>
  (fields ?? []).filter(({ name }) => !["mechanism", "backend", "type"].includes(name));

export const mechanismName = (t: TFunction, id: string): string =>
  t(`mechanism.${id.replace(":", "_")}`, { defaultValue: id });

export const sourceName = (t: TFunction, type: string): string => t(`source.${type}`, { defaultValue: type });

const without = (answer: unknown, names: string[]): Tree =>
  Object.fromEntries(Object.entries(answer as Tree).filter(([name]) => !names.includes(name)));

/** Its settings, without what names it. */
export function storedAuthenticator(id: string): Stored<Tree> {
  const params = { path: { id } };
  return {
    get: () => api.GET("/api/v5/authentication/{id}", { params }),
    show: (answer) => without(answer, ["id", "mechanism", "backend"]),
    put: (tree, headers) =>
      api.PUT("/api/v5/authentication/{id}", { params, body: { ...partsOf(id), ...tree } as never, headers }),
  };
}

/** Its settings, without what names it. */
export function storedSource(type: string): Stored<Tree> {
  const params = { path: { type } as never };
  return {
    get: () => api.GET("/api/v5/authorization/sources/{type}", { params }),
    show: (answer) => without(answer, ["type"]),
    put: (tree, headers) =>
      api.PUT("/api/v5/authorization/sources/{type}", { params, body: { type, ...tree } as never, headers }),
  };
}
