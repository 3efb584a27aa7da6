import type { AuditRecord } from "../../api/types";
import { instantOf } from "../../lib/time";

/** "POST /api_key", or the command of the command line. */
export function operationOf(record: Pick<AuditRecord, "http_method" | "operation_id" | "operation_type" | "args">): string {
  if (record.http_method) return `${record.http_method.toUpperCase()} ${record.operation_id}`;
  return [record.operation_type, ...(Array.isArray(record.args) ? record.args : [])].filter(Boolean).join(" ");
}

/** The fields give times of the chosen zone; the API takes RFC 3339. */
export function queryOf(values: Record<string, string>, timeZone: string): Record<string, string> {
  const out = { ...values };
  for (const key of ["gte_created_at", "lte_created_at"]) {
    const text = out[key];
    if (text === undefined) continue;
    const instant = instantOf(text, timeZone);
    if (instant) out[key] = instant;
    else delete out[key];
  }
  return out;
}
