"""PUBLISH both ways, acknowledgements, aliases, expiry, sizes, flow control (broker.md 5, 6; MQTT 5.0 3.3 to 3.7, 4.3, 4.9)."""
import time

import pytest

from . import node, raw, rows_publish


def order():
    for row, config, arguments, outcomes in rows_publish.ORDER:
        for qos, outcome in outcomes.items():
            for version in (3, 4, 5):
                if version == 5 or "props" not in arguments:
                    yield pytest.param(version, config, qos, arguments, outcome, id=f"{row} q{qos} v{version}")


@pytest.mark.parametrize("version,config,qos,arguments,outcome", order())
def test_order_of_checks(shared, uid, version, config, qos, arguments, outcome):
    with shared(mqtt=config).client(uid, version=version) as c:
        c.send(raw.publish(arguments.get("topic", uid), "x", qos=qos, packet_id=5 if qos else None, version=version,
                           **{k: v for k, v in arguments.items() if k != "topic"}))
        if isinstance(outcome, tuple):
            c.expect(raw.PUBACK if qos == 1 else raw.PUBREC, packet_id=5, code=outcome[1] if version == 5 else 0)
            c.ping()
        else:
            c.expect_disconnect(outcome)


@pytest.mark.parametrize("qos,sub", [(q, s) for q in (0, 1, 2) for s in (0, 1, 2)])
@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.8.4-8", "3.8.4: the lower of both QoS", "MQTT-3.3.4-1", "MQTT-4.3.1-1", "MQTT-4.3.2-1", "MQTT-4.3.3-1")
def test_qos_of_a_delivery(shared, uid, version, qos, sub):
    with shared().client(uid, version=version) as c, shared().client(f"{uid}-p", version=version) as p:
        c.subscribe((uid, sub))
        got = p.publish(uid, "x", qos=qos, code=0)
        assert got is None or got.raw == b"\x00\x01" or version == 5
        m = c.expect(raw.PUBLISH, topic=uid, payload="x", qos=min(qos, sub), dup=False, retain=False)
        if m.qos:
            assert m.packet_id != 0  # MQTT-2.2.1-4
        if m.qos == 1:
            c.send(raw.puback(m.packet_id))
        if m.qos == 2:
            c.send(raw.pubrec(m.packet_id))
            c.expect(raw.PUBREL, packet_id=m.packet_id, code=0)  # MQTT-4.3.3-4
            c.send(raw.pubcomp(m.packet_id))
        c.ping()


def test_upgrade_qos(shared, uid):
    with shared(mqtt={"upgrade_qos": True}).client(uid) as c:
        c.subscribe((uid, 2))
        c.send(raw.publish(uid, "x"))
        c.expect(raw.PUBLISH, qos=2)


# ---- QoS 2 from a client ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-4.3.3-8", "MQTT-4.3.3-9", "MQTT-4.3.3-10", "MQTT-4.3.3-11", "broker.md 5.3 [S]")
def test_qos2_is_delivered_once(shared, uid, version):
    with shared().client(uid, version=version) as c, shared().client(f"{uid}-w") as watcher:
        watcher.subscribe((uid, 0))
        send = lambda dup: c.send(raw.publish(uid, "x", qos=2, packet_id=3, dup=dup, version=version))
        send(False)
        c.expect(raw.PUBREC, packet_id=3, code=0)
        watcher.expect(raw.PUBLISH)
        send(True)
        c.expect(raw.PUBREC, packet_id=3, code=0)  # a repetition: acknowledged again, not routed
        c.send(raw.pubrel(3, version=version))
        c.expect(raw.PUBCOMP, packet_id=3, code=0)
        watcher.expect_nothing(0.05)
        send(False)  # the id is free again
        c.expect(raw.PUBREC, packet_id=3, code=0)
        watcher.expect(raw.PUBLISH)


@pytest.mark.statement("broker.md 5.1 row 12: packet identifier in use")
def test_qos2_id_in_use(shared, uid):
    with shared().client(uid) as c, shared().client(f"{uid}-w") as watcher:
        watcher.subscribe((uid, 0))
        c.send(raw.publish(uid, "1", qos=2, packet_id=3))
        c.expect(raw.PUBREC, packet_id=3, code=0)
        c.send(raw.publish(uid, "2", qos=2, packet_id=3))
        c.expect(raw.PUBREC, packet_id=3, code=0x91)
        watcher.expect(raw.PUBLISH, payload="1")
        watcher.expect_nothing(0.05)
        c.send(raw.pubrel(3))
        c.expect(raw.PUBCOMP, packet_id=3, code=0)


@pytest.mark.parametrize("version,code", [(3, 0), (4, 0), (5, 0x92)])
@pytest.mark.statement("MQTT-4.3.3-11", "3.7.2.1: PUBREL of an unknown id")
def test_pubrel_of_an_unknown_id(shared, uid, version, code):
    with shared().client(uid, version=version) as c:
        c.send(raw.pubrel(77, version=version))
        c.expect(raw.PUBCOMP, packet_id=77, code=code)


@pytest.mark.statement("MQTT-4.3.2-5: a QoS 1 id is free again once PUBACK was sent")
def test_qos1_repetition_is_a_new_message(shared, uid):
    with shared().client(uid) as c, shared().client(f"{uid}-w") as watcher:
        watcher.subscribe((uid, 0))
        for dup in (False, True):
            c.send(raw.publish(uid, "x", qos=1, packet_id=3, dup=dup))
            c.expect(raw.PUBACK, packet_id=3, code=0)
            watcher.expect(raw.PUBLISH, dup=False)  # MQTT-3.3.1-3


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.statement("MQTT-3.3.4-7", "MQTT-3.3.4-9", "broker.md 5.1 row 13: Receive Maximum of the server")
def test_receive_maximum_of_the_server(shared, uid, version):
    with shared(mqtt={"max_awaiting_rel": 3}).client(uid, version=version) as c:
        for n in (1, 2, 3):
            c.send(raw.publish(uid, qos=2, packet_id=n, version=version))
            c.expect(raw.PUBREC, packet_id=n)
        c.send(raw.pubrel(2, version=version))
        c.expect(raw.PUBCOMP, packet_id=2)
        c.send(raw.publish(uid, qos=2, packet_id=4, version=version))  # room for one
        c.expect(raw.PUBREC, packet_id=4)
        c.send(raw.publish(uid, qos=1, packet_id=5, version=version))  # acknowledged at once, takes no room
        c.expect(raw.PUBACK, packet_id=5)
        c.send(raw.publish(uid, qos=2, packet_id=6, version=version))
        c.expect_disconnect(0x93)


@pytest.mark.statement("MQTT-3.3.4-9: QoS 2 is bounded as announced where max_awaiting_rel is not")
def test_receive_maximum_without_a_bound(shared, uid):
    with shared(mqtt={"max_awaiting_rel": 0}).client(uid) as c:
        c.send(b"".join(raw.publish(uid, qos=2, packet_id=n) for n in range(1, 301)))
        for n in range(1, 301):
            c.expect(raw.PUBREC, packet_id=n)
        c.ping()


@pytest.mark.statement("broker.md 5.3: await_rel_timeout")
def test_awaited_pubrel_expires(shared, uid):
    with shared(mqtt={"await_rel_timeout": "1s", "max_awaiting_rel": 1}).client(uid) as c:
        c.send(raw.publish(uid, qos=2, packet_id=1))
        c.expect(raw.PUBREC)
        c.expect_nothing(1.3)
        c.send(raw.publish(uid, qos=2, packet_id=2))
        c.expect(raw.PUBREC, packet_id=2)
        c.send(raw.pubrel(1))
        c.expect(raw.PUBCOMP, code=0x92)


# ---- acknowledgements from the subscriber -------------------------------------------------------------------------

@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos,pubrec_before,packet,code,right_id,answer",
                         [pytest.param(*row[1:], id=row[0]) for row in rows_publish.WRONG_ACKS])
def test_wrong_acknowledgement(shared, uid, version, qos, pubrec_before, packet, code, right_id, answer):
    with shared().client(uid, version=version, props={"receive_maximum": 1} if version == 5 else None) as c, \
            shared().client(f"{uid}-p") as p:
        if version == 4 and code:
            return
        c.subscribe((uid, 2))
        p.publish(uid, "1", qos=qos)
        m = c.expect(raw.PUBLISH, payload="1", qos=qos)
        if pubrec_before:
            c.send(raw.pubrec(m.packet_id, version=version))
            c.expect(raw.PUBREL, packet_id=m.packet_id, code=0)
        wrong = m.packet_id if right_id else m.packet_id + 1000
        c.send(getattr(raw, packet)(wrong, code, version=version))
        if answer is not None:
            c.expect(raw.PUBREL, packet_id=wrong, code=answer if version == 5 else 0)
        c.ping()
        if qos == 1:
            c.send(raw.puback(m.packet_id))
        else:
            if not pubrec_before:
                c.send(raw.pubrec(m.packet_id))
                c.expect(raw.PUBREL, packet_id=m.packet_id, code=0)
            c.send(raw.pubcomp(m.packet_id))
        p.publish(uid, "2", qos=1)
        c.expect(raw.PUBLISH, payload="2")  # the window is free again


@pytest.mark.statement("broker.md 6.4 [S]", "MQTT-4.3.3-4: a PUBREC of 0x80 or more ends the exchange", "MQTT-4.9.0-2")
@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
def test_pubrec_with_an_error_ends_the_exchange(shared, uid, code):
    with shared().client(uid, props={"receive_maximum": 1}) as c, shared().client(f"{uid}-p") as p:
        c.subscribe((uid, 2))
        p.publish(uid, "1", qos=2)
        m = c.expect(raw.PUBLISH, payload="1")
        c.send(raw.pubrec(m.packet_id, code))
        p.publish(uid, "2", qos=2, packet_id=2)
        c.expect(raw.PUBLISH, payload="2", dup=False)  # no PUBREL came, the window is free


@pytest.mark.parametrize("code", [0x10, 0x80, 0x97])
@pytest.mark.statement("MQTT-4.9.0-2: PUBACK with any code frees the window")
def test_puback_with_a_code_frees_the_window(shared, uid, code):
    with shared().client(uid, props={"receive_maximum": 1}) as c, shared().client(f"{uid}-p") as p:
        c.subscribe((uid, 1))
        p.publish(uid, "1", qos=1)
        p.publish(uid, "2", qos=1)
        c.send(raw.puback(c.expect(raw.PUBLISH, payload="1").packet_id, code))
        c.expect(raw.PUBLISH, payload="2")


# ---- flow control towards the subscriber --------------------------------------------------------------------------

@pytest.mark.parametrize("receive_maximum,max_inflight,window", [(3, 32, 3), (100, 4, 4), (None, 5, 5), (1, 32, 1)])
@pytest.mark.statement("MQTT-3.3.4-7", "MQTT-4.9.0-1", "2.2: the window")
def test_inflight_window(shared, uid, receive_maximum, max_inflight, window):
    props = {} if receive_maximum is None else {"receive_maximum": receive_maximum}
    broker = shared(mqtt={"max_inflight": max_inflight})
    with broker.client(uid, props=props) as c, broker.client(f"{uid}-p") as p:
        c.subscribe((uid, 2))
        for n in range(window + 3):
            p.publish(uid, str(n), qos=1 + n % 2, packet_id=n + 1)
        inflight = [c.expect(raw.PUBLISH, payload=str(n)) for n in range(window)]
        p.publish(uid, "zero", qos=0)
        c.expect(raw.PUBLISH, payload="zero", qos=0)  # MQTT-3.3.4-8: QoS 0 has no part in it
        c.expect_nothing(0.05)
        assert len({m.packet_id for m in inflight}) == window
        for n in range(3):
            m = inflight.pop(0)
            if m.qos == 1:
                c.send(raw.puback(m.packet_id))
            else:
                c.send(raw.pubrec(m.packet_id))
                c.expect(raw.PUBREL)
                c.expect_nothing(0.02)  # PUBREC frees nothing
                c.send(raw.pubcomp(m.packet_id))
            inflight.append(c.expect(raw.PUBLISH, payload=str(window + n)))
        c.ping()


@pytest.mark.statement("MQTT-2.2.1-4: ids in use are not given out again; 65535 wraps")
def test_packet_ids_wrap_around(shared, uid):
    """Two long unanswered messages keep their ids while 66,000 others pass by."""
    broker, total = shared(mqtt={"max_inflight": 100, "max_mqueue_len": 0}), 66000
    with broker.client(uid) as c, broker.client(f"{uid}-p") as p:
        c.timeout = p.timeout = 20
        c.subscribe((uid, 1))
        held, count, last = set(), 0, 0
        while count < total:
            batch = min(600, total - count)
            p.send(b"".join(raw.publish(uid, b"", qos=1, packet_id=n + 1) for n in range(batch)))
            for _ in range(batch):
                m = c.expect(raw.PUBLISH)
                assert m.packet_id not in held and m.packet_id != 0
                if count in (0, 7):
                    held.add(m.packet_id)
                else:
                    c.send(raw.puback(m.packet_id))
                count += 1
                last = m.packet_id
            for _ in range(batch):
                p.expect(raw.PUBACK)
        assert last < 1000


# ---- properties ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.statement("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20")
def test_properties_are_forwarded_unaltered(shared, uid, qos):
    props = {"payload_format_indicator": 1, "content_type": "text/plain", "response_topic": f"{uid}/r",
             "correlation_data": bytes(range(256)), "user_property": [("k", "2"), ("k", "1"), ("", ""), ("k", "2")]}
    with shared().client(uid) as c, shared().client(f"{uid}-4", version=4) as old:
        c.subscribe((uid, 2))
        old.subscribe((uid, 2))
        with shared().client(f"{uid}-p") as p:
            p.publish(uid, "x", qos=qos, props={**props, "topic_alias": 3})
        assert c.expect(raw.PUBLISH, topic=uid, payload="x").props == props
        assert old.expect(raw.PUBLISH, topic=uid).payload == b"x"


@pytest.mark.statement("3.3.2.3.4: aliases from the client; MQTT-3.3.2-7 they end with the connection")
def test_inbound_aliases(shared, uid):
    broker = shared()
    with broker.client(uid) as watcher, broker.client(f"{uid}-p") as p:
        watcher.subscribe(f"{uid}/#")
        for topic, alias, want in (("a", 1, "a"), ("", 1, "a"), ("b", 65535, "b"), ("", 1, "a"), ("c", 1, "c"), ("", 1, "c"),
                                   ("", 65535, "b")):
            p.send(raw.publish(f"{uid}/{topic}" if topic else "", "x", props={"topic_alias": alias}))
            got = watcher.expect(raw.PUBLISH, topic=f"{uid}/{want}")
            assert "topic_alias" not in got.props
    with broker.client(f"{uid}-p", clean_start=False) as p:
        p.send(raw.publish("", "x", props={"topic_alias": 1}))
        p.expect_disconnect(0x82)


@pytest.mark.statement("MQTT-3.1.2-26", "MQTT-3.1.2-27", "broker.md 6.6: aliases to the client")
@pytest.mark.parametrize("maximum", [0, 2])
def test_outbound_aliases(shared, uid, maximum):
    with shared().client(uid, props={"topic_alias_maximum": maximum}) as c, shared().client(f"{uid}-p") as p:
        c.subscribe((f"{uid}/#", 1))
        known = {}
        for n, topic in enumerate("abcabcab"):
            p.publish(f"{uid}/{topic}", str(n), qos=n % 2)
            m = c.expect(raw.PUBLISH, payload=str(n))
            alias = m.props.get("topic_alias")
            if m.topic:
                assert m.topic == f"{uid}/{topic}"
                if alias is not None:
                    known[alias] = m.topic
            else:
                assert known[alias] == f"{uid}/{topic}"
            assert alias is None or 1 <= alias <= maximum
        assert len(known) == maximum


@pytest.mark.statement("MQTT-3.1.2-26: an alias of a message that was too large to send is not known to the client")
def test_outbound_alias_of_a_discarded_message(shared, uid):
    with shared().client(uid, props={"topic_alias_maximum": 5, "maximum_packet_size": 100}) as c, \
            shared().client(f"{uid}-p") as p:
        c.subscribe(uid)
        p.publish(uid, "x" * 200)
        p.publish(uid, "small")
        c.expect(raw.PUBLISH, topic=uid, payload="small")


@pytest.mark.statement("MQTT-3.1.2-25: a message that fits without an alias is sent without")
def test_alias_does_not_make_a_message_too_large(shared, uid):
    head = 2 + 2 + len(uid) + 1
    with shared().client(uid, props={"topic_alias_maximum": 5, "maximum_packet_size": 100}) as c, \
            shared().client(f"{uid}-p") as p:
        c.subscribe(uid)
        p.publish(uid, "x" * (100 - head))
        assert c.expect(raw.PUBLISH, topic=uid).props == {}


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.statement("MQTT-3.1.2-24", "MQTT-3.1.2-25", "broker.md 1.3 [S]")
def test_maximum_packet_size_of_the_client(shared, uid, qos):
    """Exactly the limit passes; one byte more is dropped for this receiver alone and takes no room in its window."""
    head = 2 + 2 + len(uid) + (2 if qos else 0) + 1
    with shared().client(uid, props={"maximum_packet_size": 100, "receive_maximum": 1}) as c, \
            shared().client(f"{uid}-w") as other, shared().client(f"{uid}-p") as p:
        c.subscribe((uid, 2))
        other.subscribe((uid, 0))
        p.publish(uid, b"l" * (101 - head), qos=qos)
        p.publish(uid, b"f" * (100 - head), qos=qos, packet_id=2)
        m = c.expect(raw.PUBLISH, payload=b"f" * (100 - head))
        other.expect(raw.PUBLISH, payload=b"l" * (101 - head))
        other.expect(raw.PUBLISH, payload=b"f" * (100 - head))
        if m.qos == 1:
            c.send(raw.puback(m.packet_id))
            p.publish(uid, "next", qos=1)
            c.expect(raw.PUBLISH, payload="next")


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 70000, 1000000])
@pytest.mark.parametrize("version", [4, 5])
def test_payload_sizes(shared, uid, version, size):
    payload = bytes(n * 31 & 0xFF for n in range(size % 4099)) * (size // (size % 4099) if size % 4099 else 0) if size else b""
    payload += b"\x01" * (size - len(payload))
    with shared().client(uid, version=version) as c, shared().client(f"{uid}-2") as second:
        c.subscribe((uid, 1))
        second.subscribe((uid, 2))
        c.send(raw.publish(uid, payload, qos=1, packet_id=1, version=version))
        got = [c.receive(), c.receive()]
        assert {m.kind for m in got} == {raw.PUBACK, raw.PUBLISH}
        assert next(m for m in got if m.kind == raw.PUBLISH).payload == payload
        assert second.expect(raw.PUBLISH).payload == payload


@pytest.mark.statement("MQTT-3.3.2-5", "MQTT-3.3.2-6: Message Expiry Interval")
def test_message_expiry(shared, uid):
    """Queued for a client that is away: one message expires, one comes with what is left of its time."""
    broker = shared()
    session = {"session_expiry_interval": 60}
    with broker.client(f"{uid}-now") as online:
        online.subscribe((f"{uid}/#", 1))
        with broker.client(uid, props=session) as c:
            c.subscribe((f"{uid}/#", 1))
        with broker.client(f"{uid}-p") as p:
            for name, expiry in (("1s", 1), ("100s", 100), ("never", None)):
                p.publish(f"{uid}/{name}", qos=1, props={} if expiry is None else {"message_expiry_interval": expiry})
                got = online.expect(raw.PUBLISH, topic=f"{uid}/{name}")
                assert got.props.get("message_expiry_interval") == expiry
        online.expect_nothing(1.1)
    with broker.client(uid, clean_start=False, props=session) as c:
        left = c.expect(raw.PUBLISH, topic=f"{uid}/100s").props["message_expiry_interval"]
        assert 95 <= left <= 99
        assert c.expect(raw.PUBLISH, topic=f"{uid}/never").props == {}
        c.expect_nothing(0.1)


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-4.6.0-5", "MQTT-4.6.0-6: order of each topic and QoS is kept")
def test_order_from_one_publisher(shared, uid, version):
    with shared(mqtt={"max_mqueue_len": 0}).client(uid, version=version) as c, \
            shared(mqtt={"max_mqueue_len": 0}).client(f"{uid}-p", version=version) as p:
        c.subscribe((f"{uid}/#", 1))
        p.send(b"".join(raw.publish(f"{uid}/{n % 4}", str(n), qos=1, packet_id=n + 1, version=version) for n in range(500)))
        for n in range(500):
            m = c.expect(raw.PUBLISH, payload=str(n))
            c.send(raw.puback(m.packet_id))
            p.expect(raw.PUBACK, packet_id=n + 1)  # MQTT-4.6.0-2


@pytest.mark.statement("2.3 of 5.0: ids of both directions are independent", "2.2.1")
def test_ids_of_both_directions_are_independent(shared, uid):
    with shared().client(uid) as c:
        c.subscribe((uid, 2))
        for n in (1, 2, 3):
            c.send(raw.publish(uid, str(n), qos=2, packet_id=n))
        got = [c.receive() for _ in range(6)]
        assert sorted(m.packet_id for m in got if m.kind == raw.PUBLISH) == [1, 2, 3]
        for n in (1, 2, 3):
            c.send(raw.pubrel(n), raw.pubrec(n))
        got = [c.receive() for _ in range(6)]
        assert {(m.kind, m.packet_id, m.code) for m in got} == {(k, n, 0) for n in (1, 2, 3) for k in (raw.PUBCOMP, raw.PUBREL)}


@pytest.mark.statement("broker.md 5.3: a repetition of what was taken is acknowledged, whatever the quota says now")
def test_repetition_when_the_quota_is_used_up(start_broker, shards):
    port = node.free_port()
    broker = start_broker(shards=shards, listeners={"tcp": {"limited": {
        "bind": f"127.0.0.1:{port}", "limiter": {"message_routing": {"rate": "5/s"}}}}})
    with broker.client("s") as s, raw.Client(port) as p:
        s.subscribe(("t", 2))
        p.connect("p")
        p.send(raw.publish("t", "taken", qos=2, packet_id=1))
        p.expect(raw.PUBREC, code=0)
        p.send(b"".join(raw.publish("t", "fill") for _ in range(30)) + raw.publish("t", "new", qos=2, packet_id=2)
               + raw.publish("t", "taken", qos=2, packet_id=1, dup=True))
        p.expect(raw.PUBREC, packet_id=2, code=0x97)
        p.expect(raw.PUBREC, packet_id=1, code=0)
        p.send(raw.pubrel(1))
        p.expect(raw.PUBCOMP, code=0)
