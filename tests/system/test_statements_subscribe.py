"""SUBSCRIBE and UNSUBSCRIBE: codes, options, matching, exclusive (broker.md 7, 9.1; MQTT 5.0 3.8 to 3.11, 4.7)."""
import pytest

from . import raw, rows_topics


def versions(rows):
    for row in rows:
        for version in (3, 4, 5):
            yield pytest.param(version, *row[1:], id=f"{row[0]} v{version}")


@pytest.mark.parametrize("version,config,topic_filter,options,v5,v3", versions(rows_topics.SUBACK_CODES))
@pytest.mark.statement("MQTT-3.9.3-2", "MQTT-3.8.4-7")
def test_suback_code(shared, uid, version, config, topic_filter, options, v5, v3):
    with shared(mqtt=config).client(uid, version=version) as c:
        c.subscribe((topic_filter.format(uid), options), codes=[v5 if version == 5 else v3])


@pytest.mark.parametrize("version,level", versions(rows_topics.TOLERATED))
def test_what_only_strict_mode_refuses(shared, uid, strict, version, level):
    topic = f"{uid}/{level}"
    packets = raw.subscribe(1, [(topic, 1)], version=version), raw.publish(topic, "x", version=version)
    for at, packet in enumerate(packets):
        with shared().client(f"{uid}-{at}", version=version) as c:
            c.send(packet)
            if strict:
                c.expect_disconnect(0x81)
            else:
                c.ping() if at else c.expect(raw.SUBACK, codes=[1])
    if not strict:
        with shared().client(uid, version=version) as c:
            c.subscribe(topic)
            c.send(raw.publish(topic, "x", version=version))
            c.expect(raw.PUBLISH, topic=topic, payload="x")


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.9.3-1")
def test_one_suback_with_a_code_for_each_filter(shared, uid, version):
    with shared(mqtt={"max_topic_levels": 3}).client(uid, version=version) as c:
        c.send(raw.subscribe(0xABCD, [("a", 2), ("a/b/c/d", 1), ("b", 0), ("c", 1)], version=version))
        c.expect(raw.SUBACK, packet_id=0xABCD, codes=[2, 0x8F if version == 5 else 0x80, 0, 1])


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.10.4-1", "MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.11.3-1", "MQTT-3.11.3-2", "3.1.1 MQTT-3.10.4-4")
def test_unsubscribe(shared, uid, version):
    with shared().client(uid, version=version) as c:
        c.subscribe(f"{uid}/a", f"{uid}/+", f"$share/g/{uid}/s")
        c.send(raw.unsubscribe(9, [f"{uid}/+", f"{uid}/none", f"$share/g/{uid}/s", f"{uid}/s", f"{uid}/+"], version=version))
        c.expect(raw.UNSUBACK, packet_id=9, codes=[0, 0x11, 0, 0x11, 0x11] if version == 5 else [])
        c.publish(f"{uid}/x")  # MQTT-3.10.4-2: nothing new after UNSUBACK
        c.publish(f"{uid}/s")
        c.send(raw.publish(f"{uid}/a", "left", version=version))
        c.expect(raw.PUBLISH, topic=f"{uid}/a", payload="left")
        c.ping()


@pytest.mark.statement("MQTT-3.10.4-3: what was begun is completed")
def test_unsubscribe_leaves_what_is_in_flight(shared, uid):
    with shared().client(uid, props={"receive_maximum": 1}) as c, shared().client(f"{uid}-p") as p:
        c.subscribe((uid, 2))
        p.publish(uid, "1", qos=2)
        p.publish(uid, "2", qos=1)
        m = c.expect(raw.PUBLISH, payload="1")
        c.send(raw.unsubscribe(2, [uid]))
        c.expect(raw.UNSUBACK)
        c.send(raw.pubrec(m.packet_id))
        c.expect(raw.PUBREL, packet_id=m.packet_id, code=0)
        c.send(raw.pubcomp(m.packet_id))
        c.expect(raw.PUBLISH, payload="2")  # 7.2: queued messages stay


@pytest.mark.parametrize("topic_filter,match,other", rows_topics.MATCHING, ids=[row[0] for row in rows_topics.MATCHING])
@pytest.mark.statement("MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.2-1", "MQTT-4.7.3-1", "MQTT-4.7.3-4")
def test_matching(shared, uid, topic_filter, match, other):
    broker = shared()
    with broker.client(uid) as c, broker.client(f"{uid}-p") as p:
        c.subscribe((topic_filter, 1), ("end/of/test/x/y/z", 1))
        for topic in (*match, *other):
            p.send(raw.publish(topic, uid, qos=1))
            p.expect(raw.PUBACK)
        p.send(raw.publish("end/of/test/x/y/z", uid))
        got = []
        while not (m := c.expect(raw.PUBLISH)).topic.startswith("end/"):
            got.append(m.topic)
            c.send(raw.puback(m.packet_id))
        if topic_filter == "#":
            c.expect(raw.PUBLISH, topic="end/of/test/x/y/z")
        assert got == match


@pytest.mark.parametrize("topic_filter", ["a/$SYS/#", "$SYS", "$x", "$SYS/+/custom"])
def test_dollar_filters_are_ordinary_otherwise(shared, uid, topic_filter):
    with shared().client(uid) as c:
        c.subscribe(topic_filter)


@pytest.mark.parametrize("filters,topic,qos,want", rows_topics.OVERLAPS)
@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.3.4-2", "broker.md 5.2: a copy for each matching filter")
def test_overlapping_subscriptions(shared, uid, version, filters, topic, qos, want):
    with shared().client(uid, version=version) as c, shared().client(f"{uid}-p") as p:
        for n, (name, sub_qos) in enumerate(filters):
            c.subscribe((name.format(uid), sub_qos), packet_id=n + 1)
        p.publish(topic.format(uid), "x", qos=qos)
        assert sorted(c.expect(raw.PUBLISH, payload="x").qos for _ in want) == want
        c.expect_nothing(0.03)


@pytest.mark.statement("MQTT-3.3.4-3", "MQTT-3.3.4-4", "3.8.2.1.2: Subscription Identifier")
def test_subscription_identifiers(shared, uid):
    with shared().client(uid) as c, shared().client(f"{uid}-p") as p:
        for packet_id, (name, number) in enumerate(((f"{uid}/a", 1), (f"{uid}/+", 268435454), (f"{uid}/#", None)), 1):
            c.subscribe(name, packet_id=packet_id, props={} if number is None else {"subscription_identifier": number})
        p.publish(f"{uid}/a", "x")
        got = [c.expect(raw.PUBLISH).props.get("subscription_identifier") for _ in range(3)]
        assert sorted(got, key=str) == [None, [1], [268435454]]
        c.subscribe(f"{uid}/a", packet_id=4, props={"subscription_identifier": 77})  # replaced
        c.subscribe(f"{uid}/+", packet_id=5)  # taken away
        p.publish(f"{uid}/a", "y")
        got = [c.expect(raw.PUBLISH, payload="y").props.get("subscription_identifier") for _ in range(3)]
        assert sorted(got, key=str) == [None, None, [77]]


@pytest.mark.statement("MQTT-3.3.4-4: identifiers last as long as the session")
def test_subscription_identifier_after_resume(shared, uid):
    broker, session = shared(), {"session_expiry_interval": 60}
    with broker.client(uid, props=session) as c:
        c.subscribe((uid, 1), props={"subscription_identifier": 5})
    with broker.client(f"{uid}-p") as p:
        p.publish(uid, "queued", qos=1)
        with broker.client(uid, clean_start=False, props=session) as c:
            c.expect(raw.PUBLISH, payload="queued", props={"subscription_identifier": [5]})
            p.publish(uid, "live")
            c.expect(raw.PUBLISH, payload="live", props={"subscription_identifier": [5]})


@pytest.mark.parametrize("no_local", [True, False])
@pytest.mark.statement("MQTT-3.8.3-3: No Local")
def test_no_local(shared, uid, no_local):
    with shared().client(uid) as c, shared().client(f"{uid}-p") as p:
        c.subscribe((uid, raw.options(1, no_local=no_local)))
        c.publish(uid, "own", qos=0)
        if not no_local:
            c.expect(raw.PUBLISH, payload="own")
        p.publish(uid, "other")
        c.expect(raw.PUBLISH, payload="other")


@pytest.mark.statement("MQTT-3.8.3-3: No Local is about the client id, also across connections of the session")
def test_no_local_after_resume(shared, uid):
    broker, session = shared(), {"session_expiry_interval": 60}
    with broker.client(uid, props=session) as c:
        c.subscribe((uid, raw.options(1, no_local=True)))
    with broker.client(uid, clean_start=False, props=session) as c:
        c.publish(uid, "own", qos=0)
        c.ping()
        c.expect_nothing(0.05)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.statement("broker.md 6.1: ignore_loop_deliver is No Local for 3.x")
def test_ignore_loop_deliver(shared, uid, version):
    with shared(mqtt={"ignore_loop_deliver": True}).client(uid, version=version) as c, shared().client(f"{uid}-p"):
        c.subscribe(uid)
        c.publish(uid, "own")
        c.ping()
        c.expect_nothing(0.05)


@pytest.mark.parametrize("rap", [True, False])
@pytest.mark.parametrize("retain", [True, False])
@pytest.mark.statement("MQTT-3.3.1-12", "MQTT-3.3.1-13: Retain As Published")
def test_retain_as_published(shared, uid, rap, retain):
    with shared().client(uid) as c, shared().client(f"{uid}-p") as p:
        c.subscribe((uid, raw.options(1, retain_as_published=rap)))
        p.publish(uid, "x", retain=retain)
        c.expect(raw.PUBLISH, payload="x", retain=rap and retain)


@pytest.mark.statement("broker.md 1.2: a 3.x bridge gets Retain As Published")
@pytest.mark.parametrize("level,retain", [(0x84, True), (4, False), (0x83, True)])
def test_bridge_bit(shared, uid, level, retain):
    with shared().client(version=level & 0x7F) as c, shared().client(f"{uid}-p") as p:
        c.connect(uid, level=level)
        c.subscribe(uid)
        p.publish(uid, "x", retain=True)
        c.expect(raw.PUBLISH, payload="x", retain=retain)


@pytest.mark.statement("MQTT-3.8.4-3", "3.8.4: subscribing again replaces the options")
def test_subscribing_again(shared, uid):
    with shared().client(uid) as c, shared().client(f"{uid}-p") as p:
        c.subscribe((uid, raw.options(2, no_local=True)))
        c.subscribe((uid, 0), packet_id=2)
        p.publish(uid, "x", qos=2)
        c.expect(raw.PUBLISH, payload="x", qos=0)
        c.publish(uid, "own")
        c.expect(raw.PUBLISH, payload="own")
        c.send(raw.unsubscribe(3, [uid]))
        c.expect(raw.UNSUBACK, codes=[0])
        p.publish(uid, "y", qos=1, code=0x10)


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("broker.md 7.1: SUBACK comes before any message of the subscription")
def test_suback_comes_first(shared, uid, version):
    broker = shared()
    with broker.client(f"{uid}-p") as p:
        for n in range(5):
            p.publish(f"{uid}/{n}", "kept", qos=1, retain=True)
        for round in range(5):
            with broker.client(f"{uid}-{round}", version=version) as c:
                p.send(b"".join(raw.publish(f"{uid}/{n}", "live", qos=1, packet_id=n + 1) for n in range(5)))
                c.send(raw.subscribe(1, [(f"{uid}/#", 1)], version=version))
                p.send(b"".join(raw.publish(f"{uid}/{n}", "live", qos=1, packet_id=n + 6) for n in range(5)))
                c.expect(raw.SUBACK)
                kept = set()
                while len(kept) < 5:
                    m = c.expect(raw.PUBLISH)
                    if m.retain:
                        kept.add(m.topic)
                for _ in range(10):
                    p.expect(raw.PUBACK)
        for n in range(5):
            p.publish(f"{uid}/{n}", "", retain=True)
        p.ping()


# ---- exclusive ----------------------------------------------------------------------------------------------------

@pytest.mark.statement("broker.md 9.1")
def test_exclusive(shared, uid):
    broker, name = shared(mqtt={"exclusive_subscription": True}), f"$exclusive/{uid}"
    a, b, plain, p = (broker.client(f"{uid}-{n}") for n in "abcp")
    a.subscribe((name, 1))
    b.subscribe((name, 1), codes=[0x97])
    a.subscribe((name, 0), packet_id=2)  # [S]: the owner may claim it again
    plain.subscribe(uid)  # not concerned
    p.publish(uid, "1", qos=1, code=0)
    a.expect(raw.PUBLISH, topic=uid, payload="1", qos=0)
    plain.expect(raw.PUBLISH, topic=uid, payload="1")
    b.send(raw.unsubscribe(2, [name]))
    b.expect(raw.UNSUBACK, codes=[0x11])  # not its own: the claim stays
    b.subscribe(name, codes=[0x97], packet_id=3)
    a.send(raw.unsubscribe(3, [name]))
    a.expect(raw.UNSUBACK, codes=[0])
    b.subscribe(name, packet_id=4)
    b.close()  # the session ends and frees it
    a.subscribe(name, packet_id=4) if wait_claimable(a, name) else None
    p.publish(uid, "2", qos=1, code=0)
    a.expect(raw.PUBLISH, payload="2")
    for c in (a, plain, p):
        c.close()


def wait_claimable(client, name):
    """The end of another session is not seen at once: claims until it succeeds."""
    for attempt in range(200):
        client.send(raw.subscribe(100 + attempt, [name]))
        if client.expect(raw.SUBACK).codes == [0]:
            return True
    raise AssertionError("still claimed")


@pytest.mark.statement("broker.md 9.1: an offline session keeps its claim")
def test_exclusive_of_an_offline_session(shared, uid):
    broker, name = shared(mqtt={"exclusive_subscription": True}), f"$exclusive/{uid}"
    with broker.client(uid, props={"session_expiry_interval": 60}) as a:
        a.subscribe((name, 1))
    with broker.client(f"{uid}-b") as b:
        b.subscribe(name, codes=[0x97])
    with broker.client(uid):
        pass  # clean start: gone
    with broker.client(f"{uid}-b") as b:
        assert wait_claimable(b, name)
