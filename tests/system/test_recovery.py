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
