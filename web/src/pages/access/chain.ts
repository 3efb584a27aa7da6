// What authenticators and sources are called, and which of their keys a form shows.
import type { TFunction } from "i18next";

import type { Field } from "../../form/schema";

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
