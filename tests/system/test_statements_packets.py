"""Every malformed or out-of-order packet gets what the specification's numbered statement says, in both modes."""
import pytest

from . import raw, rows_packets, vectors

STRICT = pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])


def in_mode(shared, strict):
    return shared(mqtt={"strict_mode": strict})


def name(vector):
    return f"{vector.statement} v{vector.version} {'strict' if vector.strict else 'lenient'} {vector.packet.hex()[:60]}"


@pytest.mark.parametrize("vector", vectors.load("connect"), ids=name)
def test_connect(shared, vector):
    version = vector.version
    if vector.result == "UnsupportedProtocolVersion":  # the level that was asked for decides on the form of the answer
        version = 5 if vector.packet[vector.packet.index(b"MQ") + (4 if b"MQTT" in vector.packet else 6)] & 0x7F >= 5 else 4
    with raw.Client(in_mode(shared, vector.strict).port, version=version) as c:
        c.send(vector.packet)
        if vector.result == "UnsupportedProtocolVersion":  # MQTT-3.1.2-2
            c.expect(raw.CONNACK, code=0x84 if version == 5 else 1, session_present=False)
            c.expect_closed()
        elif "wrong name" in vector.result:  # MQTT-3.1.2-1
            c.expect_closed()
        elif vector.result in vectors.CODES:
            if version == 5:  # MQTT-3.1.4-1, 4.13.2
                c.expect(raw.CONNACK, code=vectors.CODES[vector.result], session_present=False)
            c.expect_closed()  # 3.1.1 MQTT-3.1.4-1: without CONNACK
        elif "method=" in vector.result:  # MQTT-4.12.0-1
            c.expect(raw.CONNACK, code=0x8C)
            c.expect_closed()
        else:
            c.expect(raw.CONNACK, code=0)
            c.ping()


def packets():
    for file in ("acks", "others", "publish", "subscribe"):
        yield from vectors.load(file)


@pytest.mark.parametrize("vector", packets(), ids=name)
def test_packet(shared, uid, vector):
    with in_mode(shared, vector.strict).client(uid, version=vector.version) as c:
        c.send(vector.packet)
        kind, result = vector.packet[0] >> 4, vector.result
        if result in vectors.CODES:
            c.expect_disconnect(vectors.CODES[result])
        elif kind == raw.DISCONNECT:
            c.expect_disconnect(0x82) if "session=" in result else c.expect_closed()
        elif kind == raw.AUTH or "topic= " in result or "subid" in result:
            c.expect_disconnect(0x82)  # no method in CONNECT; unknown alias; MQTT-3.3.4-6
        elif kind == raw.SUBSCRIBE and " :" in result:
            c.expect_disconnect(0x8F)  # an empty filter, MQTT-4.7.3-1
        else:
            c.send(raw.pingreq())
            while c.receive().kind != raw.PINGRESP:
                pass


def frames():
    for statement, versions, data, outcome in rows_packets.FRAMES:
        for version in versions:
            yield pytest.param(version, data[version] if isinstance(data, dict) else data, outcome, id=f"{statement} v{version}")


@STRICT
@pytest.mark.parametrize("version,data,outcome", frames())
def test_frame(shared, uid, strict, version, data, outcome):
    with in_mode(shared, strict).client(uid, version=version) as c:
        c.send(data)
        c.expect_disconnect(outcome[strict] if isinstance(outcome, dict) else outcome)


@STRICT
@pytest.mark.parametrize("data", [pytest.param(data, id=text) for text, data in rows_packets.BEFORE_CONNECT])
def test_before_connect(shared, strict, data):
    with raw.Client(in_mode(shared, strict).port) as c:
        c.send(data)
        c.expect_closed()


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.statement("broker.md 1.2: packets before the bad one in the same read are processed first, in order")
def test_packets_before_the_bad_one_are_processed(shared, uid, version):
    with shared().client(uid, version=version) as c:
        c.send(raw.subscribe(7, [uid], version=version), raw.publish(uid, "x", version=version), raw.pingreq(), b"\x00\x00")
        c.expect(raw.SUBACK, packet_id=7)
        c.expect(raw.PUBLISH, topic=uid, payload="x")
        c.expect(raw.PINGRESP)
        c.expect_disconnect(0x81)


@pytest.mark.parametrize("version", [3, 4, 5])
def test_packets_in_pieces(shared, uid, version):
    with raw.Client(shared().port, version=version) as c:
        c.send_slowly(raw.connect(uid, version=version), pause=0.001)
        c.expect(raw.CONNACK, code=0)
        c.send_slowly(raw.subscribe(1, [(uid, 1)], version=version) + raw.publish(uid, "x" * 200, qos=1, version=version),
                      pause=0.0002)
        got = [c.receive() for _ in range(3)]
        assert {p.kind for p in got} == {raw.SUBACK, raw.PUBACK, raw.PUBLISH}
        assert got[0].kind == raw.SUBACK


@pytest.mark.statement("MQTT-3.1.2-25", "broker.md 1.2: remaining length above max_packet_size")
@pytest.mark.parametrize("version", [3, 4, 5])
def test_packet_too_large_is_refused_before_its_body(shared, uid, version):
    with shared(mqtt={"max_packet_size": "1KB"}).client(uid, version=version) as c:
        exact = raw.publish(uid, b"x" * (1024 - 2 - len(uid) - (version == 5)), version=version)
        c.send(exact)
        c.ping()
        c.send(b"\x30" + raw.varint(1025) + b"\x00")  # the body never comes
        c.expect_disconnect(0x95)


@pytest.mark.parametrize("shape", ["nothing", "half a CONNECT"])
@pytest.mark.statement("broker.md 1.1: idle_timeout")
def test_idle_connection_is_closed(shared, shape):
    with raw.Client(shared(mqtt={"idle_timeout": "300ms"}).port) as c:
        if shape != "nothing":
            c.send(raw.connect("c")[:5])
        c.expect_closed(timeout=3)
