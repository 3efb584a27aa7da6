"""The sources postgresql, mysql and redis against real servers (access-control 7.5, 7.7)."""
import time

import pytest

from . import api, raw, servers, stored
from .test_authz_sources import authorization, may_publish, may_subscribe

KINDS = ("postgresql", "mysql", "redis")
ROWS = [  # position, username, permission, action, topic, qos, retain
    (1, "joe", "deny", "publish", "up/secret", None, None), (2, "joe", "allow", "publish", "up/#", None, None),
    (3, "joe", "allow", "subscribe", "down/${clientid}", "0,1", None), (4, "joe", "allow", "all", "eq lit/+", None, None),
    (5, "joe", "allow", "publish", "kept", None, "1"), (6, "joe", "nonsense", "publish", "bad", None, None),
    (7, "joe", "allow", "publish", "bad/#/filter", None, None), (8, "joe", "allow", "publish", "two", "2", "all"),
]
QUERY = "SELECT permission, action, topic, qos, retain FROM acl WHERE username = ${username} ORDER BY position"
TABLE = ("CREATE TABLE acl (position INT, username VARCHAR(100), permission VARCHAR(20), action VARCHAR(20), topic VARCHAR(200), "
         "qos VARCHAR(10), retain VARCHAR(10)); INSERT INTO acl VALUES " +
         ", ".join("(" + ", ".join("NULL" if v is None else str(v) if isinstance(v, int) else f"'{v}'" for v in row) + ")"
                   for row in ROWS))


class Store:
    def __init__(self, kind, folder, skip):
        self.kind = kind
        if kind == "postgresql":
            self.server = servers.PostgreSQL(folder, skip).start()
            self.server.sql(TABLE)
            self.more = {"database": "postgres", "username": "root", "password": "root-pw-postgres", "query": QUERY}
        elif kind == "mysql":
            self.server = servers.MariaDB(folder, skip).start()
            self.server.sql(f"CREATE DATABASE mqtt COLLATE utf8mb4_bin; USE mqtt; {TABLE}; "
                            "CREATE USER broker@'%' IDENTIFIED BY 'db-secret-pw'; "
                            "GRANT SELECT ON mqtt.* TO broker@'%'")
            self.more = {"database": "mqtt", "username": "broker", "password": "db-secret-pw", "query": QUERY}
        else:
            self.server = servers.Redis(folder, skip, "--appendonly", "yes").start()
            self.server.call("HSET", "acl:joe", "up/#", "publish", "down/${clientid}", '{"action": "subscribe", "qos": [0, 1]}',
                             "eq lit/+", "all", "kept", '{"action": "publish", "retain": true, "permission": "deny"}', "bad", "nonsense",
                             "bad/#/filter", "publish", "two", '{"action": "publish", "qos": 2}', "worse", '{"action"')
            self.more = {"cmd": "HGETALL acl:${username}"}

    def source(self, **more):
        return {"type": self.kind, "server": f"127.0.0.1:{self.server.port}"} | self.more | more


@pytest.fixture(scope="module", params=KINDS)
def kept(request, tmp_path_factory):
    from .conftest import Skip
    store = Store(request.param, tmp_path_factory.mktemp(request.param) / "server", Skip)
    yield store
    store.server.stop()


@pytest.fixture
def store(kept):
    if kept.server.process.poll() is not None:
        kept.server.start()
    return kept


def want_status(broker, kind, status, seconds=40):
    deadline = time.monotonic() + seconds
    while True:
        answer = api.want(broker, 200, "GET", f"/authorization/sources/{kind}/status")
        if answer["status"] == status:
            return answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def alarms(broker, kind):
    return [one for one in api.want(broker, 200, "GET", "/alarms")["data"] if one["name"] == f"authorization:{kind}"]


def test_rules(start_broker, store):
    broker = start_broker(authorization=authorization(store.source()))
    want_status(broker, store.kind, "connected")
    joe = {"username": "joe"}
    assert may_publish(broker, "up/a", **joe) and not may_publish(broker, "down/c", **joe)
    if store.kind != "redis":
        assert not may_publish(broker, "up/secret", **joe), "the first that fits decides"
    assert may_subscribe(broker, "down/c", "c", qos=1, **joe) and not may_subscribe(broker, "down/d", "c", **joe)
    assert not may_subscribe(broker, "down/c", "c", qos=2, **joe)
    assert not may_subscribe(broker, "down/+", "+", **joe), "a client id with a wildcard widens nothing"
    assert may_subscribe(broker, "lit/+", **joe) and not may_subscribe(broker, "lit/a", **joe)
    assert may_publish(broker, "kept", retain=True, **joe) and not may_publish(broker, "kept", **joe)
    assert may_publish(broker, "two", qos=2, **joe) and not may_publish(broker, "two", **joe)
    for topic in ("bad", "worse", "other"):
        assert not may_publish(broker, topic, **joe)
    assert not may_publish(broker, "up/a", username="ann") and not may_publish(broker, "up/a")
    metrics = want_status(broker, store.kind, "connected")["metrics"]
    assert metrics["allow"] >= 5 and metrics["nomatch"] >= 5


def test_values_are_never_part_of_the_question(start_broker, store):
    broker = start_broker(authorization=authorization(store.source()))
    want_status(broker, store.kind, "connected")
    for evil in stored.INJECTIONS:
        assert not may_publish(broker, "up/a", username=evil), evil
    assert may_publish(broker, "up/a", username="joe")


def test_a_dead_store_says_nothing(start_broker, store):
    for no_match in ("deny", "allow"):
        broker = start_broker(authorization=authorization(store.source(), no_match=no_match, cache={"enable": False}))
        want_status(broker, store.kind, "connected")
        store.server.kill()
        try:
            assert may_publish(broker, "up/a", username="joe") == (no_match == "allow")
            assert want_status(broker, store.kind, "disconnected")["node_error"]
            stored.want_alarm_named(broker, f"authorization:{store.kind}")
            began = time.monotonic()
            assert may_publish(broker, "up/a", username="joe") == (no_match == "allow")
            assert time.monotonic() - began < 1, "nobody waits while it is down"
        finally:
            store.server.start()
        want_status(broker, store.kind, "connected")
        assert may_publish(broker, "up/a", username="joe") and not alarms(broker, store.kind)
        broker.stop()


def test_a_hung_store_suspends_its_client_only(start_broker, store):
    with servers.Scripted() as hung:
        broker = start_broker(authorization=authorization(store.source(server=f"127.0.0.1:{hung.port}")))
        with broker.client("a", username="joe") as waits, broker.client("b") as quick:
            began = time.monotonic()
            waits.send(raw.publish("up/a", b"", qos=1, packet_id=7))
            quick.ping()
            assert time.monotonic() - began < 1
            assert waits.expect(raw.PUBACK, timeout=12).code == 0x87
        want_status(broker, store.kind, "disconnected")


@pytest.mark.parametrize("kind, bad, word", [
    ("postgresql", {"query": "DELETE FROM acl"}, "not a SELECT"), ("mysql", {"query": "SELECT ?"}, "parameter"),
    ("postgresql", {"query": "SELECT ${topic}"}, "unknown placeholder"), ("redis", {"cmd": "HGET k f"}, "HGETALL or HMGET"),
    ("redis", {"cmd": "HGETALL k:${action}"}, "unknown placeholder")])
def test_settings_that_are_refused(start_broker, kind, bad, word):
    broker = start_broker()
    source = {"type": kind, "server": "127.0.0.1:1"} | bad
    if kind != "redis":
        source |= {"database": "x", "username": "y"}
    assert word in api.want(broker, 400, "POST", "/authorization/sources", source)["message"]
