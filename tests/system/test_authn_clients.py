"""Authentication by real clients: mosquitto, Paho for Python, MQTT.js."""
import subprocess
import time

import pytest

from . import api, tokens
from .test_authn_database import BUILT_IN, USERS
from .test_clients import HERE, SECONDS, mqttjs  # noqa: F401, a fixture

paho = pytest.importorskip("paho.mqtt.client")


@pytest.mark.parametrize("version", ["mqttv31", "mqttv311", "mqttv5"])
def test_mosquitto(start_broker, skip, version):
    broker = start_broker(authentication=[BUILT_IN])
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "secret"})
    command = [skip.need("mosquitto_pub"), "-V", version, "-p", str(broker.port), "-q", "1", "-t", "t", "-m", "x"]
    assert subprocess.run(command + ["-u", "joe", "-P", "secret"], timeout=SECONDS).returncode == 0
    for wrong in (["-u", "joe", "-P", "guess"], ["-u", "ann", "-P", "secret"], []):
        assert subprocess.run(command + wrong, timeout=SECONDS, capture_output=True).returncode != 0, wrong


@pytest.mark.parametrize("version", [4, 5])
def test_paho_with_a_token(start_broker, version):
    broker = start_broker(authentication=[{"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based",
                                           "secret": "a shared secret"}])
    got = []
    for secret in (b"a shared secret", b"another"):
        client = paho.Client(client_id="c", protocol=version)
        client.username_pw_set("joe", tokens.Secret(secret).token({"exp": int(time.time()) + 60}))
        client.on_connect = lambda *arguments: got.append(int(getattr(arguments[3], "value", arguments[3])))
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        deadline = time.monotonic() + 10
        wanted = len(got) + 1
        while len(got) < wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        client.disconnect()
        client.loop_stop()
    assert got[0] == 0 and got[-1] == (0x87 if version == 5 else 5), got


def test_mqttjs_scram(start_broker, skip, mqttjs):  # noqa: F811
    folder, why_not = mqttjs
    if folder is None:
        skip.because("mqttjs", why_not)
    broker = start_broker(authentication=[{"mechanism": "scram", "backend": "built_in_database"}])
    api.want(broker, 201, "POST", "/authentication/scram:built_in_database/users", {"user_id": "joe", "password": "pencil"})
    command = ["node", str(HERE / "scram.js"), str(folder), f"mqtt://127.0.0.1:{broker.port}", "topic", "joe"]
    done = subprocess.run(command + ["pencil"], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0 and done.stdout == "topic hello\n", done.stderr
    assert subprocess.run(command + ["wrong"], capture_output=True, timeout=SECONDS).returncode != 0
