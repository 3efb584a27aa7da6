#!/usr/bin/python3
"""What listing clients costs the data path: the latency of a paced load of 5,000 messages/s while nobody lists, and while
pages of all clients are asked for one after the other without a pause.

    bench/listing.py --mqttload PATH [--connected 10000] [--offline 190000] [--rounds 9] [--limit 1000] [--report]

One broker on processor 0 (node.shards = 1), generator and lister on processor 1. Runs without and with the lister
alternate. Exit code 1: the median of the 99th percentiles rises by more than 25 % and by more than 0.2 ms. --report puts
the table into docs/performance.md.
"""
import argparse
import multiprocessing
import os
import pathlib
import resource
import socket
import statistics
import struct
import sys
import time

from driver import brokers, dashboard, loads, report

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOAD = "pub1to1 --pairs 1000 --rate 5000 --qos 1 --payload 128 --secs 5"
RISE, SLACK_US = 1.25, 200
PAGE = ROOT / "docs/performance.md"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the port is free at once


def connect(port, number, client_id):
    """A session that outlives its connection (MQTT 3.1.1, clean session 0)."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    one.bind((f"127.0.1.{1 + number % 200}", 0))
    one.connect(("127.0.0.1", port))
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x00\x00\x00" + struct.pack(">H", len(name)) + name
    one.sendall(bytes([0x10, len(body)]) + body)
    answer = one.recv(4)
    if len(answer) != 4 or answer[3] != 0:
        raise RuntimeError(f"{client_id}: no CONNACK: {answer!r}")
    return one


def fill(port, connected, offline):
    for number in range(offline):
        one = connect(port, number, f"offline-{number:06}")
        one.sendall(b"\xe0\x00")
        one.close()
    return [connect(port, number, f"online-{number:06}") for number in range(connected)]


def list_pages(port, limit, total, stop, pages):
    """Page after page, then from the first one again; its own process."""
    dashboard.behind_the_generator()
    connection, token = dashboard.log_in(port)
    last, page = -(-total // limit), 0
    while not stop.is_set():
        page = page % last + 1
        dashboard.ask(connection, "GET", f"/clients?page={page}&limit={limit}", token)
        pages.value += 1


def run(given, broker, listing):
    stop, pages = multiprocessing.Event(), multiprocessing.Value("Q", 0)
    lister = None
    if listing:
        lister = multiprocessing.Process(target=list_pages, daemon=True,
                                         args=(broker.api, given.limit, given.connected + given.offline, stop, pages))
        lister.start()
        while pages.value == 0 and lister.is_alive():
            time.sleep(0.01)
    begin, before = time.monotonic(), pages.value
    row = loads.mqttload(given.mqttload, broker, LOAD)
    seconds, seen = time.monotonic() - begin, pages.value - before
    stop.set()
    if lister:
        lister.join(60)
        if lister.exitcode != 0:
            raise RuntimeError("the lister failed")
    if not row.get("ok"):
        raise RuntimeError(row.get("error"))
    return row | {"pages_per_s": seen / seconds}


def table(given, runs):
    lines = ["| | without | with listing |", "|---|---|---|"]
    for field, title in (("lat_us_p50", "p50 µs"), ("lat_us_p99", "p99 µs"), ("recv_per_s", "messages/s"),
                         ("pages_per_s", f"pages of {given.limit:,}/s")):
        values = [statistics.median(row[field] for row in runs[listing]) for listing in (False, True)]
        lines.append(f"| {title} | " + " | ".join(f"{value:,.0f}" for value in values) + " |")
    without, with_lists = (statistics.median(row["lat_us_p99"] for row in runs[listing]) for listing in (False, True))
    met = with_lists <= max(without * RISE, without + SLACK_US)
    lines += ["", f"{given.connected:,} connected clients, {given.offline:,} offline sessions; medians of {given.rounds} runs. "
              f"The p99 rises by {with_lists - without:,.0f} µs ({100 * (with_lists / without - 1):.0f} %); at most 25 % or "
              f"{SLACK_US} µs: {'pass' if met else 'MISS'}."]
    return "\n".join(lines), met


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signalbox", default=str(ROOT / "build/release/bin/signalbox"))
    parser.add_argument("--mqttload", default=os.environ.get("MQTTLOAD"), metavar="PATH", help="also $MQTTLOAD")
    parser.add_argument("--connected", type=int, default=10000)
    parser.add_argument("--offline", type=int, default=190000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--limit", type=int, default=1000, help="rows of a page")
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    if not given.mqttload or not os.access(given.mqttload, os.X_OK):
        parser.error("--mqttload: no program")
    return given


def main():
    given = options()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    settings = {"session_persistence.enable": True, "session_persistence.durability": "process"}
    runs = {False: [], True: []}
    with brokers.Broker("ours", given.signalbox, settings) as broker:
        begin = time.monotonic()
        held = fill(broker.tcp, given.connected, given.offline)
        print(f"{given.connected + given.offline} sessions after {time.monotonic() - begin:.0f} s", file=sys.stderr)
        for number in range(given.rounds):
            for listing in (False, True):
                row = run(given, broker, listing)
                runs[listing].append(row)
                print(f"{number} {'with' if listing else 'without':8} p50 {row['lat_us_p50']:6.0f} p99 {row['lat_us_p99']:8.0f} "
                      f"pages/s {row['pages_per_s']:.0f}", file=sys.stderr, flush=True)
        for one in held:
            one.close()
    text, met = table(given, runs)
    print(text)
    if given.report:
        report.fill(PAGE, "listing", text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
