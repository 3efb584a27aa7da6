"""Retained messages (broker.md 10; MQTT 5.0 3.3.1.3, 3.8.3.1)."""
import re
import time

import pytest

from . import raw
from .test_statements_server import ctl


def retain(client, topic, payload="x", qos=1, **arguments):
    client.publish(topic, payload, qos=qos, retain=True, **arguments)


def receive_all(client):
    """What has come so far: {topic: packet}."""
    found = {}
    while True:
        try:
            m = client.receive(0.15)
        except TimeoutError:
            return found
        assert m.kind == raw.PUBLISH and m.topic not in found
        found[m.topic] = m


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("stored", [0, 1, 2])
@pytest.mark.parametrize("sub", [0, 1, 2])
@pytest.mark.statement("MQTT-3.3.1-5", "MQTT-3.3.1-9", "3.3.1.3: retain is 1, QoS the lower of both", "3.1.1 MQTT-3.3.1-6")
def test_new_subscriber_gets_it(shared, uid, version, stored, sub):
    broker = shared()
    with broker.client(f"{uid}-p", version=version) as p:
        retain(p, uid, "1", qos=stored)
        retain(p, uid, b"\x00two", qos=stored)  # replaces the first
        p.ping()
    with broker.client(uid, version=version) as c:
        c.subscribe((uid, sub))
        c.expect(raw.PUBLISH, topic=uid, payload=b"\x00two", retain=True, qos=min(stored, sub), dup=False)
        c.expect_nothing(0.02)


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.3.1-6", "MQTT-3.3.1-7", "3.1.1 MQTT-3.3.1-10", "3.1.1 MQTT-3.3.1-11")
def test_empty_payload_clears(shared, uid, version):
    broker = shared()
    with broker.client(f"{uid}-p") as p, broker.client(f"{uid}-w", version=version) as watcher:
        watcher.subscribe(uid)
        retain(p, uid)
        watcher.expect(raw.PUBLISH, retain=False)
        retain(p, uid, b"")
        watcher.expect(raw.PUBLISH, payload=b"", retain=False)  # routed all the same
    with broker.client(uid) as c:
        c.subscribe(uid)
        c.expect_nothing(0.1)


@pytest.mark.statement("broker.md 10: stop_publish_clear_msg", "18.1: 0x10 for a consumed message")
def test_clearing_is_not_routed_if_told_so(shared, uid):
    with shared(retainer={"stop_publish_clear_msg": True}).client(uid) as c:
        c.subscribe((uid, raw.options(0, retain_handling=2)))
        c.send(raw.publish(uid, "x", qos=1, retain=True))
        assert {c.receive().kind, c.receive().kind} == {raw.PUBLISH, raw.PUBACK}
        c.send(raw.publish(uid, b"", qos=1, retain=True))
        c.expect(raw.PUBACK, code=0x10)
        c.expect_nothing(0.05)


@pytest.mark.statement("MQTT-3.3.1-8: without the flag nothing is stored nor replaced")
def test_without_retain_nothing_is_stored(shared, uid):
    broker = shared()
    with broker.client(f"{uid}-p") as p:
        retain(p, uid, "kept")
        p.publish(uid, "passing", qos=1)
        p.publish(uid, b"", qos=1)
    with broker.client(uid) as c:
        c.subscribe(uid)
        c.expect(raw.PUBLISH, payload="kept")


# (retain handling, the subscription is new, the message comes)
HANDLING = [(0, True, True), (0, False, True), (1, True, True), (1, False, False), (2, True, False), (2, False, False)]


@pytest.mark.parametrize("handling,is_new,comes", HANDLING)
@pytest.mark.statement("MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.8.4-4")
def test_retain_handling(shared, uid, handling, is_new, comes):
    broker = shared()
    with broker.client(f"{uid}-p") as p:
        retain(p, uid)
    with broker.client(uid) as c:
        if not is_new:
            c.subscribe((uid, raw.options(0, retain_handling=2)))
        c.subscribe((uid, raw.options(0, retain_handling=handling)), packet_id=2)
        c.expect(raw.PUBLISH, retain=True) if comes else c.expect_nothing(0.1)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.statement("3.1.1 MQTT-3.8.4-3: subscribing again sends them again")
def test_3x_gets_it_at_each_subscribe(shared, uid, version):
    with shared().client(uid, version=version) as c:
        retain(c, uid)
        for packet_id in (1, 2):
            c.subscribe(uid, packet_id=packet_id)
            c.expect(raw.PUBLISH, retain=True)


@pytest.mark.statement("MQTT-3.3.1-11: a session that is resumed is not a new subscription")
def test_resume_replays_nothing(shared, uid):
    broker, session = shared(), {"session_expiry_interval": 60}
    with broker.client(uid, props=session) as c:
        c.subscribe((uid, 0))
        retain(c, uid, qos=0)
        c.expect(raw.PUBLISH)
    with broker.client(uid, clean_start=False, props=session) as c:
        c.expect_nothing(0.1)


@pytest.mark.parametrize("rap", [False, True])
@pytest.mark.statement("6.1: Retain As Published does not touch what is replayed", "MQTT-3.3.4-3")
def test_replay_has_retain_and_identifier(shared, uid, rap):
    with shared().client(uid) as c:
        retain(c, uid)
        c.subscribe((uid, raw.options(1, retain_as_published=rap)), props={"subscription_identifier": 9})
        c.expect(raw.PUBLISH, retain=True, props={"subscription_identifier": [9]})


@pytest.mark.statement("MQTT-4.8.2: none on a shared subscription", "broker.md 10")
@pytest.mark.parametrize("prefix", ["$share/g/", "$queue/"])
def test_no_replay_to_shared_subscriptions(shared, uid, prefix):
    with shared().client(uid) as c:
        retain(c, uid)
        c.subscribe(prefix + uid)
        c.expect_nothing(0.1)


FILTERS = [  # (filter, topics that are replayed), of those stored below
    ("{}/a", ["a"]), ("{}/+", ["a", "b", ""]), ("{}/#", ["a", "b", "a/b", "a/b/c", "", "/x"]), ("{}/a/#", ["a", "a/b", "a/b/c"]),
    ("{}/+/b", ["a/b"]), ("{}/+/+/c", ["a/b/c"]), ("{}//x", ["/x"]), ("{}/+/x", ["/x"]), ("{}/none", []), ("+/{}", [])]


@pytest.mark.parametrize("topic_filter,topics", FILTERS)
def test_replay_by_filter(shared, uid, topic_filter, topics):
    broker = shared()
    with broker.client(f"{uid}-p") as p:
        for topic in ("a", "b", "a/b", "a/b/c", "", "/x"):
            retain(p, f"{uid}/{topic}", topic or "-")
    with broker.client(uid) as c:
        c.subscribe(topic_filter.format(uid))
        got = receive_all(c)
        assert sorted(got) == sorted(f"{uid}/{t}" for t in topics)
        assert all(m.retain for m in got.values())


@pytest.mark.statement("MQTT-4.7.2-1", "broker.md 10 [S]: # and + replay no $ topics")
@pytest.mark.parametrize("topic_filter", ["#", "+/{}", "+/#"])
def test_root_wildcards_replay_no_dollar_topics(shared, uid, topic_filter):
    with shared().client(uid) as c, shared().client(f"{uid}-r") as reader:
        retain(c, f"$x/{uid}")
        c.subscribe(topic_filter.format(uid))
        assert not [topic for topic in receive_all(c) if topic.startswith("$")]
        reader.subscribe(f"$x/{uid}")
        reader.expect(raw.PUBLISH, topic=f"$x/{uid}", retain=True)
        retain(reader, f"$x/{uid}", b"", qos=0)
        reader.expect(raw.PUBLISH, payload=b"")


@pytest.mark.statement("broker.md 10 [S]: replay is in the order of publishing")
def test_order_of_replay(shared, uid):
    broker = shared()
    order = [5, 3, 9, 1, 7, 0, 8, 2, 6, 4]
    with broker.client(f"{uid}-p") as p:
        for n in order:
            retain(p, f"{uid}/{n}", str(n))
            now = int(time.time() * 1000)
            while int(time.time() * 1000) - now < 2:  # the time of publishing counts in milliseconds
                pass
    with broker.client(uid) as c:
        c.subscribe((f"{uid}/+", 1))
        assert [int(c.expect(raw.PUBLISH).payload) for _ in order] == order


@pytest.mark.statement("MQTT-3.3.2-5", "MQTT-3.3.2-6", "broker.md 10: expiry of what is stored")
def test_expiry(shared, uid):
    broker = shared()
    with broker.client(f"{uid}-p") as p:
        retain(p, f"{uid}/1s", props={"message_expiry_interval": 1})
        retain(p, f"{uid}/100s", props={"message_expiry_interval": 100})
        retain(p, f"{uid}/never")
        p.expect_nothing(1.2)
    with broker.client(uid) as c:
        c.subscribe(f"{uid}/#")
        got = receive_all(c)
        assert sorted(got) == [f"{uid}/100s", f"{uid}/never"]
        assert 95 <= got[f"{uid}/100s"].props["message_expiry_interval"] <= 99


def test_default_expiry(shared, uid):
    broker = shared(retainer={"msg_expiry_interval": "1s"})
    with broker.client(f"{uid}-p") as p:
        retain(p, f"{uid}/default")
        retain(p, f"{uid}/own", props={"message_expiry_interval": 100})
        p.expect_nothing(1.2)
    with broker.client(uid) as c:
        c.subscribe(f"{uid}/#")
        assert list(receive_all(c)) == [f"{uid}/own"]


@pytest.mark.statement("broker.md 10: max_payload_size, max_retained_messages: routed, not stored")
def test_limits(shared, uid):
    broker = shared(retainer={"max_payload_size": "10B", "backend": {"type": "built_in_database", "max_retained_messages": 2}},
                    sys_topics={"sys_msg_interval": "disabled"})  # $SYS keeps retained messages too
    with broker.client(f"{uid}-w") as watcher, broker.client(f"{uid}-p") as p:
        watcher.subscribe((f"{uid}/#", 1))
        for topic, payload in (("large", "x" * 11), ("a", "x" * 10), ("b", "1"), ("c", "1"), ("a", "2")):
            retain(p, f"{uid}/{topic}", payload)
            watcher.expect(raw.PUBLISH, topic=f"{uid}/{topic}", payload=payload)
    with broker.client(uid) as c:
        c.subscribe(f"{uid}/#")
        assert {t: m.payload for t, m in receive_all(c).items()} == {f"{uid}/a": b"2", f"{uid}/b": b"1"}
        for topic in "ab":
            retain(c, f"{uid}/{topic}", b"", qos=0)
        assert {c.expect(raw.PUBLISH).payload, c.expect(raw.PUBLISH).payload} == {b""}


def test_disabled(shared, uid):
    with shared(retainer={"enable": False}).client(uid) as c:
        retain(c, uid)
        c.subscribe(uid)
        c.expect_nothing(0.1)


@pytest.mark.statement("MQTT-3.3.4-7: the window holds for what is replayed")
def test_replay_keeps_to_the_window(shared, uid):
    broker = shared()
    with broker.client(f"{uid}-p") as p:
        for n in range(6):
            retain(p, f"{uid}/{n}")
    with broker.client(uid, props={"receive_maximum": 2}) as c:
        c.subscribe((f"{uid}/+", 1))
        inflight = [c.expect(raw.PUBLISH), c.expect(raw.PUBLISH)]
        c.expect_nothing(0.05)
        for n in range(6):
            c.send(raw.puback(inflight.pop(0).packet_id))
            if n < 4:
                inflight.append(c.expect(raw.PUBLISH, retain=True))


def test_properties_are_kept(shared, uid):
    props = {"content_type": "t", "response_topic": "r", "correlation_data": b"c", "payload_format_indicator": 1,
             "user_property": [("a", "1"), ("a", "2")]}
    with shared().client(uid) as c, shared().client(f"{uid}-4", version=4) as old:
        retain(c, uid, props=props)
        c.subscribe(uid)
        assert c.expect(raw.PUBLISH, retain=True).props == props
        old.subscribe(uid)
        old.expect(raw.PUBLISH, retain=True, payload="x")


@pytest.mark.parametrize("qos", [0, 1])
def test_replay_goes_beyond_the_queue(start_broker, qos):
    """More retained messages than the queue holds: all of them arrive, as the client takes them (broker.md 10)."""
    broker = start_broker(mqtt={"max_mqueue_len": 50})
    with broker.client("many") as c:
        for n in range(600):
            c.publish(f"many/{n}", "x" * 2000, qos=1, retain=True)
        c.subscribe(("many/#", qos))
        seen = set()
        while len(seen) < 600:
            m = c.receive(5)
            seen.add(m.topic)
            if m.qos == 1:
                c.send(raw.puback(m.packet_id))


@pytest.mark.statement("3.3.2.3.3: a lifetime of 0 s is over at once", "MQTT-3.3.2-5")
def test_expiry_of_zero_keeps_nothing(shared, uid):
    broker = shared()
    with broker.client(f"{uid}-p") as p, broker.client(f"{uid}-w") as watcher:
        watcher.subscribe(uid)
        retain(p, uid, "kept")
        watcher.expect(raw.PUBLISH, payload="kept")
        retain(p, uid, "gone", props={"message_expiry_interval": 0})
        watcher.expect(raw.PUBLISH, payload="gone")
    with broker.client(uid) as c:
        c.subscribe(uid)
        c.expect_nothing(0.1)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.statement("broker.md 10: delivery_rate holds for the node; a second's worth may go at once")
def test_delivery_rate(start_broker, shards):
    broker = start_broker(shards=shards, retainer={"delivery_rate": "50/s"})
    with broker.client("rate") as c:
        for n in range(110):
            retain(c, f"rate/{n}")
        began = time.monotonic()
        c.subscribe("rate/#")
        for _ in range(110):
            c.receive(5)
        assert 0.9 < time.monotonic() - began < 4


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.statement("broker.md 10: msg_clear_interval")
def test_expired_are_swept(start_broker, shards):
    broker = start_broker(shards=shards, retainer={"msg_clear_interval": "1s"})
    with broker.client("sweep") as c:
        for n in range(20):
            retain(c, f"sweep/{n}", props={"message_expiry_interval": 3 if n % 2 else 100})
    deadline = time.monotonic() + 15
    while True:  # what has expired counts until it is swept
        stats = dict(re.findall(r"^(\S+?)\s*:\s*(\d+)", ctl(broker, "broker", "stats"), re.M))
        if int(stats["retained.max"]) - int(stats["retained.count"]) == 10:
            break
        assert time.monotonic() < deadline, stats
        time.sleep(0.2)
