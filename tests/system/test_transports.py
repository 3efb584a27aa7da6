"""Real clients over TCP, TLS, mutual TLS, WebSocket and secure WebSocket: what each of them does with a session, a will,
retained messages and every QoS; and what certificates are good for."""
import json
import shutil
import socket
import ssl
import subprocess

import pytest

from . import api, node, raw
from .pki import Pki
from .test_clients import HERE, MOSQUITTO_VERSION, SECONDS, Paho, mqttjs  # noqa: F401 (a fixture)

VERSIONS = pytest.mark.parametrize("version", [3, 4, 5])
TRANSPORTS = ["tcp", "tls", "mutual", "ws", "wss"]
OVER = pytest.mark.parametrize("transport", TRANSPORTS)
WEBSOCKET = {"supported_subprotocols": "mqtt, mqttv3.1"}  # the second is how MQTT.js names MQTT 3.1
MOUNT = "of/"  # mountpoint of the mutual listener, before the name in the certificate


class Secure:
    """One broker with a listener of each transport, and the files that clients need."""

    def __init__(self, folder, shards):
        self.folder = folder
        self.pki, self.strangers = Pki(folder), Pki(folder, "strangers")
        self.client = self.pki.issue("alice")
        self.stranger = self.strangers.issue("mallory")
        self.served = str(folder / "served.pem"), str(folder / "served.key")
        self.serve("first")
        self.ports = {name: node.free_port() for name in TRANSPORTS}
        ssl_options = {"cacertfile": self.pki.ca, "certfile": self.served[0], "keyfile": self.served[1]}
        mutual = {**ssl_options, "verify": "verify_peer", "fail_if_no_peer_cert": True}

        def listener(name, **more):
            return {"enable": True, "bind": f"127.0.0.1:{self.ports[name]}", **more}

        self.broker = node.Node(folder, shards=shards, mqtt={"peer_cert_as_username": "cn"}, listeners={
            "ssl": {"default": listener("tls", ssl_options=ssl_options),
                    "mutual": listener("mutual", ssl_options=mutual, mountpoint=MOUNT + "${username}/")},
            "ws": {"default": listener("ws", websocket=WEBSOCKET)},
            "wss": {"default": listener("wss", ssl_options=ssl_options, websocket=WEBSOCKET)},
        })
        self.broker.start()
        self.ports["tcp"] = self.broker.port

    def serve(self, name):
        """Puts another certificate where the listeners take theirs from."""
        for new, served in zip(self.pki.issue(name), self.served):
            shutil.copy(new, served)

    def context(self, identity=None):
        context = ssl.create_default_context(cafile=self.pki.ca)
        if identity:
            context.load_cert_chain(*identity)
        return context

    def certificate_name(self):
        """Common name of what the TLS listener serves now."""
        with socket.create_connection(("127.0.0.1", self.ports["tls"]), SECONDS) as plain:
            with self.context().wrap_socket(plain, server_hostname="localhost") as s:
                return dict(pair for rdn in s.getpeercert()["subject"] for pair in rdn)["commonName"]


@pytest.fixture(scope="module")
def secure(shards, tmp_path_factory):
    made = Secure(tmp_path_factory.mktemp("secure"), shards)
    yield made
    made.broker.stop()


def test_a_certificate_without_a_name_gives_none(secure):
    """What CONNECT says does not stand in for it: nothing proves that."""
    for identity, username in ((secure.pki.issue("nameless", subject="/O=Test"), None), (secure.client, "alice")):
        with raw.Client(secure.ports["mutual"], ssl=secure.context(identity)) as c:
            c.connect("cert", username="bob")
            assert api.want(secure.broker, 200, "GET", "/clients/cert").get("username") == username


@pytest.mark.parametrize("names,username,client_id", [
    ({"peer_cert_as_username": "cn", "use_username_as_clientid": True}, "device7", "device7"),
    ({"peer_cert_as_clientid": "cn", "use_username_as_clientid": True}, None, "device7"),
    ({"use_username_as_clientid": True}, None, None)], ids=["username", "certificate", "connect"])
def test_one_client_id_is_one_session(start_broker, tmp_path, shards, names, username, client_id):
    """broker.md 2.1, steps 5a to 5d: whatever CONNECT says, the id that counts chooses the shard and the session."""
    pki, port = Pki(tmp_path), node.free_port()
    served, device = pki.issue("localhost"), pki.issue("device7")
    ssl_options = {"cacertfile": pki.ca, "certfile": served[0], "keyfile": served[1], "verify": "verify_peer",
                   "fail_if_no_peer_cert": True}
    broker = start_broker(shards=shards, mqtt=names, listeners={
        "ssl": {"default": {"enable": True, "bind": f"127.0.0.1:{port}", "ssl_options": ssl_options}}})
    context = ssl.create_default_context(cafile=pki.ca)
    context.load_cert_chain(*device)
    clients = []
    for n, user in enumerate("abcdef"):
        c = raw.Client(port, ssl=context)
        # The session of one id is resumed by the next, and ends the connection before it.
        ack = c.connect(f"id-{user}", username=user, clean_start=False, props={"session_expiry_interval": 60})
        assert ack.session_present == (n > 0 and client_id is not None)
        if n > 0 and client_id is not None:
            clients[-1].expect_disconnect(0x8E)
        found = api.want(broker, 200, "GET", f"/clients/{client_id or user}")
        assert found["username"] == (username or user)
        clients.append(c)
    assert api.want(broker, 200, "GET", "/clients")["meta"]["count"] == (1 if client_id else 6)
    with raw.Client(port, ssl=context) as c:  # step 5c: the certificate's username counts where CONNECT has none
        c.send(raw.connect("x"))
        assert c.expect(raw.CONNACK).code == (0 if username else 0x85)
    for c in clients:
        c.close()


# ---- what a client does over any transport: the six lines that it prints -------------------------------------------

def expected(topic, version):
    """Own messages with each QoS, a retained one, one that a session kept, a will; of the session: whether it was there."""
    return [f"{topic} 0 0 m0", f"{topic} 1 0 m1", f"{topic} 2 0 m2", f"{topic}/r 1 1 kept",
            f"session {int(version > 3)}", f"{topic}/s 1 0 waited", f"{topic}/w 1 0 gone"]


def run(arguments):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=3 * SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@OVER
@VERSIONS
def test_paho_python(secure, uid, skip, transport, version):
    def connect(client_id, **more):
        tls = {"tls": secure.context(secure.client if transport == "mutual" else None)}
        return Paho(skip, secure.ports[transport], client_id, version, websocket=transport in ("ws", "wss"),
                    **(tls if transport in ("tls", "mutual", "wss") else {}), **more)

    lines = []

    def take(client):
        topic, qos, retain, payload = client.next()
        lines.append(f"{topic} {qos} {int(retain)} {payload}")

    with connect(uid) as c:
        c.subscribe(uid, 2)
        for qos in range(3):
            c.publish(uid, f"m{qos}", qos)
            take(c)
        c.publish(f"{uid}/r", "kept", 1, retain=True)
        c.subscribe(f"{uid}/r", 1)
        take(c)
        with connect(f"{uid}-s", clean=False, expiry=60) as s:
            s.subscribe(f"{uid}/s", 1)
        c.publish(f"{uid}/s", "waited", 1)
        with connect(f"{uid}-s", clean=False, expiry=60) as s:
            lines.append(f"session {int(s.present)}")
            take(s)
        c.subscribe(f"{uid}/w", 1)
        dying = connect(f"{uid}-d", will=(f"{uid}/w", "gone", 1, False))
        dying.die()
        take(c)
        c.publish(f"{uid}/r", "", 1, retain=True)
    assert lines == expected(uid, version)


@pytest.fixture(scope="module")
def paho_c(tmp_path_factory):
    """The compiled program with TLS, or None."""
    compiler, path = shutil.which("gcc") or shutil.which("cc"), tmp_path_factory.mktemp("paho") / "paho_c"
    if not compiler or subprocess.run([compiler, "-O1", "-Wall", "-o", path, HERE / "paho_c.c", "-lpaho-mqtt3cs"],
                                      stderr=subprocess.PIPE).returncode:
        return None
    return str(path)


# Not plain WebSocket: Debian's version of the library then overlooks a packet that arrives together with another one, and
# waits for ever, whoever serves it.
@pytest.mark.parametrize("transport", ["tcp", "tls", "mutual", "wss"])
@VERSIONS
def test_paho_c(secure, uid, skip, paho_c, transport, version):
    if not paho_c:
        skip.because("paho-c", "libpaho-mqtt-dev or a C compiler is not installed")
    scheme = {"tcp": "tcp", "tls": "ssl", "mutual": "ssl", "wss": "wss"}[transport]
    path = "/mqtt" if scheme == "wss" else ""
    arguments = [paho_c, f"{scheme}://localhost:{secure.ports[transport]}{path}", uid, str(version)]
    if scheme in ("ssl", "wss"):
        arguments.append(secure.pki.ca)
    if transport == "mutual":
        arguments += secure.client
    assert run(arguments) == expected(uid, version)


@OVER
@VERSIONS
def test_mqttjs(secure, uid, skip, mqttjs, transport, version):  # noqa: F811
    folder, why_not = mqttjs
    if why_not:
        skip.because("mqttjs", why_not)
    scheme = {"tcp": "mqtt", "tls": "mqtts", "mutual": "mqtts", "ws": "ws", "wss": "wss"}[transport]
    options = {"url": f"{scheme}://localhost:{secure.ports[transport]}/mqtt", "topic": uid, "version": version}
    if scheme in ("mqtts", "wss"):
        options["ca"] = secure.pki.ca
    if transport == "mutual":
        options["cert"], options["key"] = secure.client
    assert run(["node", str(HERE / "mqttjs.js"), str(folder), json.dumps(options)]) == expected(uid, version)


@pytest.mark.parametrize("transport", ["tls", "mutual"])
@VERSIONS
def test_mosquitto(secure, uid, skip, transport, version):
    common = ["-h", "localhost", "-p", str(secure.ports[transport]), "--cafile", secure.pki.ca, "-V", MOSQUITTO_VERSION[version]]
    if transport == "mutual":
        common += ["--cert", secure.client[0], "--key", secure.client[1]]

    def pub(topic, text, qos, *more):
        subprocess.run([skip.need("mosquitto_pub"), *common, "-t", topic, "-m", text, "-q", str(qos), *more], check=True,
                       timeout=SECONDS)

    def sub(count, *more):
        process = subprocess.Popen(
            ["stdbuf", "-oL", skip.need("mosquitto_sub"), *common, "-d", "-W", str(SECONDS), "-C", str(count),
             "-F", "> %t %q %r %p", *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "Subscribed" in line or line.startswith("> "):  # what a session kept comes first
                process.seen = line
                return process
        raise AssertionError("".join(seen))

    def lines(process):
        rest = process.seen + process.stdout.read()
        assert process.wait(SECONDS) == 0, rest
        return [line[2:] for line in rest.splitlines() if line.startswith("> ")]

    got = []
    own = sub(3, "-t", uid, "-q", "2")
    for qos in range(3):
        pub(uid, f"m{qos}", qos)
    got += lines(own)
    pub(f"{uid}/r", "kept", 1, "-r")
    got += lines(sub(1, "-t", f"{uid}/r", "-q", "1"))
    session = ["-i", f"{uid}-s", "-c", *(["-x", "60"] if version == 5 else []), "-t", f"{uid}/s", "-q", "1"]
    subprocess.run([skip.need("mosquitto_sub"), *common, "-E", *session], check=True, timeout=SECONDS)
    pub(f"{uid}/s", "waited", 1)
    got += lines(sub(1, *session))
    watcher = sub(1, "-t", f"{uid}/w", "-q", "1")
    dying = sub(1, "-t", f"{uid}/never", "--will-topic", f"{uid}/w", "--will-payload", "gone", "--will-qos", "1")
    dying.kill()
    dying.wait()
    got += lines(watcher)
    pub(f"{uid}/r", "", 1, "-r")
    assert got == [line for line in expected(uid, version) if not line.startswith("session")]


# ---- certificates -------------------------------------------------------------------------------------------------

def test_name_in_the_certificate_is_the_username(secure, uid, skip):
    """broker.md 2.1 5a: it replaces what CONNECT says, and fills ${username} of the mountpoint."""
    with secure.broker.client(uid) as plain:
        plain.send(raw.subscribe(1, [(f"{MOUNT}+/{uid}", 1)]))
        plain.expect(raw.SUBACK)
        subprocess.run([skip.need("mosquitto_pub"), "-h", "localhost", "-p", str(secure.ports["mutual"]), "--cafile",
                        secure.pki.ca, "--cert", secure.client[0], "--key", secure.client[1], "-u", "somebody-else",
                        "-t", uid, "-m", "x", "-q", "1"], check=True, timeout=SECONDS)
        assert plain.expect(raw.PUBLISH).topic == f"{MOUNT}alice/{uid}"


def refused(secure, identity):
    """Whether a client of that identity is not let in; TLS 1.3 tells it only after its own handshake is over."""
    try:
        with socket.create_connection(("127.0.0.1", secure.ports["mutual"]), SECONDS) as plain:
            with secure.context(identity).wrap_socket(plain, server_hostname="localhost") as s:
                s.sendall(raw.connect("c"))
                return s.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_client_without_or_with_a_foreign_certificate_is_refused(secure):
    assert not refused(secure, secure.client)
    assert refused(secure, None)
    assert refused(secure, secure.stranger)


@pytest.mark.parametrize("identity", ["none", "stranger"])
def test_real_client_is_refused(secure, uid, skip, identity):
    more = ["--cert", secure.stranger[0], "--key", secure.stranger[1]] if identity == "stranger" else []
    done = subprocess.run([skip.need("mosquitto_pub"), "-h", "localhost", "-p", str(secure.ports["mutual"]), "--cafile",
                           secure.pki.ca, *more, "-t", uid, "-m", "x", "-q", "1"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS)
    assert done.returncode != 0


def test_certificates_are_reloaded_without_hurting_connections(secure, uid, skip):
    secure.serve("before")
    secure.broker.ctl("pem_cache", "clean", "all")
    assert secure.certificate_name() == "before"
    with Paho(skip, secure.ports["tls"], uid, tls=secure.context()) as c:
        c.subscribe(uid, 1)
        secure.serve("after")
        assert secure.certificate_name() == "before"  # not by itself in the middle of things
        secure.broker.ctl("pem_cache", "clean", "all")
        assert secure.certificate_name() == "after"
        c.publish(uid, "still here", 1)
        assert c.next()[3] == "still here"
    # A file that is no certificate changes nothing.
    with open(secure.served[0], "w") as broken:
        broken.write("nonsense")
    secure.broker.ctl("pem_cache", "clean", "all", check=False)
    assert secure.certificate_name() == "after"
    secure.serve("first")
