"""CONNECT and CONNACK: order of checks, properties, client ids, keep-alive (broker.md 2; MQTT 5.0 3.1, 3.2)."""
import time

import pytest

from . import raw, rows_connect


def refused():
    for statement, config, versions, arguments, client_id, v5, v3 in rows_connect.REFUSED:
        for version in versions:
            yield pytest.param(config, version, arguments, client_id, v5 if version == 5 else v3, id=f"{statement} v{version}")


@pytest.mark.parametrize("config,version,arguments,client_id,code", refused())
def test_refused(shared, uid, config, version, arguments, client_id, code):
    with raw.Client(shared(mqtt=config).port, version=version) as c:
        c.send(raw.connect(uid if client_id is None else client_id, version=version, **arguments))
        c.expect(raw.CONNACK, code=code, session_present=False)  # MQTT-3.2.2-6
        c.expect_closed()  # MQTT-3.2.2-7


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("will", [raw.Will("w/#"), raw.Will("")], ids=["wildcard", "empty"])
def test_bad_will_topic_is_no_connection_for_3x(shared, uid, version, will):
    with raw.Client(shared().port, version=version) as c:
        c.send(raw.connect(uid, version=version, will=will))
        try:
            assert c.receive().code != 0
        except raw.Closed:
            return
        c.expect_closed()


@pytest.mark.parametrize("config,arguments,props", [pytest.param(*row[1:], id=row[0]) for row in rows_connect.ACCEPTED])
def test_connack_properties(shared, uid, config, arguments, props):
    with shared(mqtt=config).client() as c:
        assert not c.connect(uid, props=arguments.get("props"), **{k: v for k, v in arguments.items() if k != "props"}
                             ).session_present
        # c.connect checked the code; the properties are looked at on a second connection, which takes over.
    with shared(mqtt=config).client() as c:
        c.send(raw.connect(uid, **arguments))
        c.expect(raw.CONNACK, code=0, props=props)


@pytest.mark.parametrize("version", [3, 4])
def test_connack_of_3x_is_two_bytes(shared, uid, version):
    with raw.Client(shared().port, version=version) as c:
        c.send(raw.connect(uid, version=version))
        assert c.receive().raw == b"\x00\x00"


@pytest.mark.statement("MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")
def test_assigned_client_id(shared):
    ids = []
    for _ in range(3):
        with raw.Client(shared().port) as c:
            ids.append(c.connect("").props["assigned_client_identifier"])
            assert len(ids[-1]) >= 8
    assert len(set(ids)) == 3


@pytest.mark.statement("3.1.1 MQTT-3.1.3-6")
def test_empty_client_id_of_311_twice(shared, uid):
    with raw.Client(shared().port, version=4) as a, raw.Client(shared().port, version=4) as b:
        a.connect("")
        b.connect("")
        a.ping()


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.1.3-5")
def test_client_ids_that_must_be_allowed(shared, version):
    for client_id in ("0123456789abcdefghijklm", "ABCDEFGHIJKLMNOPQRSTUVW", "nopqrstuvwxyzXYZ"):
        with shared().client(client_id, version=version) as c:
            c.ping()


@pytest.mark.parametrize("version", [4, 5])
def test_username_as_client_id(shared, uid, version):
    broker = shared(mqtt={"use_username_as_clientid": True})
    with broker.client("one", version=version, username=uid) as a, broker.client("two", version=version, username=uid):
        a.expect_disconnect(0x8E)  # the same client: taken over


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.statement("MQTT-3.1.4-6", "packets behind CONNECT need not wait for CONNACK")
def test_packets_pipelined_behind_connect(shared, uid, version):
    """Also with a hand-over to the home shard in between: ids of every shard are used."""
    for i in range(8):
        with raw.Client(shared().port, version=version) as c:
            name = f"{uid}-{i}"
            c.send(raw.connect(name, version=version), raw.subscribe(1, [(name, 1)], version=version),
                   *(raw.publish(name, f"{n}", qos=1, packet_id=n + 1, version=version) for n in range(20)), raw.pingreq())
            c.expect(raw.CONNACK, code=0)
            c.expect(raw.SUBACK, codes=[1])
            got, acked = [], []
            while len(got) < 20 or len(acked) < 20:
                p = c.receive()
                if p.kind == raw.PUBLISH:
                    got.append(int(p.payload))
                    c.send(raw.puback(p.packet_id))
                elif p.kind == raw.PUBACK:
                    acked.append(p.packet_id)
            assert got == list(range(20)) and acked == list(range(1, 21))  # MQTT-4.6.0-2, MQTT-4.6.0-6


# ---- keep-alive ---------------------------------------------------------------------------------------------------

def end_of(client, begin):
    """Seconds from `begin` to the end of the connection."""
    client.expect_disconnect(0x8D, timeout=5)
    return time.monotonic() - begin


@pytest.mark.statement("MQTT-3.1.2-22", "3.1.1 MQTT-3.1.2-24", "3.2.2.3.14")
def test_keep_alive_is_one_and_a_half_times_the_interval(shared, uid):
    """All kinds of connection at once, since each takes its time."""
    ordinary, server = shared(), shared(mqtt={"server_keepalive": 1})
    factor = shared(mqtt={"keepalive_multiplier": 2})
    begin = time.monotonic()
    silent = [ordinary.client(f"{uid}-{v}", version=v, keep_alive=1) for v in (3, 4, 5)]
    by_server = server.client(f"{uid}-s", keep_alive=600)
    old_ignores_server = server.client(f"{uid}-o", version=4, keep_alive=600)  # 2.6: only 5.0 is told
    doubled = factor.client(f"{uid}-d", keep_alive=1)
    never = ordinary.client(f"{uid}-n", keep_alive=0)
    for client in silent:
        assert 1.4 < end_of(client, begin) < 2.2
    assert 1.4 < end_of(by_server, begin) < 2.2
    assert 1.9 < end_of(doubled, begin) < 2.7
    never.ping()
    old_ignores_server.ping()
    for client in (*silent, by_server, old_ignores_server, doubled, never):
        client.close()


@pytest.mark.statement("MQTT-3.1.2-20", "any packet counts")
def test_any_packet_keeps_the_connection_alive(shared, uid):
    with shared().client(uid, keep_alive=1) as a, shared().client(f"{uid}-4", version=4, keep_alive=1) as b:
        begin = time.monotonic()
        while time.monotonic() < begin + 2:
            a.send(raw.publish(uid))
            b.send(raw.pingreq())
            b.expect(raw.PINGRESP)
            a.expect_nothing(0.4)
        a.ping()
        b.ping()


@pytest.mark.statement("3.1.2.10: what the server sends does not count")
def test_packets_to_the_client_do_not_keep_it_alive(shared, uid):
    with shared().client(uid, keep_alive=1) as silent, shared().client(f"{uid}-p") as publisher:
        silent.subscribe(uid)
        begin = time.monotonic()
        with pytest.raises((raw.Closed, AssertionError)):
            while time.monotonic() < begin + 5:
                publisher.publish(uid, qos=1)
                silent.expect(raw.PUBLISH, timeout=0.5)
                publisher.expect_nothing(0.2)
        assert 1.3 < time.monotonic() - begin < 2.6
