#!/bin/sh
# Builds the dashboard into OUT/dist and OUT/dashboard_files.{S,cc}. Usage: web/build.sh OUT
# Packages come from the npm registry once and stay in web/node_modules; what did not change is not built again.
set -eu
cd "$(dirname "$0")"
mkdir -p "$1"
out=$(cd "$1" && pwd)

explain() {
  echo "The dashboard cannot be built: $1" >&2
  echo "To build Signalbox without a dashboard, configure it with -DSB_DASHBOARD=OFF." >&2
  exit 1
}

command -v node >/dev/null || explain "node is not installed (Debian package nodejs, 18 or later)."
command -v npm >/dev/null || explain "npm is not installed (Debian package npm)."

# Two builds at once (another preset) must not install at the same time.
exec 9>.install.lock
command -v flock >/dev/null && flock 9

lock=$(sha256sum package-lock.json)
if [ "$(cat node_modules/.installed 2>/dev/null)" != "$lock" ]; then
  npm ci --no-audit --no-fund --loglevel=error ||
    explain "npm ci failed. It needs the npm registry, or a mirror set with 'npm config set registry URL'."
  echo "$lock" >node_modules/.installed
fi

inputs=$(find src public scripts index.html package-lock.json vite.config.ts tsconfig.json -type f ! -name schema.d.ts ! -name '*.test.ts*' \
  -exec sha256sum {} + | LC_ALL=C sort | sha256sum)
if [ "$(cat "$out/built" 2>/dev/null)" != "$inputs" ] || [ ! -e "$out/dashboard_files.cc" ]; then
  SB_DASHBOARD_OUT="$out/dist" npm run --silent build -- --logLevel warn || explain "vite failed, see above."
  node scripts/embed.js "$out/dist" "$out"
  node scripts/check-size.js "$out/dist" >"$out/size.txt" || { cat "$out/size.txt"; explain "its first load is too large."; }
  echo "$inputs" >"$out/built"
fi
touch "$out/dashboard_files.S" "$out/dashboard_files.cc"
