#!/usr/bin/env bash
# What `./dev bench` runs after a release build.
#   ./dev bench [micro|routes|authn|compare] [ARGS]   without a word, and for options alone: compare
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
BIN=build/release/bin

# Instructions of one match from 1e4 to 1e6 filters (callgrind), and how much they grow.
routes() {
  local schema kind filters matches=2000 first count
  mkdir -p build/bench
  "$BIN/route_bench" "$@"
  [[ -x $BIN/route_callgrind ]] || { echo "route_callgrind was not built: valgrind is missing"; return; }
  printf '\n%-8s %-10s %10s %22s %8s\n' schema filters number 'instructions a match' growth
  for schema in v1 v2; do
    for kind in plain wildcard shared; do
      first=
      for filters in 10000 100000 1000000; do
        valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file=build/bench/callgrind.out \
          "$BIN/route_callgrind" "$schema" "$kind" "$filters" "$matches" >/dev/null 2>build/bench/callgrind.log
        count=$(awk '/^(totals|summary):/ {print int($2 / '"$matches"'); exit}' build/bench/callgrind.out)
        first=${first:-$count}
        printf '%-8s %-10s %10s %22s %8.2f\n' "$schema" "$kind" "$filters" "$count" \
          "$(awk "BEGIN {print $count / $first}")"
      done
    done
  done
}

case ${1:-} in
  micro) for one in codec_bench route_bench retained_bench store_bench authorization_bench; do if [[ -x $BIN/$one ]]; then "$BIN/$one" "${@:2}"; fi; done ;;
  routes) routes "${@:2}" ;;
  authn) exec /usr/bin/python3 bench/authn.py "${@:2}" ;;
  compare) exec /usr/bin/python3 bench/compare.py "${@:2}" ;;
  *) exec /usr/bin/python3 bench/compare.py "$@" ;;
esac
