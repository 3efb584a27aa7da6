// Refusals of the API. A validation error carries JSON in its message: one complaint or several, each with the place and
// the reason.
export interface Complaint {
  path: string;
  reason: string;
  expected?: string;
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

function complaintsOf(message: string): Complaint[] {
  if (!message.startsWith("{") && !message.startsWith("[")) return [];
  try {
    const parsed: unknown = JSON.parse(message);
    const list = Array.isArray(parsed) ? parsed : [parsed];
    return list.filter(
      (one): one is Complaint =>
        typeof one === "object" && one !== null && typeof (one as Complaint).reason === "string",
    );
  } catch {
    return [];
  }
}

export function describeComplaint(complaint: Complaint): string {
  const place = complaint.path ? `${complaint.path.replace(/^root\./, "")}: ` : "";
  const expected = complaint.expected ? `, expected ${complaint.expected}` : "";
  return `${place}${complaint.reason.replaceAll("_", " ")}${expected}`;
}

/** The error of an answer whose body was read as JSON or text. */
export function errorOf(status: number, body: unknown): ApiError {
  if (typeof body === "object" && body !== null) {
    const { code, message } = body as { code?: unknown; message?: unknown };
    const text = typeof message === "string" ? message : "";
    const complaints = complaintsOf(text);
    const shown = complaints.length > 0 ? complaints.map(describeComplaint).join("; ") : text;
    return new ApiError(status, typeof code === "string" ? code : "", shown || `HTTP ${status}`, complaints);
  }
  return new ApiError(status, "", typeof body === "string" && body !== "" ? body : `HTTP ${status}`);
}
