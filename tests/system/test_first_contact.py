"""The first thing a newcomer does: mosquitto_pub reaches mosquitto_sub."""
import pathlib
import subprocess

import pytest

from . import raw


def test_mosquitto_pub_reaches_mosquitto_sub(broker, skip):
    pub, sub = skip.need("mosquitto_pub"), skip.need("mosquitto_sub")
    port = str(broker.port)
    # -C 1: ends after one message; -d prints the SUBACK, which is the moment to publish.
    with subprocess.Popen(["stdbuf", "-oL", sub, "-p", port, "-t", "hello/#", "-q", "1", "-C", "1", "-d"],
                          stdout=subprocess.PIPE, text=True) as listening:
        try:
            for line in listening.stdout:
                if "Subscribed" in line:
                    break
            subprocess.run([pub, "-p", port, "-t", "hello/world", "-m", "hi there", "-q", "1"], check=True, timeout=10)
            output, _ = listening.communicate(timeout=10)
        finally:
            listening.kill()
    assert "hi there" in output.splitlines()


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_publish_comes_back(broker, version, qos):
    with broker.client(f"c{version}", version=version) as c:
        c.subscribe(("t/+", qos))
        c.send(raw.publish("t/1", "payload", qos=qos, packet_id=7 if qos else None, version=version))
        kinds = {}
        for _ in range(2 if qos else 1):
            got = c.receive()
            kinds[got.kind] = got
        assert kinds[raw.PUBLISH].payload == b"payload" and kinds[raw.PUBLISH].qos == qos
        if qos:
            assert kinds[raw.PUBACK if qos == 1 else raw.PUBREC].packet_id == 7
        c.disconnect()


def test_server_says_goodbye_when_it_stops(broker):
    with broker.client("c") as c:
        broker.stop()
        c.expect_disconnect(0x8B)


def test_reserved_packet_type_ends_the_connection(broker):
    with broker.client("c") as c:  # MQTT-4.13.1-1
        c.send(b"\x00\x00")
        c.expect_disconnect(0x81)


def test_nothing_is_left_in_shared_memory(broker):
    assert not list(pathlib.Path("/dev/shm").glob(f"*-{broker.process.pid}"))
