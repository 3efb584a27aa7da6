"""Free ports of the loopback: below those that the kernel gives to clients, in a part of its own for each worker, so that
nobody takes a port between the look and the listener."""
import itertools
import os
import pathlib
import random
import re
import socket

FIRST, WORKERS = 10_000, 16


def _part():
    last = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]) - 1
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % WORKERS
    size = max(1, (last - FIRST) // WORKERS)
    return [FIRST + worker * size + n for n in range(size)]


_ports = _part()
_next = itertools.count(random.randrange(len(_ports)))


def free_port():
    for _ in _ports:
        port = _ports[next(_next) % len(_ports)]
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
