import type { AuditRecord } from "../../api/types";

/** "POST /api_key", or the command of the command line. */
export function operationOf(record: Pick<AuditRecord, "http_method" | "operation_id" | "operation_type" | "args">): string {
  if (record.http_method) return `${record.http_method.toUpperCase()} ${record.operation_id}`;
  return [record.operation_type, ...(Array.isArray(record.args) ? record.args : [])].filter(Boolean).join(" ");
}
