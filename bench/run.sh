#!/usr/bin/env bash
# What `./dev bench` runs after a release build.
#   ./dev bench [micro|routes|authn|compare] [ARGS]   without a word, and for options alone: compare
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
BIN=build/release/bin

case ${1:-} in
  micro) for one in codec_bench route_bench retained_bench store_bench authorization_bench; do if [[ -x $BIN/$one ]]; then "$BIN/$one" "${@:2}"; fi; done ;;
  routes) exec /usr/bin/python3 bench/routes.py "${@:2}" ;;
  authn) exec /usr/bin/python3 bench/authn.py "${@:2}" ;;
  compare) exec /usr/bin/python3 bench/compare.py "${@:2}" ;;
  *) exec /usr/bin/python3 bench/compare.py "$@" ;;
esac
