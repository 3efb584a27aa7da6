"""QoS 1 at full speed between pairs of sessions that outlive their connections, which mqttload does not have.

All packets of a kind have one length, so that whole blocks are made and taken apart without looking at each.
"""
import selectors
import socket
import struct
import time

PAIRS, BLOCK, BLOCKS_AHEAD, PAYLOAD = 10, 16, 4, 64  # 64 unacknowledged messages a publisher, sent 16 at a time
WARMUP_SECONDS, SECONDS, DRAIN_SECONDS = 1.0, 4.0, 10.0
ACK_LENGTH = 4


def _packet(first, body):
    assert len(body) < 128
    return bytes([first, len(body)]) + body


def _text(value):
    return struct.pack(">H", len(value)) + value


def _take(connection, length):
    got = b""
    while len(got) < length:
        part = connection.recv(length - len(got))
        if not part:
            raise RuntimeError("the broker closed a connection")
        got += part
    return got


def _connect(port, name):
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(_packet(0x10, b"\x00\x04MQTT\x04\x00\x00\x00" + _text(name)))  # clean session = 0
    if _take(connection, 4)[3] != 0:
        raise RuntimeError("connection refused")
    return connection


class Publisher:
    def __init__(self, port, number):
        topic = _text(b"durable/%02d" % number)
        self.connection = _connect(port, b"bench-pub-%02d" % number)
        self.blocks = [b"".join(_packet(0x32, topic + struct.pack(">H", block * BLOCK + i + 1) + bytes(PAYLOAD))
                                for i in range(BLOCK)) for block in range(BLOCKS_AHEAD)]
        self.sent = self.acked_bytes = 0

    def fill(self):
        while self.sent // BLOCK - self.acked_bytes // (ACK_LENGTH * BLOCK) < BLOCKS_AHEAD:
            self.connection.sendall(self.blocks[self.sent // BLOCK % BLOCKS_AHEAD])
            self.sent += BLOCK

    def readable(self, sending):
        data = self.connection.recv(65536)
        if not data:
            raise RuntimeError("the broker closed a publisher")
        self.acked_bytes += len(data)
        if sending:
            self.fill()


class Subscriber:
    def __init__(self, port, number):
        topic = _text(b"durable/%02d" % number)
        self.connection = _connect(port, b"bench-sub-%02d" % number)
        self.connection.sendall(_packet(0x82, b"\x00\x01" + topic + b"\x01"))
        if _take(self.connection, 5)[4] != 1:
            raise RuntimeError("subscription refused")
        self.length, self.id_at = 2 + len(topic) + 2 + PAYLOAD, 2 + len(topic)
        self.rest, self.received = b"", 0

    def readable(self, _):
        data = self.connection.recv(262144)
        if not data:
            raise RuntimeError("the broker closed a subscriber")
        data = self.rest + data
        count, length, at = len(data) // self.length, self.length, self.id_at
        if count and data[0] & 0xF6 != 0x32:
            raise RuntimeError(f"not a PUBLISH of QoS 1: {data[:4]!r}")
        acks = b"".join([b"\x40\x02" + data[i * length + at:i * length + at + 2] for i in range(count)])
        self.rest = data[count * length:]
        self.received += count
        self.connection.sendall(acks)


def play(port, cpu_seconds):
    """Plays the load; cpu_seconds() is the broker's. Returns the result's fields."""
    subscribers = [Subscriber(port, i) for i in range(PAIRS)]
    publishers = [Publisher(port, i) for i in range(PAIRS)]
    with selectors.DefaultSelector() as selector:
        for one in subscribers + publishers:
            selector.register(one.connection, selectors.EVENT_READ, one)

        def turn_until(done, sending):
            while not done():
                for key, _ in selector.select(0.1):
                    key.data.readable(sending)

        def until(moment):
            return lambda: time.monotonic() >= moment

        def received():
            return sum(one.received for one in subscribers)

        def sent():
            return sum(one.sent for one in publishers)

        for one in publishers:
            one.fill()
        turn_until(until(time.monotonic() + WARMUP_SECONDS), True)
        begin, cpu, count = time.monotonic(), cpu_seconds(), received()
        turn_until(until(begin + SECONDS), True)
        seconds, cpu, count = time.monotonic() - begin, cpu_seconds() - cpu, received() - count
        late = until(time.monotonic() + DRAIN_SECONDS)
        turn_until(lambda: received() >= sent() or late(), False)
        lost = sent() - received()
    for one in subscribers + publishers:
        one.connection.close()
    return {"ok": lost == 0 and count > 0, "error": f"{lost} messages lost" if lost else "",
            "us_per_msg": cpu / max(count, 1) * 1e6, "recv_per_s": count / seconds, "broker_cores": cpu / seconds}
