"""Sessions: clean start, expiry, takeover, what is sent again (broker.md 4; MQTT 5.0 3.1.2.4, 4.1, 4.4)."""
import time

import pytest

from . import raw

LONG = {"session_expiry_interval": 60}


def keep(broker, name, version=5, clean=False, expiry=60, **arguments):
    """A client with a session that outlives its connection, and its CONNACK."""
    client = broker.client(version=version)
    props = {**arguments.pop("props", {}), "session_expiry_interval": expiry} if version == 5 else None
    connack = client.connect(name, clean_start=clean, props=props, **arguments)
    client.session_present = connack.session_present
    return client


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-3.1.2-6", "MQTT-3.2.2-2", "MQTT-3.2.2-3")
def test_session_present(shared, uid, version):
    broker = shared()
    want = [(False, False), (False, True), (True, False), (False, False)]  # (clean start, session present); clean forgets
    for step, (clean, present) in enumerate(want):
        c = keep(broker, uid, version, clean=clean, expiry=60 if not clean else 0)
        assert c.session_present == (present and version >= 4), f"step {step}"  # 3.1 knows no such flag
        c.disconnect()


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-4.1.0-1", "4.1: subscriptions and messages of QoS 1 and 2 are kept")
def test_offline_messages(shared, uid, version):
    broker = shared()
    with keep(broker, uid, version) as c:
        c.subscribe((f"{uid}/#", 2))
        c.disconnect()
    with broker.client(f"{uid}-p") as p:
        for n in range(9):
            p.publish(f"{uid}/{n % 3}", str(n), qos=n % 3, packet_id=n + 1)
    with keep(broker, uid, version) as c:
        got = []
        while len(got) < 9:
            m = c.expect(raw.PUBLISH, dup=False)
            got.append((int(m.payload), m.qos))
            if m.qos == 1:
                c.send(raw.puback(m.packet_id))
            if m.qos == 2:
                c.send(raw.pubrec(m.packet_id))
                rest = []
                while (r := c.receive()).kind != raw.PUBREL:
                    rest.append(r)
                c.send(raw.pubcomp(m.packet_id))
                for r in rest:  # order: whatever came between
                    got.append((int(r.payload), r.qos))
                    if r.qos == 1:
                        c.send(raw.puback(r.packet_id))
                    assert r.qos < 2 or not c.send(raw.pubrec(r.packet_id))
                for r in rest:
                    if r.qos == 2:
                        c.expect(raw.PUBREL, packet_id=r.packet_id)
                        c.send(raw.pubcomp(r.packet_id))
        assert sorted(got) == [(n, n % 3) for n in range(9)]  # mqueue_store_qos0 is on
        c.expect_nothing(0.1)


def test_offline_qos0_is_not_kept_if_told_so(shared, uid):
    broker = shared(mqtt={"mqueue_store_qos0": False})
    with keep(broker, uid) as c:
        c.subscribe((uid, 2))
    with broker.client(f"{uid}-p") as p:
        p.publish(uid, "0")
        p.publish(uid, "1", qos=1)
    with keep(broker, uid) as c:
        c.expect(raw.PUBLISH, payload="1")
        c.expect_nothing(0.1)


@pytest.mark.statement("3.1.2.11.2: expiry 0 or absent ends the session with the connection", "MQTT-3.1.2-23")
def test_session_expiry(shared, uid):
    broker = shared(mqtt={"session_expiry_interval": "1s"})
    for name, expiry in (("none", 0), ("one", 1), ("ever", 0xFFFFFFFF)):
        keep(broker, f"{uid}-{name}", expiry=expiry).close()
    keep(broker, f"{uid}-old", version=4).close()  # v3: the configured interval
    absent = broker.client()
    absent.connect(f"{uid}-absent", clean_start=False)
    absent.close()
    begin = time.monotonic()
    assert not keep(broker, f"{uid}-none", expiry=0).session_present
    assert not keep(broker, f"{uid}-absent", expiry=0).session_present
    with broker.client(f"{uid}-w") as watcher:  # the end of the session is seen by its will
        watcher.subscribe(uid)
        keep(broker, f"{uid}-will", expiry=1, will=raw.Will(uid, props={"will_delay_interval": 9})).close()
        watcher.expect(raw.PUBLISH, timeout=3)
    assert time.monotonic() - begin >= 0.9
    assert not keep(broker, f"{uid}-one", expiry=0).session_present
    assert not keep(broker, f"{uid}-old", version=4).session_present
    assert keep(broker, f"{uid}-ever", expiry=0).session_present


@pytest.mark.parametrize("first,second,present", [
    (60, 0, False), (60, 120, True), (60, None, True)], ids=["set to 0", "changed", "absent"])
@pytest.mark.statement("3.14.2.2.2 Session Expiry Interval in DISCONNECT")
def test_session_expiry_in_disconnect(shared, uid, first, second, present):
    c = keep(shared(), uid, expiry=first)
    c.send(raw.disconnect(0, props={} if second is None else {"session_expiry_interval": second}))
    c.expect_closed()
    assert keep(shared(), uid).session_present == present


@pytest.mark.statement("3.14.2.2.2: setting 0 ends the session at once, with its subscriptions")
def test_subscriptions_end_with_the_session(shared, uid):
    broker = shared()
    with keep(broker, uid, clean=True, expiry=60) as c:
        c.subscribe((uid, 1))
        c.send(raw.disconnect(0, props={"session_expiry_interval": 0}))
        c.expect_closed()
    with broker.client(f"{uid}-p") as p:
        p.publish(uid, "x", qos=1, code=0x10)  # nobody


# ---- takeover -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("old_version", [3, 4, 5])
@pytest.mark.parametrize("new_version", [3, 4, 5])
@pytest.mark.parametrize("clean", [False, True], ids=["resume", "clean"])
@pytest.mark.statement("MQTT-3.1.4-3", "3.1.1 MQTT-3.1.4-2")
def test_takeover(shared, uid, old_version, new_version, clean):
    broker = shared()
    old = keep(broker, uid, old_version)
    old.subscribe((uid, 1))
    new = keep(broker, uid, new_version, clean=clean)
    old.expect_disconnect(0x8E)
    assert new.session_present == (not clean and new_version >= 4)
    with broker.client(f"{uid}-p") as p:
        p.publish(uid, "x", qos=1, code=0x10 if clean else 0)
    if not clean:
        new.expect(raw.PUBLISH, payload="x", qos=1)
    new.ping()


@pytest.mark.statement("MQTT-3.1.4-3", "4.3: nothing is lost or doubled when a client takes over under load")
def test_takeover_under_load(shared, uid):
    """Every message arrives, in order of its first arrival, while five connections take over from one another."""
    broker, count = shared(mqtt={"max_inflight": 50, "max_mqueue_len": 0}), 600
    seen, new = [], keep(broker, uid)
    new.subscribe((uid, 1))
    with broker.client(f"{uid}-p") as p:
        for part in range(6):
            p.send(*(raw.publish(uid, str(n), qos=1, packet_id=n + 1) for n in range(part * 100, part * 100 + 100)))
            if part:
                old, new = new, keep(broker, uid)
                assert new.session_present
                old.close()
            for _ in range(20):  # answers some of them
                m = new.expect(raw.PUBLISH)
                seen.append(int(m.payload))
                new.send(raw.puback(m.packet_id))
        while not seen or seen[-1] != count - 1:
            m = new.expect(raw.PUBLISH)
            seen.append(int(m.payload))
            new.send(raw.puback(m.packet_id))
        acked = 0
        while acked < count:
            assert p.receive().code == 0
            acked += 1
    first = list(dict.fromkeys(seen))
    assert first == list(range(count))


@pytest.mark.statement("4.3: requests behind CONNECT are worked off after the takeover")
def test_takeover_with_pipelined_load(shared, uid):
    broker = shared()
    old = keep(broker, uid)
    old.subscribe((uid, 1))
    old.send(*(raw.publish(f"{uid}/x", "o", qos=1, packet_id=n + 1) for n in range(50)))
    with broker.client() as new:
        new.send(raw.connect(uid, clean_start=False, props=LONG),
                 *(raw.publish(uid, str(n), qos=1, packet_id=n + 1) for n in range(30)), raw.pingreq())
        new.expect(raw.CONNACK, session_present=True)
        got = []
        while len(got) < 30:
            m = new.receive()
            if m.kind == raw.PUBLISH:
                got.append(int(m.payload))
                new.send(raw.puback(m.packet_id))
        assert got == list(range(30))
    kinds = []
    with pytest.raises(raw.Closed):
        while True:
            kinds.append(old.receive())
    assert kinds[-1].kind == raw.DISCONNECT and kinds[-1].code == 0x8E


@pytest.mark.statement("3.1.4: a session without expiry ends when its connection is taken over")
def test_takeover_of_a_session_without_expiry(shared, uid):
    broker = shared()
    old = keep(broker, uid, expiry=0)
    old.subscribe(uid)
    new = keep(broker, uid)
    old.expect_disconnect(0x8E)
    assert not new.session_present


# ---- what is sent again -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("MQTT-4.4.0-1", "MQTT-4.4.0-2", "3.1.1 MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.6.0-1", "MQTT-4.3.3-7")
def test_unacknowledged_is_sent_again_in_order(shared, uid, version):
    broker = shared()
    with keep(broker, uid, version) as c, broker.client(f"{uid}-p") as p:
        c.subscribe((uid, 2))
        first = {}
        for n in range(6):
            p.publish(uid, str(n), qos=1 + n % 2, packet_id=n + 1)
            first[n] = c.expect(raw.PUBLISH, payload=str(n), dup=False)
        c.send(raw.puback(first[0].packet_id))  # 0 is done
        c.send(raw.pubrec(first[1].packet_id))  # 1 waits for PUBCOMP
        c.expect(raw.PUBREL, packet_id=first[1].packet_id)
        c.send(raw.pubrec(first[5].packet_id))  # so does 5, behind others
        c.expect(raw.PUBREL, packet_id=first[5].packet_id)
    with broker.client(f"{uid}-p") as p:
        p.publish(uid, "new", qos=1)
    with keep(broker, uid, version) as c:
        c.expect(raw.PUBREL, packet_id=first[1].packet_id)
        for n in (2, 3, 4):
            c.expect(raw.PUBLISH, payload=str(n), dup=True, packet_id=first[n].packet_id, qos=1 + n % 2)
        c.expect(raw.PUBREL, packet_id=first[5].packet_id)
        fresh = c.expect(raw.PUBLISH, payload="new", dup=False)
        assert fresh.packet_id not in {m.packet_id for n, m in first.items() if n}
        c.send(*(raw.pubcomp(first[n].packet_id) for n in (1, 5)), *(raw.puback(first[n].packet_id) for n in (2, 4)),
               raw.puback(fresh.packet_id), raw.pubrec(first[3].packet_id))
        c.expect(raw.PUBREL, packet_id=first[3].packet_id)
        c.send(raw.pubcomp(first[3].packet_id))
        c.ping()
        c.disconnect()
    with keep(broker, uid, version) as c:
        c.expect_nothing(0.1)


@pytest.mark.statement("MQTT-4.4.0-1: nothing is sent again on a live connection")
def test_no_retry_on_a_live_connection(shared, uid):
    with shared().client(uid) as c:
        c.subscribe((uid, 1))
        c.publish(uid, "x", qos=0)
        c.send(raw.publish(uid, "y", qos=1))
        assert {c.receive().kind, c.receive().kind, c.receive().kind} == {raw.PUBLISH, raw.PUBACK}
        c.expect_nothing(0.5)


@pytest.mark.statement("broker.md 6.5: retry_interval where it is set")
def test_retry_interval(shared, uid):
    with shared(mqtt={"retry_interval": "1s"}).client(uid) as c, shared(mqtt={"retry_interval": "1s"}).client(f"{uid}-p") as p:
        c.subscribe((uid, 2))
        p.publish(uid, "1", qos=1)
        p.publish(uid, "2", qos=2, packet_id=2)
        one, two = c.expect(raw.PUBLISH, dup=False), c.expect(raw.PUBLISH, dup=False)
        again = {c.expect(raw.PUBLISH, dup=True, timeout=3).packet_id}
        while len(again) < 2:  # on a busy machine the first comes more than once before the second
            again.add(c.expect(raw.PUBLISH, dup=True, timeout=3).packet_id)
        assert again == {one.packet_id, two.packet_id}
        c.send(raw.puback(one.packet_id), raw.pubrec(two.packet_id))
        c.expect(raw.PUBREL, packet_id=two.packet_id)
        c.expect(raw.PUBREL, packet_id=two.packet_id, timeout=3)
        c.send(raw.pubcomp(two.packet_id))
        c.expect_nothing(0.2)


@pytest.mark.statement("MQTT-4.3.3-10: a QoS 2 id that was received is known after a resume")
@pytest.mark.parametrize("version", [4, 5])
def test_received_qos2_ids_survive_the_connection(shared, uid, version):
    broker = shared()
    with broker.client(f"{uid}-w") as watcher:
        watcher.subscribe((uid, 2))
        with keep(broker, uid, version) as c:
            c.send(raw.publish(uid, "once", qos=2, packet_id=9, version=version))
            c.expect(raw.PUBREC, packet_id=9, code=0)
        with keep(broker, uid, version) as c:
            c.send(raw.publish(uid, "once", qos=2, packet_id=9, dup=True, version=version))
            c.expect(raw.PUBREC, packet_id=9, code=0)
            c.send(raw.pubrel(9, version=version))
            c.expect(raw.PUBCOMP, packet_id=9, code=0)
        watcher.expect(raw.PUBLISH, payload="once")
        watcher.expect_nothing(0.1)


@pytest.mark.statement("4.9: Receive Maximum is of the connection; a smaller one holds the rest back")
def test_resume_with_a_smaller_window(shared, uid):
    broker = shared()
    with keep(broker, uid) as c, broker.client(f"{uid}-p") as p:
        c.subscribe((uid, 1))
        for n in range(5):
            p.publish(uid, str(n), qos=1, packet_id=n + 1)
            c.expect(raw.PUBLISH, payload=str(n))
    with keep(broker, uid, props={"receive_maximum": 2}) as c:
        for n in range(5):
            m = c.expect(raw.PUBLISH, payload=str(n), dup=True)
            if n:
                c.expect_nothing(0.05) if n == 1 else None
                c.send(raw.puback(before))
            before = m.packet_id


@pytest.mark.parametrize("overflow,want", [(15, list(range(5, 15)))])
@pytest.mark.statement("broker.md 6.3 [S]: the oldest is dropped")
def test_queue_overflow(shared, uid, overflow, want):
    broker = shared(mqtt={"max_mqueue_len": 10})
    with keep(broker, uid) as c:
        c.subscribe((uid, 1))
    with broker.client(f"{uid}-p") as p:
        for n in range(overflow):
            p.publish(uid, str(n), qos=1, packet_id=n + 1)
    with keep(broker, uid) as c:
        got = []
        for _ in want:
            m = c.expect(raw.PUBLISH)
            got.append(int(m.payload))
            c.send(raw.puback(m.packet_id))
        assert got == want
        c.expect_nothing(0.1)


@pytest.mark.statement("broker.md 6.3: priorities")
def test_queue_priorities(shared, uid):
    broker = shared(mqtt={"mqueue_priorities": {"prio/high": 10, "prio/low": 1}, "max_mqueue_len": 5})
    with keep(broker, uid) as c:
        c.subscribe(("prio/+", 1))
    with broker.client(f"{uid}-p") as p:
        for n, topic in enumerate(["none", "low", "high"] * 3):
            p.publish(f"prio/{topic}", str(n), qos=1, packet_id=n + 1)
    with keep(broker, uid, clean=False) as c:
        got = []
        for _ in range(9):
            m = c.expect(raw.PUBLISH)
            got.append(m.topic[5:])
            c.send(raw.puback(m.packet_id))
        assert got == ["high"] * 3 + ["low"] * 3 + ["none"] * 3
    keep(broker, uid, clean=True, expiry=0).close()


@pytest.mark.statement("broker.md 4.6: max_subscriptions")
@pytest.mark.parametrize("version,code", [(4, 0x80), (5, 0x97)])
def test_max_subscriptions(shared, uid, version, code):
    with shared(mqtt={"max_subscriptions": 2}).client(uid, version=version) as c:
        c.subscribe("a", "b", "c", codes=[0, 0, code])
        c.subscribe(("a", 1), packet_id=2)  # a known one may change
        c.send(raw.unsubscribe(3, ["b"], version=version))
        c.expect(raw.UNSUBACK)
        c.subscribe("c", packet_id=4)
