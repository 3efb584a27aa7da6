"""SB_SOAK_SECONDS (60) of mixed load: churn of connections, subscriptions and retained messages, shared groups, consumers
that are slow and consumers that stop reading. Memory stays bounded, no live QoS 1 acknowledgement is lost, the broker
answers all along, and in the end nothing is left behind."""
import os
import random
import socket
import threading
import time

from tests.system import raw

SECONDS = float(os.environ.get("SB_SOAK_SECONDS", "60"))
ANSWER_SECONDS = 10


def rss_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


class Workers:
    """Threads that each repeat a step until the end; the first exception of any ends all and fails the test."""

    def __init__(self):
        self.stopping, self.error, self.threads, self.counts = threading.Event(), None, [], {}

    def start(self, name, step):
        def run():
            try:
                while not self.stopping.is_set():
                    step()
                    self.counts[name] = self.counts.get(name, 0) + 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the result of the test
                self.error = self.error or (name, error)
                self.stopping.set()
        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def finish(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
        assert not any(t.is_alive() for t in self.threads), "a worker hangs"
        if self.error:
            raise AssertionError(f"{self.error[0]}: {self.error[1]!r}") from self.error[1]


def live_pair(broker, name, version):
    """Publisher and subscriber of QoS 1: everything acknowledged arrives, in order, while both are connected."""
    subscriber, publisher = broker.client(f"{name}-sub", version=version), broker.client(f"{name}-pub", version=version)
    subscriber.subscribe((f"{name}/#", 1))
    state = {"number": 0}

    def step():
        first = state["number"]
        batch = [raw.publish(f"{name}/t", str(first + i), qos=1, packet_id=i + 1, version=version) for i in range(20)]
        publisher.send(b"".join(batch))
        for i in range(20):
            publisher.expect(raw.PUBACK, timeout=ANSWER_SECONDS, packet_id=i + 1)
        for i in range(20):
            got = subscriber.expect(raw.PUBLISH, timeout=ANSWER_SECONDS, payload=str(first + i))
            subscriber.send(raw.puback(got.packet_id, version=version))
        state["number"] = first + 20
    return step


def connection_churn(broker, rng):
    def step():
        name = f"churn{rng.randrange(200)}"
        durable = rng.random() < 0.3
        props = {"session_expiry_interval": 2} if durable else None
        c = broker.client(name, clean_start=not durable, props=props, will=raw.Will("soak/will", b"w"))
        c.send(raw.subscribe(1, [(f"churn/{rng.randrange(50)}/+", rng.randrange(3)), (f"$share/g{rng.randrange(3)}/churn/#", 1)]))
        while c.receive(ANSWER_SECONDS).kind != raw.SUBACK:
            pass  # a resumed session gets messages at any time
        c.send(raw.publish(f"churn/{rng.randrange(50)}/x", b"c" * rng.randrange(500)))
        if rng.random() < 0.5:
            c.disconnect()
        else:
            c.close()  # without a word
    return step


def subscription_churn(broker, rng):
    c = broker.client("subscriptions")

    def step():
        filters = [f"s/{rng.randrange(1000)}/{rng.choice('+#x')}" for _ in range(20)]
        filters = list(dict.fromkeys(filters))
        c.subscribe(*filters)
        c.send(raw.unsubscribe(2, filters))
        c.expect(raw.UNSUBACK, timeout=ANSWER_SECONDS)
    return step


def retained_churn(broker, rng):
    c = broker.client("retained")

    def step():
        topic = f"retained/{rng.randrange(500)}"
        c.publish(topic, b"" if rng.random() < 0.5 else b"r" * 200, qos=1, retain=True)
    return step


def flood(broker):
    """Feeds the slow and the dead with more than they take."""
    c = broker.client("flood")

    def step():
        c.send(b"".join(raw.publish("flood/t", b"f" * 1000) for _ in range(50)))
        c.publish("flood/t", b"f" * 1000, qos=1)
    return step


def slow_consumer(broker):
    c = broker.client("slow")
    c.subscribe(("flood/#", 1))

    def step():
        try:
            got = c.receive(1)
        except TimeoutError:
            return
        except raw.Closed:  # cut off for its slowness: comes back
            c.close()
            again = broker.client("slow")
            again.subscribe(("flood/#", 1))
            c.socket, c.buffer = again.socket, again.buffer
            return
        if got.kind == raw.PUBLISH and got.qos:
            c.send(raw.puback(got.packet_id))
        time.sleep(0.002)
    return step


def test_mixed_load_for_a_while(start_broker):
    broker = start_broker(shards=2)
    pid, seed = broker.process.pid, random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    workers = Workers()
    dead = []
    for i in range(5):  # subscribed, then never read
        c = broker.client(f"dead{i}", keep_alive=0)
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.send(raw.subscribe(1, [("flood/#", i % 3)]))
        dead.append(c)
    workers.start("pair5", live_pair(broker, "pair5", 5))
    workers.start("pair4", live_pair(broker, "pair4", 4))
    workers.start("connections", connection_churn(broker, random.Random(rng.random())))
    workers.start("subscriptions", subscription_churn(broker, random.Random(rng.random())))
    workers.start("retained", retained_churn(broker, random.Random(rng.random())))
    workers.start("flood", flood(broker))
    workers.start("slow", slow_consumer(broker))

    answering, samples, slowest = broker.client("answering"), [], 0.0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not workers.error:
        began = time.monotonic()
        answering.ping()
        slowest = max(slowest, time.monotonic() - began)
        samples.append(rss_kb(pid))
        time.sleep(0.5)
    workers.finish()
    print(f"rounds {workers.counts}, slowest answer {slowest * 1000:.0f} ms, RSS {samples[0]} to {samples[-1]} kB")
    assert slowest < 5, f"an answer took {slowest:.1f} s"
    # Queues, buffers and the store fill in the first third; from then on memory may wander but must not climb.
    settled = max(samples[:max(2, len(samples) // 3)])
    assert max(samples[-max(1, len(samples) // 5):]) < settled * 1.3 + 48 * 1024, f"memory grows: {samples}"

    for c in dead:
        c.close()
    answering.disconnect()
    # Nothing of it is left: durable sessions of the churn expire, and the same topics find nobody.
    time.sleep(3)
    with broker.client("last") as c:
        for topic in ["flood/t", "pair5/t", "pair4/t"] + [f"churn/{i}/x" for i in range(50)] + [f"s/{i}/x" for i in range(50)]:
            assert_nobody(c, topic)


def assert_nobody(client, topic, seconds=5):
    """QoS 1 to a topic without subscribers says so (0x10): the routes are gone."""
    end = time.monotonic() + seconds
    while client.publish(topic, b"", qos=1).code != 0x10:
        assert time.monotonic() < end, f"somebody is still subscribed to {topic}"
        time.sleep(0.1)
