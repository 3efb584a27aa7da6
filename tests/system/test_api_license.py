"""The licence: trial, community, signed keys, refusals."""
import datetime
import subprocess
import time

import pytest

from . import api, node as nodes, raw


class Trial(nodes.Node):
    """Without the key that the other tests use."""

    def config_text(self):
        return super().config_text().replace("license.key = community\n", "")


@pytest.fixture
def trial(tmp_path):
    broker = Trial(tmp_path).start()
    yield broker
    broker.stop()


def tool(*arguments, check=True):
    done = subprocess.run([nodes.program(), "license", *map(str, arguments)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip() if check else done


@pytest.fixture
def keys(tmp_path):
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    tool("keys", "--private-key", private, "--public-key", public)
    assert private.stat().st_mode & 0o777 == 0o600
    return private, public


def issue(private, **options):
    terms = {"customer": "Acme", "email": "ops@acme.example", "max-connections": 3, "days": 30, **options}
    return tool("issue", "--private-key", private, *[x for k, v in terms.items() for x in (f"--{k}", v)])


def connect(broker, count):
    """(clients that are in, codes of those that are not)"""
    clients, refused = [], []
    for number in range(count):
        client = broker.client()
        client.send(raw.connect(f"c{number}"))
        code = client.receive().code
        (clients if code == 0 else refused).append(client if code == 0 else code)
    return clients, refused


def test_the_trial_ends_at_25_connections(trial):
    license = api.want(trial, 200, "GET", "/license")
    assert license["type"] == "trial" and license["customer_type"] == 10 and license["max_connections"] == 25
    assert (license["start_at"], license["expiry_at"]) == ("2023-12-08", "2028-12-06")
    clients, refused = connect(trial, 40)
    assert len(clients) == 28 and set(refused) == {0x97}  # refused above 1.1 times the number
    old = trial.client(version=4)
    old.connect("old", code=3)
    assert trial.log().count("license_limit_reached") == 1 and "license.key = community" in trial.log()
    assert api.want(trial, 200, "GET", "/metrics?aggregate=true")["client.license_refused"] == 13
    deadline = time.monotonic() + 15
    while not any(a["name"] == "license_quota" for a in api.want(trial, 200, "GET", "/alarms")["data"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    for client in clients:
        client.close()
    deadline = time.monotonic() + 20
    while any(a["name"] == "license_quota" for a in api.want(trial, 200, "GET", "/alarms")["data"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    trial.client("again").close()


def test_the_community_key_lifts_the_limit_at_once(trial):
    clients, refused = connect(trial, 30)
    assert refused
    assert trial.ctl("license", "update", "community") == "ok\n"
    more, refused = connect(trial, 40)
    assert not refused
    assert api.want(trial, 200, "GET", "/license")["max_connections"] == "infinity"
    for client in clients + more:
        client.close()
    trial.restart()
    assert api.want(trial, 200, "GET", "/license")["type"] == "community"
    assert api.want(trial, 200, "POST", "/license", {"key": "default"})["max_connections"] == 25


def test_a_key_of_ones_own(tmp_path, keys):
    private, public = keys
    key = issue(private, **{"max-connections": 40, "customer-type": "large", "start": "20240101", "days": 10})
    broker = Trial(tmp_path / "node", text=f'license.public_key = "file://{public}"')
    broker.folder.mkdir()
    broker.start()
    try:
        license = api.want(broker, 200, "POST", "/license", {"key": key})
        assert license["customer"] == "Acme" and license["type"] == "official" and license["max_connections"] == 40
        # Long over; of a large customer that is told, not enforced.
        assert license["expiry"] is True and license["expiry_at"] == "2024-01-11"
        clients, refused = connect(broker, 44)
        assert len(clients) == 44 and not refused
        for client in clients:
            client.close()
        small = issue(private, **{"customer-type": "small", "start": "20240101", "days": 10})
        api.want(broker, 200, "POST", "/license", {"key": small})
        assert connect(broker, 1)[1] == [0x97]
        trial_over = issue(private, type="trial", start="20240101", days="10")
        api.want(broker, 200, "POST", "/license", {"key": trial_over})
        assert connect(broker, 1)[1] == [0x97]
        path = tmp_path / "license.key"
        path.write_text(issue(private) + "\n")
        assert api.want(broker, 200, "POST", "/license", {"key": f"file://{path}"})["max_connections"] == 3
        assert "******" in api.call(broker, "GET", "/configs?key=license")[1] or \
            f"file://{path}" in api.call(broker, "GET", "/configs?key=license")[1]
        info = broker.ctl("license", "info")
        assert "customer        : Acme\n" in info and "max_connections : 3\n" in info
        today = datetime.date.today()
        assert f"start_at        : {today.isoformat()}" in info
    finally:
        broker.stop()


def test_a_key_that_nobody_vouches_for_is_refused(trial, keys):
    key = issue(keys[0])
    before = api.want(trial, 200, "GET", "/license")
    for bad in (key, key[:-8], "nonsense", key.replace(".", "")):
        answer = api.want(trial, 400, "POST", "/license", {"key": bad})
        assert answer["code"] == "BAD_REQUEST" and "Bad license key" in answer["message"]
    assert "Invalid request params" in api.want(trial, 400, "POST", "/license", {})["message"]
    assert api.want(trial, 400, "POST", "/license", {"key": "file:///nonexistent"})["message"].startswith("Bad license key")
    assert api.want(trial, 200, "GET", "/license") == before


def test_a_bad_key_in_the_file_means_the_trial_and_an_alarm(tmp_path, keys):
    broker = Trial(tmp_path / "node", text=f'license.key = "{issue(keys[0])}"')
    broker.folder.mkdir()
    broker.start()
    try:
        license = api.want(broker, 200, "GET", "/license")
        assert license["max_connections"] == 25 and license["trouble"] == "Bad license key"
        assert any(a["name"] == "license_key" for a in api.want(broker, 200, "GET", "/alarms")["data"])
        assert "license_key_not_used" in broker.log() and "license.key = community" in broker.log()
    finally:
        broker.stop()


def test_watermarks(broker):
    before = api.want(broker, 200, "GET", "/license/setting")
    assert before == {"connection_low_watermark": "75%", "connection_high_watermark": "80%"}
    after = api.want(broker, 200, "PUT", "/license/setting", {"connection_low_watermark": "50%"})
    assert after == {**before, "connection_low_watermark": "50%"}
    for bad in ({"connection_low_watermark": "90%"}, {"connection_high_watermark": "x"}, {"key": "community"}):
        refused = api.want(broker, 400, "PUT", "/license/setting", bad)
        assert refused["code"] == "BAD_REQUEST" and next(iter(bad)) in refused["message"]
        assert str(broker.folder) not in refused["message"] and ".conf" not in refused["message"]
    assert api.want(broker, 200, "GET", "/license/setting") == after


def test_the_tool_refuses_what_makes_no_licence(keys, tmp_path):
    private, public = keys
    assert tool("keys", "--private-key", private, "--public-key", public, check=False).returncode == 1
    for bad in ({"days": 0}, {"max-connections": 0}, {"start": "20230230"}, {"customer": ""}, {"type": "other"}):
        with pytest.raises(AssertionError):
            issue(private, **bad)
    path = tmp_path / "key"
    path.write_text(issue(private))
    assert "customer        : Acme" in tool("show", "--key", path, "--public-key", public)
    assert tool("show", "--key", path, check=False).returncode == 1
