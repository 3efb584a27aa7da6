// What the forms of the schema say in Chinese. It is data, so that a system test can compare it with what a node tells.
import type { FieldTexts } from "./fieldTexts";
import descriptions from "./schema.descriptions.zh.json";
import names from "./schema.names.zh.json";
import types from "./schema.types.zh.json";

export const schema: FieldTexts = { names, descriptions, types };
