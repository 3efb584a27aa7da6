#!/usr/bin/python3
"""The routing schemas side by side: rates of subscribe, unsubscribe and match, heap of a route, and the instructions of one
match as callgrind counts them, with plain, wildcard and shared+wildcard filters that share long prefixes.

    bench/routes.py [--sizes 10000,100000,1000000] [--matches 2000] [--report]

Exit code 1: the instructions of one match in v2 grow by more than 1.3 times from the first size to the last. --report puts the
table into docs/performance.md. Without valgrind the instructions are left out, and nothing is judged.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from driver import report

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"
PAGE = ROOT / "docs/performance.md"
KINDS = ("plain", "wildcard", "shared")
GROWTH = 1.3


def rates(sizes):
    """{(operation, schema, kind, size): (a second, heap of a route)}"""
    wanted = "|".join(map(str, sizes))
    argv = [BIN / "route_bench", "--benchmark_format=json", f"--benchmark_filter=^(subscribe|unsubscribe|match)/[12]/[012]/({wanted})(/|$)"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    out = {}
    for row in json.loads(done.stdout)["benchmarks"]:
        operation, schema, kind, size = row["name"].split("/")[:4]
        out[operation, f"v{schema}", KINDS[int(kind)], int(size)] = row["items_per_second"], row.get("heap_per_route")
    return out


def instructions(schema, kind, size, matches):
    with tempfile.NamedTemporaryFile() as counted:
        subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={counted.name}",
                        BIN / "route_callgrind", schema, kind, str(size), str(matches)], capture_output=True, check=True)
        total = re.search(r"^(?:totals|summary): (\d+)", pathlib.Path(counted.name).read_text(), re.MULTILINE)
    return int(total.group(1)) / matches


def table(given):
    sizes = [int(size) for size in given.sizes.split(",")]
    measured, worst = rates(sizes), 0.0
    lines = ["| filters | schema | number | subscribes/s | unsubscribes/s | matches/s | heap B a route | instructions a match | growth |",
             "|---" * 9 + "|"]
    for kind in KINDS:
        for schema in ("v1", "v2"):
            first = None
            for size in sizes:
                figures = [measured[operation, schema, kind, size][0] for operation in ("subscribe", "unsubscribe", "match")]
                heap, count, growth = measured["subscribe", schema, kind, size][1], None, None
                if shutil.which("valgrind"):
                    count = instructions(schema, kind, size, given.matches)
                    first = first or count
                    growth = count / first
                    if schema == "v2":
                        worst = max(worst, growth)
                lines.append(f"| {kind} | {schema} | {size:,} | " + " | ".join(map(report.number, [*figures, heap, count])) +
                             f" | {f'{growth:.2f}' if growth else '–'} |")
    if worst:
        lines += ["", f"In v2 the instructions of one match grow at most {worst:.2f} times from {sizes[0]:,} to {sizes[-1]:,} filters; "
                  f"bar ≤ {GROWTH}: {'pass' if worst <= GROWTH else 'MISS'}."]
    return "\n".join(lines), worst <= GROWTH


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--matches", type=int, default=2000)
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    text, met = table(given)
    print(text)
    if given.report:
        report.fill(PAGE, "routes-micro", text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
