"""The dashboard in a real Chromium, driven by web/e2e, against a real node with real MQTT clients."""
import base64
import http.client
import json
import math
import os
import pathlib
import shutil
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest

from tests.system import node
from tests.system.node import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
PASSWORD = "kept to itself 1"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    chromium = os.environ.get("SB_CHROMIUM", "/usr/bin/chromium")
    for peer, path in (("chromium", chromium), ("node", shutil.which("node")),
                       ("playwright-core", WEB / "node_modules/playwright-core"), ("axe-core", WEB / "node_modules/axe-core")):
        if not path or not os.path.exists(path):
            print(f"SKIP {peer}: not installed")
            pytest.skip(f"SKIP {peer}: not installed")
    web_port = free_port()
    started = node.Node(
        tmp_path_factory.mktemp("node"),
        text="\n".join([
            "license.key = community",
            "dashboard.sample_interval = 1s",
            "log.audit.enable = true",
            f'listeners.ws.browser {{ bind = "127.0.0.1:{web_port}" }}',
        ]),
    ).start()
    started.web_port = web_port
    yield started
    started.stop()


@pytest.fixture(scope="module")
def run(broker, tmp_path_factory):
    """run("scenario", **args): the folder where it left things."""

    def go(scenario, password=PASSWORD, **args):
        out = tmp_path_factory.mktemp(scenario)
        env = {**os.environ, "SB_URL": f"http://127.0.0.1:{broker.api_port}", "SB_USER": "admin", "SB_PASSWORD": password,
               "SB_OUT": str(out), "SB_ARGS": json.dumps(args)}
        done = subprocess.run(["node", "e2e/run.js", scenario], cwd=WEB, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=180)
        assert done.returncode == 0, f"{done.stdout}\npictures: {out}\n{broker.log()[-3000:]}"
        return out

    go("first-login", password="public", newPassword=PASSWORD)
    return go


def ask(broker, method, path, key, body=None):
    """Status of a request with an API key."""
    connection = http.client.HTTPConnection("127.0.0.1", broker.api_port, timeout=10)
    token = base64.b64encode(f"{key['key']}:{key['secret']}".encode()).decode()
    connection.request(method, f"/api/v5{path}", json.dumps(body) if body is not None else None,
                       {"Authorization": f"Basic {token}", "Content-Type": "application/json"})
    return connection.getresponse().status


class Meter:
    """A real client: what it got, and whether it was disconnected."""

    def __init__(self, broker, client_id, topic):
        self.messages, self.gone = [], threading.Event()
        subscribed = threading.Event()
        self.client = mqtt.Client(client_id=client_id, protocol=mqtt.MQTTv5)
        self.client.on_message = lambda _c, _u, message: self.messages.append((message.topic, message.payload))
        self.client.on_disconnect = lambda *_: (self.gone.set(), self.client.loop_stop())
        self.client.on_connect = lambda *_: self.client.subscribe(topic, 1)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert subscribed.wait(10)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def test_first_login_asks_for_a_password_of_its_own(run):
    assert run is not None  # the fixture went through it


def test_a_client_is_found_served_and_kicked_out(broker, run):
    meter = Meter(broker, "meter-07", "plant/7/#")
    run("client", clientid="meter-07", topic="plant/7/#", added="commands/meter-07", payload="open the valve")
    assert ("commands/meter-07", b"open the valve") in meter.messages
    assert meter.gone.wait(10)


def test_api_keys_do_what_their_role_allows(broker, run):
    keys = json.loads((run("api-keys") / "keys.json").read_text())
    message = {"topic": "t", "payload": "x"}
    expected = {"administrator": (200, 200, 202), "viewer": (200, 403, 403), "publisher": (403, 403, 202)}
    ban = {"as": "clientid", "who": "nobody-at-all"}
    for role, statuses in expected.items():
        key = keys[role]
        got = (ask(broker, "GET", "/clients", key), ask(broker, "POST", "/banned", key, ban),
               ask(broker, "POST", "/publish", key, message))
        assert got == statuses, role


def test_a_backup_is_made_saved_sent_back_and_restored(run):
    out = run("backup")
    assert [path for path in out.iterdir() if path.name.endswith(".tar.gz")]


def test_a_setting_changes_and_the_audit_log_says_who_did_it(broker, run):
    run("setting", value=48)
    assert "48" in broker.ctl("conf", "show", "mqtt.max_inflight")


def test_who_saves_second_is_told_and_nobody_leaves_an_unsaved_form_by_accident(broker, run):
    run("two-people", places=[
        {"path": "/listeners/tcp:default", "label": "Max connections", "mine": "700", "theirs": "800", "after": "900"},
        {"path": "/configuration/mqtt", "label": "Max topic levels", "mine": "70", "theirs": "80", "after": "90"},
        {"path": "/users", "button": "Edit admin", "label": "Note", "mine": "first", "theirs": "second", "after": "third"},
    ])
    assert "900" in broker.ctl("conf", "show", "listeners.tcp.default.max_connections")
    assert "90" in broker.ctl("conf", "show", "mqtt.max_topic_levels")


def test_clients_are_found_by_the_time_of_their_connection(broker, run):
    meter = Meter(broker, "meter-11", "plant/11/#")
    run("connected-at", clientid="meter-11")
    meter.close()


def test_a_viewer_looks_and_changes_nothing(broker, run):
    meter = Meter(broker, "meter-08", "plant/8/#")
    run("viewer", viewer="looker", chosen="only looking 1", clientid="meter-08")
    meter.close()


def test_every_page_opens_by_menu_and_keyboard_in_both_languages(run):
    run("pages")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_keep_to_the_rules_of_accessibility(broker, run, scheme):
    meter = Meter(broker, f"meter-{scheme}", "plant/9/#")
    run("accessibility", scheme=scheme, more=[f"/clients/meter-{scheme}"])
    meter.close()


def test_pages_fit_a_telephone(broker, run):
    meter = Meter(broker, "meter-narrow", "plant/with/a/rather/long/topic/filter/of/many/levels/#")
    run("narrow", more=["/clients/meter-narrow"])
    meter.close()


def test_the_first_load_is_below_500_kilobytes_and_comes_from_the_node(run):
    run("first-load", limit=500_000)


def test_a_session_that_ends_leads_to_the_log_in_and_back(run):
    run("expiry")


def test_a_node_that_does_not_answer_is_told_of(run):
    run("unreachable")


def test_times_are_in_the_chosen_zone(run):
    run("time-zone")


def test_rewrite_auto_subscribe_and_prometheus_have_editors(broker, run):
    run("editors", **{"from": "old/#", "re": "^old/(.+)$", "to": "new/$1", "topic": "notices/${clientid}"})
    meter = Meter(broker, "meter-10", "new/+")
    told = []
    meter.client.on_message = lambda _c, _u, message: told.append(message.topic)
    meter.client.publish("old/7", "x", 1).wait_for_publish(10)
    meter.client.publish("notices/meter-10", "x", 1).wait_for_publish(10)
    deadline = time.monotonic() + 10
    while len(told) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    meter.close()
    assert sorted(told) == ["new/7", "notices/meter-10"]
    shown = broker.ctl("conf", "show", "prometheus")
    assert 'interval = "30s"' in shown and 'X-Team = "plant"' in shown, shown


def test_a_client_in_the_page_talks_to_the_broker(broker, run):
    run("websocket", address=f"ws://127.0.0.1:{broker.web_port}/mqtt")


class Fleet:
    """Clients as a plant has them, whose traffic goes up and down, so that charts show something."""

    METERS = 24

    def __init__(self, broker):
        self.meters = [Meter(broker, f"meter-{n:03}", f"plant/{n % 4 + 1}/commands/{n:03}") for n in range(self.METERS)]
        self.boards = [Meter(broker, name, "plant/+/+/power") for name in ("control-room", "archive")]
        self.stop = threading.Event()
        self.load = threading.Thread(target=self.publish)
        self.load.start()

    def publish(self):
        number, start = 0, time.monotonic()
        while not self.stop.wait(0.01):
            at = time.monotonic() - start
            for _ in range(1 + round(2 + 2 * math.sin(at / 9) + 1.2 * math.sin(at / 2.3))):
                meter = number % self.METERS
                topic = f"plant/{meter % 4 + 1}/{meter:03}/power" if number % 11 else f"nobody/{meter}"
                self.meters[meter].client.publish(topic, json.dumps({"watts": 900 + number % 70}), number % 2)
                number += 1

    def close(self):
        self.stop.set()
        self.load.join()
        for client in self.meters + self.boards:
            client.close()


PICTURES = ("overview-light", "overview-dark", "overview-zh", "clients", "client", "configuration", "audit", "license")


def test_pictures_of_a_node_under_load(broker, run):
    """SB_PICTURES names the folder where the pictures of the documentation go, SB_PICTURE_SECONDS how long a history they show."""
    fleet = Fleet(broker)
    try:
        time.sleep(float(os.environ.get("SB_PICTURE_SECONDS", "5")))
        out = run("pictures", atLeast=len(fleet.meters) + len(fleet.boards), clientid="control-room")
    finally:
        fleet.close()
    for name in PICTURES:
        assert (out / f"{name}.png").stat().st_size > 15_000
        if os.environ.get("SB_PICTURES"):
            shutil.copy(out / f"{name}.png", os.environ["SB_PICTURES"])
