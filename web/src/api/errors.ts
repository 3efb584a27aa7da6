// Refusals of the API. A validation error carries JSON in its message: one complaint or several, each with the place and
// the reason.
export interface Complaint {
  path: string;
  reason: string;
  expected?: string;
  value?: unknown;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly complaints: Complaint[] = [],
  ) {
    super(message);
    this.name = "ApiError";
  }
}

const isComplaint = (one: unknown): one is Complaint =>
  typeof one === "object" &&
  one !== null &&
  typeof (one as Complaint).reason === "string" &&
  typeof (one as Complaint).path === "string";

/** One, a list, or those of each root of a whole configuration by its name. */
function complaintsIn(parsed: unknown): Complaint[] {
  if (Array.isArray(parsed)) return parsed.filter(isComplaint);
  if (isComplaint(parsed)) return [parsed];
  return typeof parsed === "object" && parsed !== null
    ? Object.values(parsed).flatMap((root: unknown) => (Array.isArray(root) ? root : [root]).filter(isComplaint))
    : [];
}

function complaintsOf(message: string): Complaint[] {
  if (!message.startsWith("{") && !message.startsWith("[")) return [];
  try {
    return complaintsIn(JSON.parse(message));
  } catch {
    return [];
  }
}

const symbol = /^[a-z_]+$/;

export function describeComplaint({ path, reason, expected, value }: Complaint): string {
  const field = path.replace(/^root(\.|(?=\[)|$)/, "");
  const facts = [symbol.test(reason) ? reason.replaceAll("_", " ") : reason];
  if (reason === "not_built" && expected) facts.splice(0, 1, expected); // told in whole sentences
  else if (expected) facts.push(`expected ${expected}`);
  if (value !== undefined && value !== null) facts.push(`got ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${field ? `${field}: ` : ""}${facts.join(", ")}`;
}

const describe = (complaints: Complaint[]) => complaints.map(describeComplaint).join("; ");

/** The error of an answer whose body was read as JSON or text. */
export function errorOf(status: number, body: unknown): ApiError {
  if (typeof body === "object" && body !== null) {
    const { code, message } = body as { code?: unknown; message?: unknown };
    const text = typeof message === "string" ? message : "";
    const complaints = complaintsOf(text);
    const shown = describe(complaints) || text || `HTTP ${status}`;
    return new ApiError(status, typeof code === "string" ? code : "", shown, complaints);
  }
  const text = typeof body === "string" ? body : "";
  const complaints = complaintsOf(text);
  return new ApiError(status, "", describe(complaints) || text || `HTTP ${status}`, complaints);
}
