"""Wills: when they are published and with what (broker.md 4.4, 4.5; MQTT 5.0 3.1.2.5, 3.1.3.2)."""
import time

import pytest

from . import raw

W = raw.Will


def mortal(broker, name, version=5, *, will=None, **arguments):
    return broker.client(f"{name}-m", version=version, will=will or W(name, "gone", qos=1), **arguments)


def taken_over(broker, name, dying, **arguments):
    """The same client id on a new connection."""
    return broker.client(f"{name}-m", version=dying.version, **arguments)


ENDS_WITH_WILL = {
    "the socket closes": lambda c: c.close(),
    "DISCONNECT 04": lambda c: c.send(raw.disconnect(0x04)),
    "DISCONNECT 82": lambda c: c.send(raw.disconnect(0x82)),
    "a protocol error": lambda c: c.send(raw.connect("x", version=c.version)),
    "a malformed packet": lambda c: c.send(b"\x00\x00"),
}


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("end", ENDS_WITH_WILL)
@pytest.mark.statement("MQTT-3.1.2-8", "3.1.1 MQTT-3.1.2-8", "MQTT-3.14.4-3")
def test_will_is_published(shared, uid, version, end):
    if version < 5 and end.startswith("DISCONNECT"):
        end = "the socket closes"
    with shared().client(uid) as watcher, mortal(shared(), uid, version) as dying:
        watcher.subscribe((uid, 1))
        ENDS_WITH_WILL[end](dying)
        got = watcher.expect(raw.PUBLISH, topic=uid, payload="gone", qos=1, retain=False, dup=False)
        watcher.send(raw.puback(got.packet_id))
        watcher.expect_nothing(0.05)  # once


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.14.4-3", "3.1.1 MQTT-3.14.4-3")
def test_no_will_after_normal_disconnect(shared, uid, version):
    with shared().client(uid) as watcher, mortal(shared(), uid, version) as leaving:
        watcher.subscribe((uid, 1))
        leaving.send(raw.disconnect(version=version))
        leaving.expect_closed()
        watcher.expect_nothing(0.2)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos,retain", [(0, False), (1, True), (2, False), (2, True)])
@pytest.mark.statement("MQTT-3.1.2-14", "MQTT-3.1.2-15", "3.1.2.6")
def test_will_qos_and_retain(shared, uid, version, qos, retain):
    with shared().client(uid) as watcher:
        watcher.subscribe((uid, raw.options(2, retain_as_published=True)))
        mortal(shared(), uid, version, will=W(uid, b"\x00\xff", qos=qos, retain=retain)).close()
        watcher.expect(raw.PUBLISH, payload=b"\x00\xff", qos=qos, retain=retain)
    with shared().client(uid) as late:
        late.subscribe((uid, 2))
        if retain:
            late.expect(raw.PUBLISH, payload=b"\x00\xff", qos=qos, retain=True)
        else:
            late.expect_nothing(0.1)


@pytest.mark.statement("MQTT-3.1.3-10", "4.5: properties are passed through")
def test_will_properties(shared, uid):
    props = {"payload_format_indicator": 1, "message_expiry_interval": 60, "content_type": "text", "response_topic": "r/s",
             "correlation_data": b"\x00\x01", "user_property": [("b", "2"), ("a", "1"), ("b", "2")]}
    with shared().client(uid) as watcher:
        watcher.subscribe((uid, 0))
        mortal(shared(), uid, will=W(uid, "x", props={**props, "will_delay_interval": 0})).close()
        assert watcher.expect(raw.PUBLISH, topic=uid).props == props


@pytest.mark.statement("3.1.3.2.2 Will Delay Interval", "MQTT-3.1.3-9")
def test_will_delay(shared, uid):
    """Three clients at once: one stays away, one comes back in time, one's session ends before the delay."""
    broker = shared()
    with broker.client(uid) as watcher:
        watcher.subscribe((f"{uid}/+", 0))
        for name, delay, expiry in (("away", 1, 60), ("back", 1, 60), ("expires", 60, 1)):
            broker.client(f"{uid}-{name}", clean_start=False, props={"session_expiry_interval": expiry},
                          will=W(f"{uid}/{name}", props={"will_delay_interval": delay})).close()
        begin = time.monotonic()
        with broker.client(f"{uid}-back", clean_start=False, props={"session_expiry_interval": 60}) as back:
            got = {watcher.expect(raw.PUBLISH, timeout=3).topic for _ in range(2)}
            assert got == {f"{uid}/away", f"{uid}/expires"}
            assert 0.8 < time.monotonic() - begin < 2.5
            watcher.expect_nothing(0.3)
            back.ping()


@pytest.mark.statement("3.1.3.2.2: a session without an expiry ends with its connection, the will is not delayed")
def test_will_delay_needs_a_session(shared, uid):
    with shared().client(uid) as watcher:
        watcher.subscribe((uid, 0))
        mortal(shared(), uid, will=W(uid, "x", props={"will_delay_interval": 600})).close()
        watcher.expect(raw.PUBLISH, payload="x")


TAKEOVERS = [  # (what, delay, session expiry, clean start of the new connection, the will is published)
    ("no delay, session goes on", 0, 60, False, True),
    ("delay, session goes on", 60, 60, False, False),
    ("no delay, clean start", 0, 60, True, True),
    ("delay, clean start ends the session", 60, 60, True, True),
    ("delay, session without expiry", 60, 0, False, True),
]


def takeovers():
    for what, delay, *rest in TAKEOVERS:
        yield pytest.param(True, delay, *rest, id=f"online, {what}")
        if delay and rest[0]:  # otherwise the will is out before anybody takes over
            yield pytest.param(False, delay, *rest, id=f"offline, {what}")


@pytest.mark.parametrize("online,delay,expiry,clean,published", takeovers())
@pytest.mark.statement("MQTT-3.1.4-3", "MQTT-3.1.3-9", "broker.md 4.4 [S]")
def test_will_at_takeover(shared, uid, online, delay, expiry, clean, published):
    broker, session = shared(), {"session_expiry_interval": expiry}
    with broker.client(uid) as watcher:
        watcher.subscribe((uid, 0))
        old = mortal(broker, uid, clean_start=False, props=session, will=W(uid, "x", props={"will_delay_interval": delay}))
        if not online:
            old.close()
        with taken_over(broker, uid, old, clean_start=clean, props=session) as new:
            if online:
                old.expect_disconnect(0x8E)
            if published:
                watcher.expect(raw.PUBLISH, payload="x")
            new.ping()
            watcher.expect_nothing(0.15)
        old.close()


@pytest.mark.statement("3.14.2.2.2")
def test_session_expiry_in_disconnect_shortens_the_delay(shared, uid):
    with shared().client(uid) as watcher:
        watcher.subscribe((uid, 0))
        with mortal(shared(), uid, props={"session_expiry_interval": 60},
                    will=W(uid, "x", props={"will_delay_interval": 60})) as dying:
            dying.send(raw.disconnect(0x04, props={"session_expiry_interval": 0}))
            watcher.expect(raw.PUBLISH, payload="x")


@pytest.mark.statement("MQTT-3.1.2-10: the will goes with the connection it came with")
def test_new_connection_replaces_the_will(shared, uid):
    broker, session = shared(), {"session_expiry_interval": 60}
    with broker.client(uid) as watcher:
        watcher.subscribe((uid, 0))
        mortal(broker, uid, clean_start=False, props=session, will=W(uid, "1", props={"will_delay_interval": 60})).close()
        with mortal(broker, uid, clean_start=False, props=session, will=W(uid, "2")) as again:
            again.ping()
        watcher.expect(raw.PUBLISH, payload="2")
        watcher.expect_nothing(0.1)


@pytest.mark.statement("MQTT-3.1.2-8: keep-alive")
def test_will_when_keep_alive_ends_the_connection(shared, uid):
    with shared().client(uid) as watcher, mortal(shared(), uid, keep_alive=1):
        watcher.subscribe((uid, 0))
        watcher.expect(raw.PUBLISH, payload="gone", timeout=4)


@pytest.mark.statement("6.1: no-local looks at the client that left")
def test_empty_retained_will_clears(shared, uid):
    broker = shared()
    with broker.client(uid) as c:
        c.publish(uid, "kept", qos=1, retain=True)
        c.subscribe((uid, raw.options(0, retain_handling=2)))
        mortal(broker, uid, will=W(uid, b"", retain=True)).close()
        c.expect(raw.PUBLISH, payload=b"")
    with broker.client(uid) as late:
        late.subscribe(uid)
        late.expect_nothing(0.1)
