"""psk_authentication with the clients of mosquitto and openssl (access-control 9.5)."""
import subprocess

import pytest

from . import api, node
from .node import wait_until
from .pki import Pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


def change(broker, status, **section):
    """At run time, as text of a configuration; the answer."""
    text = f"psk_authentication = {node.hocon({'enable': True} | section)}"
    return api.want(broker, status, "PUT", "/configs?mode=merge", text.encode(), content_type="text/plain")


@pytest.fixture
def start_psk(start_broker, pki, tmp_path):
    """start_psk(keys, **section) -> a broker with a TLS listener on `tls_port` that serves pre-shared keys."""
    certificate, key = pki.issue("localhost")

    def start(keys, **section):
        (tmp_path / "keys.psk").write_bytes(keys)
        port = node.free_port()
        broker = start_broker(
            psk_authentication={"enable": True, "init_file": str(tmp_path / "keys.psk")} | section,
            text=f'listeners.ssl.psk {{ bind = "127.0.0.1:{port}", ssl_options {{ certfile = "{certificate}", keyfile = "{key}", '
                 'versions = ["tlsv1.2"], ciphers = ["PSK-AES128-GCM-SHA256", "RSA-PSK-AES128-GCM-SHA256"] } }')
        broker.tls_port = port
        return broker
    return start


def publishes(broker, skip, identity, secret):
    done = subprocess.run([skip.need("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(broker.tls_port), "-t", "t", "-m", "x", "-q", "1",
                           "--psk", secret.encode().hex(), "--psk-identity", identity, "--ciphers", "PSK-AES128-GCM-SHA256"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    return done.returncode == 0


def test_identities_and_their_keys(start_psk, skip):
    broker = start_psk(b"dev-1:secret-one\r\ndev-2:two:with:separators\n")
    assert publishes(broker, skip, "dev-1", "secret-one") and publishes(broker, skip, "dev-2", "two:with:separators")
    assert not publishes(broker, skip, "dev-1", "another")
    assert not publishes(broker, skip, "dev-3", "secret-one"), "unknown"

    def log():
        return broker.log() + "".join(p.read_text(errors="replace") for p in (broker.data / "log").glob("*.log*"))

    wait_until(lambda: "psk_identity_not_found" in log())
    assert "dev-3" in log() and "secret-one" not in log()


def test_another_import_overwrites_and_never_removes(start_psk, skip, tmp_path):
    broker = start_psk(b"dev-1:old\ndev-2:two\n")
    (tmp_path / "more.psk").write_text("dev-1|new\ndev-3|three\n")
    change(broker, 200, init_file=str(tmp_path / "more.psk"), separator="|")
    for identity, secret, good in (("dev-1", "new", True), ("dev-1", "old", False), ("dev-2", "two", True), ("dev-3", "three", True)):
        assert publishes(broker, skip, identity, secret) == good, (identity, secret)
    broker.config["psk_authentication"] = {"enable": True}
    broker.restart()
    for identity, secret in (("dev-1", "new"), ("dev-2", "two"), ("dev-3", "three")):
        assert publishes(broker, skip, identity, secret), "kept in the store"


@pytest.mark.parametrize("keys, line", [(b"a:1\nnone\n", 2), (b"\na:1\n", 1), (b"a:1\n\n", 2), (b":1\n", 1), (b"a:\n", 1)],
                         ids=["no separator", "blank first", "blank last", "no identity", "no secret"])
def test_a_bad_line_changes_nothing(start_psk, skip, tmp_path, keys, line):
    broker = start_psk(b"dev-1:one\n")
    bad = tmp_path / "bad.psk"
    bad.write_bytes(keys)
    assert f"line {line} " in str(change(broker, 400, init_file=str(bad)))
    assert publishes(broker, skip, "dev-1", "one") and not publishes(broker, skip, "a", "1")


def test_a_file_that_is_not_there_keeps_the_node_from_starting(tmp_path):
    broker = node.Node(tmp_path, psk_authentication={"enable": True, "init_file": str(tmp_path / "none.psk")})
    with pytest.raises(AssertionError, match="psk_authentication.init_file"):
        broker.start()
