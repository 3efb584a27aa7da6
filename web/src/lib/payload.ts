// A payload travels as base64 and is looked at in whichever form makes sense of it.
export type PayloadForm = "text" | "json" | "hex" | "base64";

export function bytesOf(base64: string): Uint8Array {
  const binary = atob(base64);
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** "" for JSON that is none: the caller offers the other forms. */
export function showPayload(bytes: Uint8Array, form: PayloadForm): string {
  switch (form) {
    case "text":
      return new TextDecoder().decode(bytes);
    case "json":
      try {
        return JSON.stringify(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), null, 2);
      } catch {
        return "";
      }
    case "hex": {
      const lines: string[] = [];
      for (let at = 0; at < bytes.length; at += 16) {
        const row = [...bytes.subarray(at, at + 16)].map((b) => b.toString(16).padStart(2, "0"));
        lines.push(`${at.toString(16).padStart(6, "0")}  ${row.join(" ")}`);
      }
      return lines.join("\n");
    }
    case "base64":
      return toBase64(bytes);
  }
}
