// The schema of configuration as `GET /schemas/hotconf` tells it, and what a form needs to know of it.
export interface Field {
  name: string;
  /** boolean, integer, number, string, secret, enum, duration, size, percent, rate, ip:port, path, any, object */
  type: string;
  shape: "scalar" | "object" | "list" | "map" | "any";
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  symbols?: string[];
  /** Literals beside the type, such as infinity. */
  words?: string[];
  secret?: boolean;
  required?: boolean;
  hidden?: boolean;
  deprecated?: boolean;
  /** Cannot change while the node runs. */
  readonly?: boolean;
  after_restart?: boolean;
  fields?: Field[];
}

export interface HotConf {
  roots: Field[];
  /** By id and type: what each mechanism and source is set up with. */
  authentication?: Field[];
  authorization?: Field[];
}

export type Tree = { [key: string]: unknown };

export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function getAt(tree: Tree, path: string[]): unknown {
  let at: unknown = tree;
  for (const part of path) at = isTree(at) ? at[part] : undefined;
  return at;
}

/** A copy with the value at this place; `undefined` takes the key away, and objects that are empty then. */
export function setAt(tree: Tree, path: string[], value: unknown): Tree {
  const [head, ...rest] = path;
  if (head === undefined) return tree;
  const out = { ...tree };
  const inner = rest.length === 0 ? value : setAt(isTree(tree[head]) ? (tree[head] as Tree) : {}, rest, value);
  const gone = inner === undefined || (rest.length > 0 && value === undefined && isTree(inner) && Object.keys(inner).length === 0);
  if (gone) delete out[head];
  else out[head] = inner;
  return out;
}

/** Numbers are sent as numbers where the type has them; "infinity", "15s" and "1MB" as they were typed. */
export function scalarOf(field: Field, text: string): unknown {
  if (text === "") return undefined;
  if ((field.type === "integer" || field.type === "number") && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}

export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const kForms: Record<string, RegExp> = {
  duration: /^(\d+(\.\d+)?(ms|s|m|h|d|w)?)+$/i,
  size: /^\d+(\.\d+)?\s*(b|kb|mb|gb|tb)?$/i,
  percent: /^(\d+(\.\d+)?%|0(\.\d+)?|1(\.0+)?)$/,
  rate: /^(infinity|\d+(\.\d+)?\s*(b|kb|mb|gb)?(\/\d*(ms|s|m|h|d))?)$/i,
  integer: /^-?\d+$/,
  number: /^-?\d+(\.\d+)?$/,
};

export type Fault = "required" | "form" | "range";

/** What is wrong with a scalar; the server has the last word. */
export function faultOf(field: Field, value: unknown): Fault | null {
  const text = textOf(value);
  if (text === "") return field.required && field.default === undefined ? "required" : null;
  if (isSecret(field) && /^(\*{6}|file:\/\/)/.test(text)) return null;
  if (field.words?.includes(text)) return null;
  const form = kForms[field.type.split(" ")[0] ?? ""];
  if (form && !form.test(text)) return "form";
  if (field.type === "integer" || field.type === "number") {
    const number = Number(text);
    if (field.minimum !== undefined && number < field.minimum) return "range";
    if (field.maximum !== undefined && number > field.maximum) return "range";
  }
  return null;
}

/** Every fault of a tree, by dotted path; objects that are not there are left alone. */
export function faultsOf(fields: Field[], tree: Tree, prefix = ""): Record<string, Fault> {
  const out: Record<string, Fault> = {};
  for (const field of fields) {
    const path = prefix + field.name;
    const value = tree[field.name];
    const { fields: inner } = field;
    if (inner && field.shape !== "scalar") {
      const trees: [string, unknown][] =
        field.shape === "object" ? [[path, value]] : Object.entries(value ?? {}).map(([key, one]) => [`${path}.${key}`, one]);
      for (const [at, tree] of trees) if (isTree(tree)) Object.assign(out, faultsOf(inner, tree, `${at}.`));
    } else if (field.shape === "scalar") {
      const fault = faultOf(field, value);
      if (fault) out[path] = fault;
    }
  }
  return out;
}

/** "max_packet_size" -> "Max packet size" */
export function titleOf(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  const known: Record<string, string> = { tls: "TLS", ssl: "TLS", tcp: "TCP", qos: "QoS", acl: "ACL", jwks: "JWKS", url: "URL", crl: "CRL", ocsp: "OCSP", id: "ID", gc: "GC", clientid: "client ID", conn: "connection", len: "length", authn: "authentication", dest: "destination", re: "regular expression", rh: "retain handling", rap: "retain as published", nl: "no local", cors: "CORS", api: "API", ip: "IP", mqueue: "queue", os: "OS", vm: "VM", cpu: "CPU", http: "HTTP", https: "HTTPS" };
  const out = words.split(" ").map((word) => known[word] ?? word).join(" ");
  return out.charAt(0).toUpperCase() + out.slice(1);
}

const kExamples: Record<string, string> = {
  duration: "15s, 1h30m",
  size: "512KB, 1MB",
  rate: "1000/s, 1MB/10s, infinity",
  percent: "80%",
  "ip:port": "1883, 127.0.0.1:1883",
};

function boundsOf({ type, minimum, maximum }: Field): string {
  if (type !== "integer" && type !== "number") return "";
  if (minimum !== undefined && maximum !== undefined) return ` ${minimum}..${maximum}`;
  if (minimum !== undefined) return ` ≥ ${minimum}`;
  return maximum === undefined ? "" : ` ≤ ${maximum}`;
}

/** What may be written: "integer 1..65535 or infinity", "duration: 15s, 1h30m". `words` and `colon`: of another language. */
export function expects(field: Field, words: Record<string, string> = {}, colon = ": "): string {
  const type = field.type.split(" (")[0] ?? field.type;
  const example = kExamples[type];
  const kind = field.symbols ? field.symbols.join(", ") : (words[type] ?? type) + boundsOf(field) + (example ? colon + example : "");
  return [kind, ...(field.words ?? [])].join(", ");
}

/** Where the control itself shows what may be chosen, or anything may be written. */
export const isPlain = (field: Field): boolean =>
  field.shape !== "scalar" ||
  field.symbols !== undefined ||
  choicesOf(field) !== null ||
  (["boolean", "string", "secret", "path"].includes(field.type) && !field.words?.length);

/** "Topics" -> "Topic": what one entry of a list is called. */
export const singular = (title: string): string => title.replace(/ies$/, "y").replace(/([^s])s$/, "$1");

/** Integers so few that all are offered: 0..2 */
export function choicesOf({ type, minimum, maximum, words }: Field): string[] | null {
  if (type !== "integer" || words?.length || minimum === undefined || maximum === undefined) return null;
  if (maximum - minimum > 4) return null;
  return Array.from({ length: maximum - minimum + 1 }, (_value, i) => String(minimum + i));
}

/** Keys that a person is offered. */
export const offered = (fields: Field[]): Field[] =>
  fields.filter(({ hidden, deprecated, readonly }) => !hidden && !deprecated && !readonly);

export const isSecret = ({ secret, type }: Field): boolean => secret === true || type === "secret";
