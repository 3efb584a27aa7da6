// Turns the built files into assembler that holds them, gzipped beside as they are, and a C++ table of them.
// Usage: node scripts/embed.js DIST OUT_FOLDER   writes OUT_FOLDER/dashboard_files.{S,cc} and OUT_FOLDER/gz/
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";

const kTypes = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

const [dist, out] = process.argv.slice(2);
if (!dist || !out) throw new Error("usage: embed.js DIST OUT_FOLDER");

function walk(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? walk(path) : [path];
    });
}

rmSync(join(out, "gz"), { recursive: true, force: true });
const assembler = ['.section .rodata\n.section .note.GNU-stack,"",%progbits\n.section .rodata\n'];
const externs = [];
const rows = [];
// The manifest is for check-size.js alone.
const files = walk(dist).filter((file) => relative(dist, file) !== "manifest.json");
files.forEach((file, i) => {
  const path = relative(dist, file);
  const type = kTypes[extname(file)];
  if (!type) throw new Error(`${path}: no content type for ${extname(file)}`);
  const bytes = readFileSync(file);
  const zipped = join(out, "gz", `${path}.gz`);
  mkdirSync(dirname(zipped), { recursive: true });
  writeFileSync(zipped, gzipSync(bytes, { level: 9 }));
  for (const [symbol, source] of [[`sb_web_${i}`, file], [`sb_web_${i}_gz`, zipped]]) {
    assembler.push(`.global ${symbol}, ${symbol}_end\n${symbol}: .incbin ${JSON.stringify(source)}\n${symbol}_end: .byte 0\n`);
    externs.push(`extern const char ${symbol}[], ${symbol}_end[];`);
  }
  const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const view = (symbol) => `{${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}`;
  const immutable = path.startsWith("assets/");
  rows.push(
    `      {"/${path}", ${JSON.stringify(type)}, ${view(`sb_web_${i}`)}, ${view(`sb_web_${i}_gz`)}, "\\"${tag}\\"", ${immutable}},`,
  );
});

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "dashboard_files.S"), assembler.join(""));
writeFileSync(
  join(out, "dashboard_files.cc"),
  `// Made by web/scripts/embed.js.
#include "app/dashboard.h"

extern "C" {
${externs.join("\n")}
}

namespace sb::app {
std::vector<DashboardFile> dashboard_files() {
  return {
${rows.join("\n")}
  };
}
}  // namespace sb::app
`,
);
