"""What the server does of its own accord: DISCONNECT with the right code, kicks, delayed messages (broker.md 4.4, 9.2, 18.1)."""
import subprocess
import time

import pytest

from . import node, raw


def ctl(broker, *arguments):
    done = subprocess.run([node.program(), "ctl", "--data-dir", str(broker.data), *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("broker.md 18.1: 0x98", "4.4: a kick ends the session, its will is published at once")
def test_kick(shared, uid, version):
    broker = shared()
    props = {"session_expiry_interval": 60} if version == 5 else None
    will = raw.Will(f"{uid}/will", "gone", props={"will_delay_interval": 60})
    with broker.client(f"{uid}-w") as watcher, \
            broker.client(uid, version=version, clean_start=False, props=props, will=will) as c:
        watcher.subscribe(f"{uid}/will")
        c.subscribe((f"{uid}/t", 1))
        ctl(broker, "clients", "kick", uid)
        c.expect_disconnect(0x98)
        watcher.expect(raw.PUBLISH, payload="gone")
        watcher.publish(f"{uid}/t", qos=1, code=0x10)


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.statement("broker.md 18.1: 0x8B", "MQTT-3.14.4-1")
def test_graceful_stop(start_broker, version):
    broker = start_broker()
    with broker.client("c", version=version) as c:
        broker.stop()
        c.expect_disconnect(0x8B)


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.statement("broker.md 9.2: $delayed, answered with 0x10 as nobody got it yet")
def test_delayed(shared, uid, qos):
    broker = shared()
    with broker.client(uid) as c, broker.client(f"{uid}-p") as p:
        c.subscribe((f"{uid}/#", 2))
        begin = time.monotonic()
        p.publish(f"$delayed/1/{uid}/t", "later", qos=qos, code=0x10 if qos else None, props={"content_type": "x"})
        p.publish(f"{uid}/now", "now")
        c.expect(raw.PUBLISH, topic=f"{uid}/now")
        c.expect(raw.PUBLISH, topic=f"{uid}/t", payload="later", qos=qos, props={"content_type": "x"}, timeout=4)
        assert time.monotonic() - begin > 0.9


@pytest.mark.statement("broker.md 9.2: permission is asked for the topic that a message has in the end")
def test_a_delay_is_no_way_around_permission(start_broker, shards):
    rules = '{deny, {username, "evil"}, publish, ["secret/#"]}. {allow, all}.'
    broker = start_broker(shards=shards, authorization={"no_match": "allow", "deny_action": "ignore",
                                                        "sources": [{"type": "file", "rules": rules}]})
    topics = ["secret/a", "$delayed/1/secret/b", "$delayed/0/$delayed/0/secret/c", "$delayed/1/$delayed/1/secret/d"]
    with broker.client("watcher") as watcher, broker.client("evil", username="evil") as evil:
        watcher.subscribe("#")
        for n, topic in enumerate(topics):
            evil.publish(topic, qos=1, packet_id=n + 1, code=0x87)
            broker.client(f"mortal{n}", username="evil", will=raw.Will(topic, "gone")).close()
        evil.publish("$delayed/1/open", "later")
        watcher.expect(raw.PUBLISH, topic="open", payload="later", timeout=4)
        watcher.expect_nothing(1.2)
