"""What a restart and a crash leave of sessions that the limits of now would not allow; nobody holds up the others."""
import socket
import threading
import time

import pytest

from . import raw

KEPT = {"session_expiry_interval": 3600}


def publish(client, topic, numbers, qos=1):
    """All of them at once, then their acknowledgements."""
    for n in numbers:
        client.send(raw.publish(topic, str(n), qos=qos, packet_id=1 + n))
    for _ in numbers:
        assert client.expect(raw.PUBACK).code == 0


def take(client, quiet=0.5):
    """Payloads of all that comes, acknowledged, in order."""
    out = []
    while True:
        try:
            got = client.receive(quiet)
        except TimeoutError:
            return out
        assert got.kind == raw.PUBLISH
        out.append(int(got.payload))
        client.send(raw.puback(got.packet_id))


def end(broker, how):
    broker.kill() if how == "kill" else broker.stop()
    broker.start()


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_full_queue_and_a_full_window_outlive_the_node(broker, how):
    client = broker.client("d", props=KEPT)
    client.subscribe(("t", 1))
    publisher = broker.client("p")
    publish(publisher, "t", range(64))
    for _ in range(32):
        client.send(raw.puback(client.expect(raw.PUBLISH).packet_id))
    for _ in range(32):
        client.expect(raw.PUBLISH)  # 32 to 63 came out of the queue and stay in flight
    publish(publisher, "t", range(64, 1064))
    end(broker, how)
    with broker.client("d", clean_start=False, props=KEPT) as client:
        assert take(client) == list(range(32, 1064))


def test_delayed_messages_come_in_their_order(start_broker):
    """4.6: as they would have come without the crash, however many shards there are."""
    broker = start_broker(shards=2)
    with broker.client("d", props=KEPT) as client:
        client.subscribe(("t", 1))
    with broker.client("p") as publisher:
        for n in range(40):
            publisher.publish("$delayed/3/t", str(n), qos=1)
        end(broker, "kill")
    with broker.client("d", clean_start=False, props=KEPT) as client:
        got = [client.expect(raw.PUBLISH, timeout=10) for _ in range(32)]
        for one in got:
            client.send(raw.puback(one.packet_id))
        got += [client.expect(raw.PUBLISH, timeout=10) for _ in range(8)]
    assert [int(one.payload) for one in got] == list(range(40))


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_session_of_a_zone_with_larger_limits_outlives_the_node(start_broker, how):
    broker = start_broker(mqtt={"max_subscriptions": 5},
                          zones={"big": {"mqtt": {"max_mqueue_len": 5000, "max_subscriptions": 100}}},
                          text="listeners.tcp.default.zone = big")
    with broker.client("d", props=KEPT) as client:
        for n in range(10):
            client.subscribe((f"q/{n}", 1))
        client.disconnect()
    with broker.client("p") as publisher:
        publish(publisher, "q/9", range(2000))
        end(broker, how)
    with broker.client("p") as publisher:
        publish(publisher, "q/8", range(2000, 2100))  # before the session's client is back
    with broker.client("d", clean_start=False, props=KEPT) as client:
        assert take(client) == list(range(2100))


@pytest.mark.parametrize("flood", [raw.pingreq(), raw.publish("f", b"", qos=0)], ids=["pings", "publishes"])
def test_one_that_floods_does_not_hold_up_the_others(start_broker, flood):
    broker = start_broker(force_shutdown={"max_heap_size": "4MB"})
    flooder = socket.socket()
    flooder.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # and it reads nothing
    flooder.connect(("127.0.0.1", broker.port))
    flooder.sendall(raw.connect("flooder"))
    stop = threading.Event()

    def send():
        try:
            while not stop.is_set():
                flooder.sendall(flood * 50_000)
        except OSError:
            pass  # the broker ended it: it owes too much output

    thread = threading.Thread(target=send)
    waits = []
    with broker.client("other") as other:
        thread.start()
        try:
            for _ in range(60):
                began = time.monotonic()
                other.ping()
                waits.append(time.monotonic() - began)
                time.sleep(0.02)
        finally:
            stop.set()
            flooder.shutdown(socket.SHUT_RDWR)
            thread.join()
            flooder.close()
    assert sorted(waits)[len(waits) // 2] < 0.5, waits


def drained(client, count):
    """The first `count` messages of QoS 2, completed; their payloads' first bytes as numbers."""
    out = []
    while len(out) < count:
        got = client.receive(10)
        if got.kind == raw.PUBLISH:
            out.append(int(got.payload[:4]))
            client.send(raw.pubrec(got.packet_id))
        elif got.kind == raw.PUBREL:
            client.send(raw.pubcomp(got.packet_id))
    return out


@pytest.mark.parametrize("mqtt,count,size", [({"max_mqueue_len": 1}, 20, 4), ({}, 28, 500_000),
                                             ({"max_inflight": 65535, "max_awaiting_rel": "infinity"}, 3000, 4)],
                         ids=["length", "bytes", "window"])
def test_what_waits_for_the_disk_is_no_queue(start_broker, mqtt, count, size):
    """Broker 6.2: with room in the window nothing is dropped, whatever the bounds of the queue are."""
    broker = start_broker(mqtt=mqtt)
    client = broker.client("d", props=KEPT)
    client.subscribe(("t", 2))
    publishers = [broker.client(f"p{n}") for n in range(1 if size == 4 else count)]
    packets = [raw.publish("t", f"{n:04}" + "x" * (size - 4), qos=2, packet_id=1 + n) for n in range(count)]
    shares = [b"".join(packets[n::len(publishers)]) for n in range(len(publishers))]
    taken = []
    taker = threading.Thread(target=lambda: taken.extend(drained(client, count)))
    taker.start()
    for publisher, share in zip(publishers, shares):
        publisher.send(share[:-1])
    for publisher, share in zip(publishers, shares):  # as nearly together as can be
        publisher.send(share[-1:])
    for n in range(count):
        assert publishers[n % len(publishers)].expect(raw.PUBREC).code == 0
    taker.join(30)
    assert sorted(taken) == list(range(count))
    if len(publishers) == 1:
        assert taken == sorted(taken)


def test_what_waits_for_a_subscription_to_be_kept_is_no_queue(start_broker):
    broker = start_broker(mqtt={"max_mqueue_len": 1})
    client = broker.client("d", props=KEPT)
    client.subscribe(("t", 1))
    publisher = broker.client("p")
    for start in range(0, 200, 20):
        client.send(raw.subscribe(9, [("u", 1)]))
        publish(publisher, "t", range(start, start + 20))
        seen = []
        while len(seen) < 20:
            got = client.receive(5)
            if got.kind == raw.PUBLISH:
                seen.append(int(got.payload))
                client.send(raw.puback(got.packet_id))
        assert seen == list(range(start, start + 20))


@pytest.mark.parametrize("how", ["resume", "kill"])
def test_messages_are_sent_again_on_a_resumed_session_too(start_broker, how):
    broker = start_broker(mqtt={"retry_interval": "1s"})
    client = broker.client("d", props=KEPT)
    client.subscribe(("t", 1))
    publish(broker.client("p"), "t", [7])
    client.expect(raw.PUBLISH)
    client.close()
    if how == "kill":
        end(broker, how)
    else:
        time.sleep(1.5)  # the timer of the first connection is over
    with broker.client("d", clean_start=False, props=KEPT) as client:
        assert client.expect(raw.PUBLISH).payload == b"7"
        again = client.expect(raw.PUBLISH, timeout=5)
        assert (again.payload, again.dup) == (b"7", True)


def test_received_identifiers_of_qos_2_end_after_a_crash_too(start_broker):
    broker = start_broker(mqtt={"await_rel_timeout": "1s"})
    client = broker.client("d", props=KEPT)
    client.send(raw.publish("t", b"1", qos=2, packet_id=5))
    assert client.expect(raw.PUBREC).code in (0, 0x10)
    end(broker, "kill")
    deadline = time.monotonic() + 10
    with broker.client("d", clean_start=False, props=KEPT) as client:
        while True:
            client.send(raw.publish("t", b"2", qos=2, packet_id=5))
            code = client.expect(raw.PUBREC).code
            if code in (0, 0x10):
                break
            assert code == 0x91 and time.monotonic() < deadline
            time.sleep(0.2)
