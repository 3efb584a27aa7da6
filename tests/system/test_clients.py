"""Real clients over TCP: mosquitto and Paho for Python. Other transports and clients: test_transports.py."""
import queue
import shutil
import subprocess

import pytest

from . import node

MOSQUITTO_VERSION = {3: "mqttv31", 4: "mqttv311", 5: "mqttv5"}
HERE = node.ROOT / "tests" / "system" / "clients"
SECONDS = 20


# ---- mosquitto ----------------------------------------------------------------------------------------------------

class MosquittoSub:
    """mosquitto_sub that has got its SUBACK; `lines()` waits for its end."""

    def __init__(self, skip, broker, *arguments):
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", skip.need("mosquitto_sub"), "-p", str(broker.port), "-d", "-W", str(SECONDS), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if "Subscribed" in line:
                return
        raise AssertionError("".join(seen))

    def lines(self):
        rest = self.process.stdout.read()  # not communicate(): it knows nothing of what was read ahead
        self.process.wait(SECONDS)
        return [line for line in rest.splitlines() if line.startswith("> ")]


def mosquitto_pub(skip, broker, *arguments):
    subprocess.run([skip.need("mosquitto_pub"), "-p", str(broker.port), *arguments], check=True, timeout=SECONDS)


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_mosquitto(shared, uid, skip, version, qos):
    options = ["-V", MOSQUITTO_VERSION[version], "-q", str(qos), "-t", uid]
    sub = MosquittoSub(skip, shared(), *options, "-C", "3", "-F", "> %t %q %p")
    for n in range(3):
        mosquitto_pub(skip, shared(), *options, "-m", f"m{n}")
    assert sub.lines() == [f"> {uid} {qos} m{n}" for n in range(3)]


def test_mosquitto_retained_and_cleared(shared, uid, skip):
    mosquitto_pub(skip, shared(), "-t", uid, "-m", "kept", "-r", "-q", "1")
    sub = MosquittoSub(skip, shared(), "-t", uid, "-C", "1", "-F", "> %r %p")
    assert sub.lines() == ["> 1 kept"]
    mosquitto_pub(skip, shared(), "-t", uid, "-n", "-r", "-q", "1")
    sub = MosquittoSub(skip, shared(), "-t", uid, "-C", "1", "-F", "> %r %p")
    mosquitto_pub(skip, shared(), "-t", uid, "-m", "live")
    assert sub.lines() == ["> 0 live"]


def test_mosquitto_many_lines(shared, uid, skip):
    sub = MosquittoSub(skip, shared(), "-t", uid, "-q", "1", "-C", "500", "-F", "> %p")
    text = "".join(f"{n}\n" for n in range(500))
    subprocess.run([skip.need("mosquitto_pub"), "-p", str(shared().port), "-t", uid, "-q", "1", "-l"], input=text, text=True,
                   check=True, timeout=SECONDS)
    assert sub.lines() == [f"> {n}" for n in range(500)]


def test_mosquitto_properties(shared, uid, skip):
    sub = MosquittoSub(skip, shared(), "-V", "mqttv5", "-t", uid, "-C", "1", "-F", "> %C %R %D %P %p")
    mosquitto_pub(skip, shared(), "-V", "mqttv5", "-t", uid, "-m", "x", "-D", "publish", "content-type", "text",
                  "-D", "publish", "response-topic", "back", "-D", "publish", "correlation-data", "id",
                  "-D", "publish", "user-property", "key", "value")
    assert sub.lines() == ["> text back id key:value x"]


# ---- Paho Python --------------------------------------------------------------------------------------------------

class Paho:
    """A Paho client with a queue of what arrived; its methods wait for the answers."""

    def __init__(self, skip, port, client_id, version=5, clean=True, expiry=0, will=None, websocket=False, tls=None):
        try:
            import paho.mqtt.client as paho
            from paho.mqtt.packettypes import PacketTypes
            from paho.mqtt.properties import Properties
        except ImportError:
            skip.because("paho-python", "python3-paho-mqtt is not installed")
        v5 = version == 5
        self.client = paho.Client(client_id, protocol=version, transport="websockets" if websocket else "tcp",
                                  **({} if v5 else {"clean_session": clean}))
        if tls:
            self.client.tls_set_context(tls)
        self.messages, self.answers = queue.Queue(), queue.Queue()
        self.client.on_message = lambda c, u, m: self.messages.put((m.topic, m.qos, m.retain, m.payload.decode()))
        self.client.on_connect = lambda c, u, flags, rc, *_: self.answers.put((flags["session present"], int(getattr(rc, "value", rc))))
        self.client.on_subscribe = lambda c, u, mid, codes, *_: self.answers.put([int(getattr(x, "value", x)) for x in codes])
        if will:
            self.client.will_set(*will)
        arguments = {}
        if v5:
            arguments["clean_start"] = clean
            arguments["properties"] = Properties(PacketTypes.CONNECT)
            arguments["properties"].SessionExpiryInterval = expiry
        self.client.connect("localhost" if tls else "127.0.0.1", port, **arguments)
        self.client.loop_start()
        self.present, code = self.answers.get(timeout=SECONDS)
        assert code == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self, name, qos=0):
        self.client.subscribe(name, qos)
        assert self.answers.get(timeout=SECONDS) == [qos]

    def publish(self, *arguments, **more):
        self.client.publish(*arguments, **more).wait_for_publish(SECONDS)

    def next(self):
        return self.messages.get(timeout=SECONDS)

    def die(self):
        """The connection goes without a word."""
        self.client.loop_stop()
        self.client.socket().close()


PAHO_VERSIONS = pytest.mark.parametrize("version", [3, 4, 5])


@PAHO_VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_paho_python(shared, uid, skip, version, qos):
    with Paho(skip, shared().port, uid, version) as c:
        c.subscribe(uid, qos)
        for n in range(50):
            c.client.publish(uid, str(n), qos)
        assert [c.next() for _ in range(50)] == [(uid, qos, 0, str(n)) for n in range(50)]


@PAHO_VERSIONS
def test_paho_python_retained(shared, uid, skip, version):
    with Paho(skip, shared().port, uid, version) as c:
        c.publish(uid, "kept", 1, retain=True)
        c.subscribe(uid, 1)
        assert c.next() == (uid, 1, 1, "kept")
        c.publish(uid, "", 1, retain=True)


@PAHO_VERSIONS
def test_paho_python_will(shared, uid, skip, version):
    with Paho(skip, shared().port, uid, version) as watcher:
        watcher.subscribe(f"{uid}/will", 1)
        dying = Paho(skip, shared().port, f"{uid}-d", version, will=(f"{uid}/will", "gone", 1, False))
        dying.die()
        assert watcher.next() == (f"{uid}/will", 1, 0, "gone")


@PAHO_VERSIONS
def test_paho_python_session(shared, uid, skip, version):
    with Paho(skip, shared().port, uid, version, clean=False, expiry=60) as c:
        assert not c.present
        c.subscribe(uid, 2)
    with Paho(skip, shared().port, f"{uid}-p", version) as p:
        for n in range(3):
            p.publish(uid, str(n), n)
    with Paho(skip, shared().port, uid, version, clean=False, expiry=60) as c:
        assert bool(c.present) == (version >= 4)
        assert sorted(c.next()[3] for _ in range(3)) == ["0", "1", "2"]


@PAHO_VERSIONS
def test_paho_python_shared(shared, uid, skip, version):
    with Paho(skip, shared().port, f"{uid}-a", version) as a, Paho(skip, shared().port, f"{uid}-b", version) as b:
        for member in (a, b):
            member.subscribe(f"$share/g/{uid}", 1)
        with Paho(skip, shared().port, f"{uid}-p", version) as p:
            for n in range(10):
                p.publish(uid, str(n), 1)
        got = [member.next()[3] for member in (a, b) for _ in range(5)]
        assert sorted(got, key=int) == [str(n) for n in range(10)]


# ---- MQTT.js ------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def mqttjs():
    """The folder that MQTT.js is installed in (fetched once into build/), or why there is none."""
    folder = node.ROOT / "build" / "cache" / "mqttjs"
    if not shutil.which("node") or not shutil.which("npm"):
        return None, "node and npm are not installed"
    if not (folder / "node_modules" / "mqtt" / "package.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "mqtt@5.16"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return None, "npm install mqtt@5.16 did not end in time"
        if done.returncode:
            return None, "npm install mqtt@5.16 failed"
    return folder, None
