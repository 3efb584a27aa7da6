"""What may stand at the edges: nothing before SUBACK, nothing twice after CONNACK, nothing behind DISCONNECT, and topics of
the greatest length behind a mountpoint."""
import signal

import pytest

from . import api, ports, raw

LONGEST = 65535  # bytes of a UTF-8 string, MQTT 1.5.4
DURABLE = {"session_expiry_interval": 100}
SHARDS = pytest.mark.parametrize("shards", [1, 2])


@pytest.fixture
def mounted(start_broker):
    """A broker with a second listener that puts dev/CLIENTID/ in front of topics, and its port."""
    def start(shards):
        port = ports.free_port()
        broker = start_broker(node={"shards": shards},
                              listeners={"tcp": {"mounted": {"bind": f"127.0.0.1:{port}", "mountpoint": "dev/${clientid}/"}}})
        return broker, port
    return start


def longest(client_id):
    return LONGEST - len(f"dev/{client_id}/")


@SHARDS
def test_a_topic_that_is_too_long_with_its_mountpoint_is_refused(mounted, shards):
    """[MQTT-4.7.3-3]: cut short it would be another client's topic."""
    broker, port = mounted(shards)
    with broker.client("watcher") as watcher:
        watcher.subscribe(("#", 1))
        for qos in (0, 1, 2):
            with raw.Client(port) as client:
                client.connect("evil")
                client.send(raw.publish("A" * (longest("evil") + 1), b"x", qos=qos, packet_id=1 if qos else None, retain=True))
                client.expect_disconnect(0x90)
        with raw.Client(port) as client:
            client.connect("fits")
            topic = "A" * longest("fits")
            client.publish(topic, b"x", qos=1, code=0)
            assert watcher.expect(raw.PUBLISH).topic == "dev/fits/" + topic
        watcher.expect_nothing()


@SHARDS
def test_a_will_that_is_too_long_with_its_mountpoint_is_refused(mounted, shards):
    broker, port = mounted(shards)
    with raw.Client(port) as client:
        client.send(raw.connect("evil", will=raw.Will("A" * (longest("evil") + 1), b"x")))
        assert client.expect(raw.CONNACK).code == 0x90
        client.expect_closed()
    with broker.client("watcher") as watcher:
        watcher.subscribe("#")
        client = raw.Client(port)
        client.connect("fits", will=raw.Will("A" * longest("fits"), b"x"))
        client.close()
        assert len(watcher.expect(raw.PUBLISH).topic) == LONGEST


@SHARDS
def test_a_filter_that_is_too_long_with_its_mountpoint_is_refused(mounted, shards):
    _, port = mounted(shards)
    with raw.Client(port) as client:
        client.connect("c")
        client.send(raw.subscribe(1, ["A" * (longest("c") + 1), "A" * longest("c"), "a"]))
        assert client.expect(raw.SUBACK).codes == [0x8F, 0, 0]


@pytest.mark.parametrize("mqtt", [{}, {"retry_interval": "30s"}], ids=["never again", "retried"])
@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("expiry", [{}, DURABLE], ids=["mortal", "lasting"])
def test_what_auto_subscribe_finds_retained_comes_once(start_broker, mqtt, durable, expiry):
    """[MQTT-4.4.0-1]: on one connection nothing is sent again."""
    broker = start_broker(auto_subscribe={"topics": [{"topic": "r/#", "qos": 1}]}, mqtt=mqtt, session_persistence={"enable": durable})
    api.want(broker, 202, "POST", "/publish", {"topic": "r/1", "payload": "kept", "qos": 1, "retain": True})
    with broker.client("reader", props=expiry) as reader:
        got = reader.expect(raw.PUBLISH)
        assert got.topic == "r/1" and not got.dup
        reader.expect_nothing()


@pytest.mark.parametrize("expiry", [{}, DURABLE], ids=["mortal", "lasting"])
def test_nothing_follows_disconnect(start_broker, expiry):
    """[MQTT-3.14.4-1]: not even the event of the client's own end."""
    broker = start_broker()
    event = "$SYS/brokers/+/clients/+/disconnected"

    def watch(client_id, **arguments):
        client = raw.Client(broker.port)
        client.connect(client_id, props=expiry, **arguments)
        client.subscribe(event)
        return client

    with watch("other") as other:
        with watch("malformed") as client:
            client.send(b"\xc0\x01\x00")
            client.expect_disconnect(0x81)
        assert b"malformed" in other.expect(raw.PUBLISH).payload
        with watch("silent", keep_alive=1) as client:
            client.expect_disconnect(0x8D)
        assert b"silent" in other.expect(raw.PUBLISH).payload
    with watch("last") as client:
        broker.process.send_signal(signal.SIGTERM)
        client.expect_disconnect(0x8B)


@pytest.mark.parametrize("expiry", [{}, DURABLE], ids=["mortal", "lasting"])
def test_suback_precedes_what_the_subscription_causes(start_broker, expiry):
    broker = start_broker(sys_topics={"sys_event_messages": {"client_subscribed": True}})
    with broker.client("c", props=expiry) as client:
        client.send(raw.subscribe(1, ["$SYS/brokers/+/clients/+/subscribed", "x"]))
        assert client.receive().kind == raw.SUBACK
        assert b'"x"' in client.expect(raw.PUBLISH).payload
