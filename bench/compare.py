#!/usr/bin/env python3
"""Runs the named cases against Signalbox and its peers in alternation, prints medians, ratios and the bars they meet.

Every run has a fresh broker on processor 0; the generator has processor 1. A run during which others used more than
--noise cores is repeated, at most --repeats times, and then kept with a mark. Exit code 1: a bar is missed (--strict).
"""
import argparse
import contextlib
import json
import os
import pathlib
import sys

from driver import brokers, cases, dashboard, loads, report

ROOT = pathlib.Path(__file__).resolve().parent.parent


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signalbox", default=str(ROOT / "build/release/bin/signalbox"))
    for name in ("mqttload", "flashmq", "mosquitto"):
        parser.add_argument("--" + name, default=os.environ.get(name.upper()), metavar="PATH",
                            help=f"left out when absent; also ${name.upper()}")
    parser.add_argument("--cases", help="names and groups, comma-separated; groups: " + ", ".join(cases.GROUPS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--noise", type=float, default=0.15, help="other_cores + steal_cores of a good run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench/results.jsonl", help="appended to")
    parser.add_argument("--report", action="store_true", help="fill docs/performance.md from --out, measuring nothing")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    for name in ("signalbox", "mqttload", "flashmq", "mosquitto"):
        path = getattr(given, name)
        if path and not os.access(path, os.X_OK):
            parser.error(f"--{name}: {path} is no program")
    return given


def chosen(given):
    if not given.cases:
        names = [g for g in cases.GROUPS if g != "reduced"] if given.mqttload else ["reduced", "idle", "durable-online-q1"]
    else:
        names = given.cases.split(",")
    known = {case.name for case in cases.ALL} | set(cases.GROUPS)
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"compare: unknown case {', '.join(unknown)}; --list names them")
    return [case for case in cases.ALL if case.name in names or case.group in names]


def contenders(given, case):
    """(label, kind, program, settings) of every broker that plays the case."""
    mine = [(label, "ours", given.signalbox, dict(settings)) for label, settings in case.variants]
    peers = [(name, name, getattr(given, name), {}) for name in report.PEERS if case.peers and getattr(given, name)]
    return mine + peers


def noise_of(row):
    """The noisiest phase of a run: a scenario of several phases prefixes these fields with a phase's name."""
    return max((row[key] + row.get(key.removesuffix("other_cores") + "steal_cores", 0)
                for key in row if key.endswith("other_cores")), default=0)


def once(given, case, contender):
    _, kind, program, settings = contender
    try:
        with brokers.Broker(kind, program, settings, case.both, "tls" in case.load, case.load == "own:idle ws") as broker:
            with dashboard.Dashboard(broker.api) if case.watched else contextlib.nullcontext():
                return loads.run(case, broker, given.mqttload)
    except (RuntimeError, OSError) as error:
        return {"ok": False, "error": str(error)}


def measured(given, case, contender):
    for attempt in range(given.repeats + 1):
        row = once(given, case, contender)
        if not row.get("ok") or noise_of(row) <= given.noise:
            return row
        print(f"{case.name} {contender[0]}: {noise_of(row):.2f} cores of others, attempt {attempt + 1}", file=sys.stderr)
    return {**row, "noisy": True}


def measure(given, out):
    for case in chosen(given):
        if not given.mqttload and (not case.load.startswith("own:") or "startup" in case.load):
            print(f"{case.name}: left out, it needs --mqttload", file=sys.stderr)
            continue
        for number in range(given.rounds):
            for contender in contenders(given, case):
                row = measured(given, case, contender) | {"case": case.name, "label": contender[0], "round": number}
                if not row["ok"]:
                    print(f"{case.name} {contender[0]}: failed: {row.get('error')}", file=sys.stderr)
                out.write(json.dumps(row) + "\n")
                out.flush()
                yield row


def main():
    given = options()
    if given.list:
        for case in cases.ALL:
            print(f"{case.group:8} {case.name:24} {case.load}")
        return 0
    if given.report:
        rows = report.load(given.out)
        page = ROOT / "docs/performance.md"
        programs = {"ours": given.signalbox} | {n: getattr(given, n) for n in report.PEERS if getattr(given, n)}
        report.fill(page, "machine", report.machine(programs))
        for group in cases.GROUPS:
            if any(row.get("case") == case.name for case in cases.ALL if case.group == group for row in rows):
                report.fill(page, group, report.table(rows, group))  # others keep what an earlier day measured
        return 0
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with open(given.out, "a", encoding="utf-8") as out:
        rows = list(measure(given, out))
    for group in cases.GROUPS:
        if any(row["case"] == case.name for case in cases.ALL if case.group == group for row in rows):
            print(f"\n{group}\n{report.table(rows, group)}")
    missed = [(case.name, bar.field) for case in cases.ALL for bar in case.bars
              if report.verdict(rows, case, bar)[1] == "MISS"]
    print(f"\n{len(missed)} bars missed" + "".join(f"\n  {name} {field}" for name, field in missed))
    failed = sum(not row["ok"] for row in rows)
    return 1 if failed or (given.strict and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
