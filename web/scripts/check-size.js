// What a browser loads before the first page shows: prints each file's gzipped size and fails above the limit.
// Usage: node scripts/check-size.js DIST
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const kLimit = 500_000;
const dist = process.argv[2] ?? "build/dist";
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));

/** The files of an entry and of everything it imports at once, and of the overview with its charts. */
function collect(key, found) {
  const chunk = manifest[key];
  if (!chunk || found.has(chunk.file)) return;
  found.add(chunk.file);
  for (const sheet of chunk.css ?? []) found.add(sheet);
  for (const other of chunk.imports ?? []) collect(other, found);
}

const files = new Set(["index.html"]);
for (const key of ["index.html", "src/pages/overview/Charts.tsx"]) {
  if (!manifest[key]) throw new Error(`${key} is not in the manifest`);
  collect(key, files);
}
let total = 0;
for (const file of files) {
  const size = gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${file}`);
}
console.log(`${String(total).padStart(8)}  first load, gzipped; the limit is ${kLimit}`);
process.exit(total < kLimit ? 0 : 1);
