"""A name server of a few records, and a node that asks it: its resolver has no other way than /etc/resolv.conf."""
import os
import shutil
import socket
import struct
import subprocess
import threading

from . import node

ADDRESS = "127.0.53.53"  # loopback; resolv.conf knows no ports, so it must be 53
A, TXT, SRV = 1, 16, 33


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def srv(port, target):
    return SRV, struct.pack(">HHH", 0, 0, port) + encoded(target)


def a(address):
    return A, socket.inet_aton(address)


class Server:
    """with Server({"name": [srv(...), a(...)]}) as one: answers until `silent`; `asked` are the names."""

    def __init__(self, records):
        self.records, self.asked, self.silent = records, set(), False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ADDRESS, 53))

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = self.answer(query)
            if not self.silent:
                self.socket.sendto(answer, peer)

    def answer(self, query):
        """RFC 1035 4.1: the header, the question as it came, the records of its name and kind."""
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, (kind,) = ".".join(labels).lower(), struct.unpack(">H", query[at + 1:at + 3])
        self.asked.add(name)
        found = [data for one, data in self.records.get(name, []) if one == kind]
        code = 0 if name in self.records else 3  # no such name
        head = query[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(found), 0, 0)
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 1, len(data)) + data for data in found)
        return head + query[12:at + 5] + body


def want(skip):
    """Port 53 and a resolv.conf of one's own need root and a mount namespace."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        skip.because("dns", "needs root and unshare")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        skip.because("dns", "no mount namespaces here")


def node_with(folder, monkeypatch):
    """Nodes that are started from here on ask ADDRESS."""
    config = folder / "resolv.conf"
    config.write_text(f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
    script = folder / "signalbox-with-dns"
    script.write_text(f"""#!/bin/sh
[ "$1" = start ] || exec '{node.program()}' "$@"
exec unshare -m sh -c 'mount --bind {config} /etc/resolv.conf && exec "$0" "$@"' '{node.program()}' "$@"
""")
    script.chmod(0o755)
    monkeypatch.setenv("SIGNALBOX_BIN", str(script))
