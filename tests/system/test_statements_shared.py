"""Shared subscriptions: identity, strategies, re-dispatch (broker.md 8; MQTT 5.0 4.8.2)."""
import collections
import contextlib

import pytest

from . import raw, rows_shared

STRATEGY = pytest.mark.parametrize("strategy", rows_shared.STRATEGIES)


def members(stack, broker, uid, count, filters=("$share/g/{}",), qos=0, **arguments):
    made = []
    for n in range(count):
        made.append(stack.enter_context(broker.client(f"{uid}-m{n}", **arguments)))
        made[-1].subscribe(*((f.format(uid), qos) for f in filters))
    return made


def collect(clients, total, acknowledge=True):
    """Receives `total` messages at whoever gets them: a list of (member, payload)."""
    got = []
    empty = 0
    while len(got) < total:
        before = len(got)
        for n, client in enumerate(clients):
            try:
                m = client.receive(0.005)
            except TimeoutError:
                continue
            assert m.kind == raw.PUBLISH
            got.append((n, m.payload.decode()))
            if m.qos == 1 and acknowledge:
                client.send(raw.puback(m.packet_id))
        empty = empty + 1 if len(got) == before else 0
        assert empty < 300, f"only {got}"
    return got


@STRATEGY
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.statement("MQTT-4.8.2-4", "4.8.2: each message goes to one member")
def test_each_message_goes_to_one_member(shared, uid, strategy, qos):
    broker = shared(mqtt={"shared_subscription_strategy": strategy})
    with contextlib.ExitStack() as stack:
        group = members(stack, broker, uid, 4, filters=("$share/g/{}/#",), qos=qos)
        publishers = [stack.enter_context(broker.client(f"{uid}-p{n}")) for n in range(4)]
        for n in range(40):
            publishers[n % 4].publish(f"{uid}/{n % 5}", str(n), qos=qos, packet_id=n + 1)
        got = collect(group, 40)
        assert sorted(int(p) for _, p in got) == list(range(40))
        by_message = {int(payload): member for member, payload in got}
        by_publisher = [{by_message[n] for n in range(40) if n % 4 == p} for p in range(4)]
        counts = collections.Counter(by_message.values())
        if strategy in ("sticky", "hash_clientid"):
            assert all(len(chosen) == 1 for chosen in by_publisher)
        elif strategy == "hash_topic":
            assert all(len({by_message[n] for n in range(40) if n % 5 == t}) == 1 for t in range(5))
        elif strategy == "round_robin":  # each publisher goes round: 10 messages over 4 members
            for p in range(4):
                turns = [by_message[n] for n in range(40) if n % 4 == p]
                assert all(set(turns[i:i + 4]) == {0, 1, 2, 3} for i in range(0, 8, 4))
        elif strategy == "round_robin_per_group":
            assert set(counts.values()) == {10}
        elif strategy == "random":
            assert len(counts) == 4
        for client in group:
            client.expect_nothing(0.01)


@pytest.mark.statement("broker.md 8.2: a group may have its own strategy")
def test_strategy_of_a_group(shared, uid):
    broker = shared(mqtt={"shared_subscription_strategy": "sticky"},
                    broker={"shared_subscription_group": {"turns": {"strategy": "round_robin_per_group"}}})
    with contextlib.ExitStack() as stack:
        turns = members(stack, broker, uid + "t", 3, filters=(f"$share/turns/{uid}",))
        sticky = members(stack, broker, uid + "s", 3, filters=(f"$share/other/{uid}",))
        p = stack.enter_context(broker.client(f"{uid}-p"))
        for n in range(9):
            p.publish(uid, str(n))
        assert set(collections.Counter(n for n, _ in collect(turns, 9)).values()) == {3}
        assert len({n for n, _ in collect(sticky, 9)}) == 1


@pytest.mark.statement("4.8.2: a group gets its copy besides other groups and plain subscribers")
def test_groups_and_plain_subscribers(shared, uid):
    broker = shared()
    with contextlib.ExitStack() as stack:
        groups = [members(stack, broker, f"{uid}{g}", 2, filters=(f"{g}/{uid}",)) for g in ("$share/a", "$share/b", "$queue")]
        plain = members(stack, broker, f"{uid}p", 2, filters=(uid,))
        wild = members(stack, broker, f"{uid}w", 2, filters=(f"$share/a/{uid}/+",))
        p = stack.enter_context(broker.client(f"{uid}-p"))
        for n in range(6):
            p.publish(uid, str(n))
        for group in groups:
            assert sorted(int(m) for _, m in collect(group, 6)) == list(range(6))
        for client in plain:
            assert sorted(int(m) for _, m in collect([client], 6)) == list(range(6))
        for client in (*wild, *plain, *(c for g in groups for c in g)):
            client.expect_nothing(0.01)


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("broker.md 8: 3.x clients may share too")
def test_3x_members(shared, uid, version):
    broker = shared()
    with contextlib.ExitStack() as stack:
        group = members(stack, broker, uid, 2, qos=1, version=version)
        p = stack.enter_context(broker.client(f"{uid}-p"))
        for n in range(4):
            p.publish(uid, str(n), qos=1, code=0)
        got = collect(group, 4, acknowledge=False)
        assert collections.Counter(n for n, _ in got) == {0: 2, 1: 2}


@pytest.mark.parametrize("order", rows_shared.ORDERS, ids=lambda order: "".join(map(str, order)))
@pytest.mark.parametrize("clients", [1, 2])
@pytest.mark.statement("broker.md 8.1: the key is group and filter, in any order", "EMQX fix 10976")
def test_each_key_is_a_subscription_of_its_own(shared, uid, order, clients):
    """What is left delivers with its own options; nothing is left behind in the end."""
    broker, keys = shared(), [key.format(uid) for key in rows_shared.KEYS]
    with contextlib.ExitStack() as stack:
        holders = [stack.enter_context(broker.client(f"{uid}-{n}")) for n in range(clients)]
        p = stack.enter_context(broker.client(f"{uid}-p"))
        number = {key: n + 1 for n, key in enumerate(keys)}
        for client in holders:
            for key in reversed([keys[n] for n in order]):  # another order than that of unsubscribing
                client.subscribe((key, number[key] % 2), packet_id=9, props={"subscription_identifier": number[key]})
        left = set(keys)
        for n in order:
            for round, client in enumerate(holders):
                client.send(raw.unsubscribe(5, [keys[n]]))
                client.expect(raw.UNSUBACK, codes=[0])
                if round + 1 == clients:
                    left.discard(keys[n])
                p.publish(uid, "x", qos=1, code=0 if left else 0x10)
                want = collections.Counter(number[key] for key in left if key.startswith("$"))
                if uid in left:
                    want[number[uid]] += clients - (round + 1 if keys[n] == uid else 0)
                assert copies(holders, sum(want.values())) == want
        for client in holders:
            client.send(raw.unsubscribe(6, keys))
            client.expect(raw.UNSUBACK, codes=[0x11] * 4)


def copies(holders, total):
    """Identifiers of what comes until `total` copies are there and no more follow; the QoS tells the same subscription."""
    got, rounds = collections.Counter(), 0
    while sum(got.values()) < total or rounds == 0:
        rounds += 1
        assert rounds < 100, f"only {got}"
        for holder in holders:
            with contextlib.suppress(TimeoutError):
                while True:
                    m = holder.receive(0.005)
                    assert m.kind == raw.PUBLISH, m
                    identifier = m.props["subscription_identifier"][0]
                    assert m.qos == identifier % 2
                    got[identifier] += 1
                    if m.qos:
                        holder.send(raw.puback(m.packet_id))
    return got


@pytest.mark.statement("7.3: $queue/t is $share/$queue/t")
def test_queue_is_one_group(shared, uid):
    broker = shared()
    with contextlib.ExitStack() as stack:
        group = members(stack, broker, uid, 2, filters=("$queue/{}",))
        p = stack.enter_context(broker.client(f"{uid}-p"))
        for n in range(6):
            p.publish(uid, str(n))
        assert collections.Counter(n for n, _ in collect(group, 6)) == {0: 3, 1: 3}


# ---- members that leave -------------------------------------------------------------------------------------------

@STRATEGY
@pytest.mark.statement("broker.md 8.3: a member that left is not chosen")
def test_member_that_left(shared, uid, strategy):
    broker = shared(mqtt={"shared_subscription_strategy": strategy})
    with contextlib.ExitStack() as stack:
        group = members(stack, broker, uid, 3)
        p = stack.enter_context(broker.client(f"{uid}-p"))
        p.publish(uid, "first")
        collect(group, 1)
        group[0].send(raw.unsubscribe(2, [f"$share/g/{uid}"]))
        group[0].expect(raw.UNSUBACK, codes=[0])
        for n in range(12):
            p.publish(uid, str(n))
        assert sorted(int(m) for _, m in collect(group[1:], 12)) == list(range(12))
        group[0].expect_nothing(0.02)


@STRATEGY
@pytest.mark.statement("broker.md 8.3 [S]: members that are online come first, then those that are not")
def test_offline_member(shared, uid, strategy):
    broker, session = shared(mqtt={"shared_subscription_strategy": strategy}), {"session_expiry_interval": 60}
    with contextlib.ExitStack() as stack:
        away, here = members(stack, broker, uid, 2, qos=1, props=session)
        p = stack.enter_context(broker.client(f"{uid}-p"))
        away.send(raw.disconnect())
        away.expect_closed()
        for n in range(8):
            p.publish(uid, str(n), qos=1, code=0)
        assert sorted(int(m) for _, m in collect([here], 8)) == list(range(8))
        here.send(raw.disconnect())
        here.expect_closed()
        for n in range(4):
            p.publish(uid, str(n), qos=1, code=0)
        back = [stack.enter_context(broker.client(f"{uid}-m{n}", clean_start=False, props=session)) for n in (0, 1)]
        assert sorted(int(m) for _, m in collect(back, 4)) == list(range(4))


@pytest.mark.statement("MQTT-4.8.2-5", "broker.md 8.4: what the ended session owed goes to the others, but not its QoS 2 in flight")
def test_redispatch(shared, uid):
    broker = shared(mqtt={"shared_subscription_strategy": "round_robin_per_group"})
    with contextlib.ExitStack() as stack:
        dying, other = members(stack, broker, uid, 2, qos=2, props={"receive_maximum": 3, "session_expiry_interval": 60})
        p = stack.enter_context(broker.client(f"{uid}-p"))
        qos = [1, 2, 0, 1, 2, 1]  # of what dying gets: in flight 1, 2 and 1; queued 2 and 1
        for n in range(12):
            p.publish(uid, str(n), qos=qos[n // 2], packet_id=n + 1)
        got = {n: [] for n in (0, 1)}
        for n, client in enumerate((dying, other)):
            while len(got[n]) < 4:
                got[n].append(client.expect(raw.PUBLISH))
        dying.send(raw.disconnect(0, props={"session_expiry_interval": 0}))
        dying.expect_closed()
        lost = {int(m.payload) for m in got[0]}
        want = {int(m.payload) for m in got[0] if m.qos == 1}
        own = {int(m.payload) for m in got[1]}
        want |= {n for n in range(12) if n not in lost and n not in own}  # queued at either
        seen, pending = set(), list(got[1])
        while seen != want:
            for m in pending:
                if m.qos == 1:
                    other.send(raw.puback(m.packet_id))
                elif m.qos == 2:
                    other.send(raw.pubrec(m.packet_id, 0x80))
            m = other.expect(raw.PUBLISH)
            seen.add(int(m.payload))
            pending = [m]
        other.expect_nothing(0.05)


@pytest.mark.statement("4.8.2: QoS of a delivery is that of the member")
def test_options_of_the_member_hold(shared, uid):
    broker = shared(mqtt={"shared_subscription_strategy": "round_robin_per_group"})
    with broker.client(f"{uid}-0") as a, broker.client(f"{uid}-1") as b, broker.client(f"{uid}-p") as p:
        a.subscribe((f"$share/g/{uid}", 0), props={"subscription_identifier": 1})
        b.subscribe((f"$share/g/{uid}", raw.options(1, retain_as_published=True)), props={"subscription_identifier": 2})
        p.publish(uid, "x", qos=2, retain=True)
        p.publish(uid, "y", qos=2, retain=True, packet_id=2)
        a.expect(raw.PUBLISH, qos=0, retain=False, props={"subscription_identifier": [1]})
        b.expect(raw.PUBLISH, qos=1, retain=True, props={"subscription_identifier": [2]})
        p.publish(uid, b"", qos=0, retain=True)
        p.ping()


@pytest.mark.statement("broker.md 8.5: the last member takes the route with it")
def test_last_member_removes_the_route(shared, uid):
    broker = shared()
    for _ in range(20):
        with broker.client(f"{uid}-m") as m, broker.client(f"{uid}-p") as p:
            m.subscribe(f"$share/g/{uid}", f"$share/g/{uid}/+")
            p.publish(uid, "x", qos=1, code=0)
            p.publish(f"{uid}/1", "x", qos=1, code=0)
            m.send(raw.disconnect())
            read_to_end(m)
            p.publish(uid, "x", qos=1, code=0x10)
            p.publish(f"{uid}/1", "x", qos=1, code=0x10)


def read_to_end(client):
    """At the end of the connection its session has ended too."""
    with contextlib.suppress(raw.Closed):
        while True:
            client.receive()


@pytest.mark.statement("broker.md 7.3: $queue/t and $share/$queue/t are the same")
def test_both_spellings_of_a_queue(shared, uid):
    broker = shared()
    with contextlib.ExitStack() as stack:
        one = members(stack, broker, uid, 1, filters=("$queue/{}",))
        other = [stack.enter_context(broker.client(f"{uid}-o"))]
        other[0].subscribe((f"$share/$queue/{uid}", 0))
        publisher = stack.enter_context(broker.client(f"{uid}-p"))
        for n in range(10):
            publisher.publish(uid, str(n))
        got = collect(one + other, 10)
        assert collections.Counter(n for n, _ in got) == {0: 5, 1: 5}
        one[0].subscribe((f"$share/$queue/{uid}", 0), packet_id=2)
        one[0].send(raw.unsubscribe(3, [f"$share/$queue/{uid}", f"$queue/{uid}"]))
        assert one[0].expect(raw.UNSUBACK).codes == [0, 0x11]
