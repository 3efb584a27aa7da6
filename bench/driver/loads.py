"""One run of a case against a running broker; returns the fields of its result line."""
import json
import os
import socket
import ssl
import subprocess
import time

from . import cases, pairs

RUN_SECONDS = 150
IDLE_CONNECTIONS = 2000
CONNECT = bytes([0x10, 18, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 0, 0, 6])  # clean session, no keep-alive; then the id
WS_UPGRADE = (b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
              b"Sec-WebSocket-Protocol: mqtt\r\n\r\n")


def mqttload(program, broker, arguments):
    port = broker.tls if "--tls" in arguments else broker.tcp
    limit = [] if "--max-secs" in arguments else ["--max-secs", str(RUN_SECONDS)]
    argv = [program, *arguments.split(), *limit, "--port", str(port), "--pid", str(broker.pid), "--awake", "0,1", "--cpu",
            "1", "--json-only"]
    done = subprocess.run(argv, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    if not lines:
        return {"ok": False, "error": done.stderr.strip()[-300:] or f"exit code {done.returncode}"}
    return json.loads(lines[-1])


class Machine:
    """Processor time that neither the broker nor the generator used, and what the hypervisor took, in cores."""

    def __init__(self):
        self.begin, self.then, self.own = self._read(), time.monotonic(), self._own()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as stat:
            user, nice, system, _, _, irq, soft, steal = map(int, stat.readline().split()[1:9])
        tick = os.sysconf("SC_CLK_TCK")
        return (user + nice + system + irq + soft) / tick, steal / tick

    @staticmethod
    def _own():
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system

    def noise(self, broker_seconds):
        seconds = time.monotonic() - self.then
        busy, steal = (b - a for a, b in zip(self.begin, self._read()))
        other = busy - broker_seconds - (self._own() - self.own)
        return {"other_cores": max(0.0, other / seconds), "steal_cores": steal / seconds}


def online(broker):
    """pairs.play() pinned to the generator's processor."""
    machine, cpu, free = Machine(), broker.cpu_seconds(), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    try:
        return pairs.play(broker.tcp, broker.cpu_seconds) | machine.noise(broker.cpu_seconds() - cpu)
    finally:
        os.sched_setaffinity(0, free)


def _connected(broker, transport, number, context):
    port = {"tcp": broker.tcp, "tls": broker.tls, "ws": broker.ws}[transport]
    connection = socket.create_connection(("127.0.0.1", port), 10)
    packet = CONNECT + f"{number:06}".encode()
    if transport == "tls":
        connection = context.wrap_socket(connection)
    if transport == "ws":
        connection.sendall(WS_UPGRADE)
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(4096)
            if not part:
                raise RuntimeError(f"no upgrade: {answer!r}")
            answer += part
        if b" 101 " not in answer:
            raise RuntimeError(f"no upgrade: {answer[:100]!r}")
        packet = bytes([0x82, 0x80 | len(packet), 0, 0, 0, 0]) + packet  # masked with zeros
    connection.sendall(packet)
    want, got = (bytes([0x82, 4]) if transport == "ws" else b"") + bytes([0x20, 2, 0, 0]), b""
    while len(got) < len(want):
        part = connection.recv(len(want) - len(got))
        if not part:
            break
        got += part
    if got != want:
        raise RuntimeError(f"no CONNACK over {transport}: {got!r}")
    return connection


def idle(broker, transport):
    """Resident memory of a connection that has said CONNECT and nothing since; others' use of processors does not matter to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    warm = [_connected(broker, transport, i, context) for i in range(100)]  # the first ones pay for what all share
    time.sleep(cases.IDLE_SETTLE)
    before = broker.rss_bytes()
    held = [_connected(broker, transport, 100 + i, context) for i in range(IDLE_CONNECTIONS)]
    time.sleep(cases.IDLE_SETTLE)
    per_connection = (broker.rss_bytes() - before) / IDLE_CONNECTIONS
    for connection in warm + held:
        connection.close()
    return {"ok": True, "error": "", "conns": IDLE_CONNECTIONS, "rss_per_conn_bytes": per_connection}


def startup(broker, generator, records):
    """A store full of retained messages: how fast a new process takes them in, an empty start subtracted."""
    empty = broker.restart()
    filled = mqttload(generator, broker, f"retain --messages {records} --rounds 1 --partial 0 --keep")
    if not filled.get("ok"):
        return filled
    broker.stop()  # before the measurement begins: its time counts as ours once it is waited for
    machine = Machine()
    full = broker.restart()
    noise = machine.noise(broker.cpu_seconds())
    return {"ok": True, "error": "", "records": records, "start_s": full, "empty_start_s": empty,
            "records_per_s": records / max(full - empty, 1e-3), **noise}


def run(case, broker, generator):
    if case.load == "own:online":
        return online(broker)
    if case.load.startswith("own:idle "):
        return idle(broker, case.load.split()[1])
    if case.load.startswith("own:startup "):
        return startup(broker, generator, int(case.load.split()[1]))
    return mqttload(generator, broker, case.load)
