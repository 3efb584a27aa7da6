"""password_based:mongodb and the authorization source mongodb against FerretDB (access-control 4.4, 7.6)."""
import hashlib
import socket
import time

import pytest

from . import api, mongo, node, raw, servers
from .conftest import Skip
from .test_authn_database import NOT_AUTHORIZED, OK, code_of
from .test_authz_sources import authorization, may_publish, may_subscribe
from .test_ldap import alarms, wait_for

ID = "password_based:mongodb"
STATUS = f"/authentication/{ID}/status"
SOURCE_STATUS = "/authorization/sources/mongodb/status"
BAD_PASSWORD = 0x86


def hashed(password, salt="s"):
    return {"password_hash": hashlib.sha256((salt + password).encode()).hexdigest(), "salt": salt}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    one = mongo.FerretDB(tmp_path_factory.mktemp("mongo"), Skip)
    one.start()
    one.insert("mqtt", "users", {"username": "joe"} | hashed("right-pw"), {"username": "root", "is_superuser": True} | hashed("right-pw"),
               {"username": "nohash", "salt": "s"}, {"username": "number"} | hashed("right-pw") | {"password_hash": 5},
               {"username": "{\"$ne\":\"\"}"} | hashed("right-pw"))
    one.insert("mqtt", "acl",
               {"username": "joe", "permission": "deny", "action": "publish", "topic": "up/secret"},
               {"username": "joe", "permission": "allow", "action": "publish", "topics": ["up/#", "c/${clientid}"], "qos": [0, 1]},
               {"username": "joe", "permission": "allow", "action": "subscribe", "topic": "down/#"},
               {"username": "joe", "permission": "allow", "action": "publish", "topic": "r", "retain": False},
               {"username": "joe", "permission": "allow", "action": "nothing", "topic": "bad"},
               {"username": "joe", "permission": "allow", "action": "publish", "topic": "bad/qos", "qos": "seven"})
    yield one
    one.stop()


def mongodb(server, **more):
    return {"mechanism": "password_based", "backend": "mongodb", "mongo_type": "single", "server": f"127.0.0.1:{server.port}",
            "database": "mqtt", "collection": "users", "filter": {"username": "${username}"}} | more


def source(server, **more):
    out = mongodb(server, collection="acl") | {"type": "mongodb"} | more
    del out["mechanism"], out["backend"]
    return out


def test_users(start_broker, server):
    broker = start_broker(authentication=[mongodb(server)], authorization={"no_match": "deny", "sources": []})
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "joe", "right-pw") == OK and code_of(broker, "joe", "wrong") == BAD_PASSWORD
    assert code_of(broker, "joe") == BAD_PASSWORD
    assert code_of(broker, "nobody", "right-pw") == NOT_AUTHORIZED
    assert code_of(broker, "nohash", "right-pw") == NOT_AUTHORIZED, "a document without a hash is none"
    assert code_of(broker, "number", "right-pw") == BAD_PASSWORD
    for name, code in (("root", 0x10), ("joe", 0x87)):
        with broker.client("c", username=name, password="right-pw") as c:
            c.publish("t", qos=1, code=code)
    counters = api.want(broker, 200, "GET", STATUS)["resource_metrics"]
    assert counters["success"] == counters["matched"] > 0


def test_injection(start_broker, server):
    """A value of the client's is a string, whatever is written in it."""
    broker = start_broker(authentication=[mongodb(server)])
    wait_for(broker, STATUS, "connected")
    for name in ('{"$gt": ""}', "$where", "jo\\e", 'joe", "x": "', "${password}", "*", "{}", "\u0161"):
        assert code_of(broker, name, "right-pw") == NOT_AUTHORIZED, name
    somebody = '{"$ne":""}'  # is really called so
    assert code_of(broker, somebody, "right-pw") == OK and code_of(broker, somebody, "wrong") == BAD_PASSWORD


def test_operators_are_the_configurations(start_broker, server):
    broker = start_broker(authentication=[mongodb(server, filter={"$or": [{"username": "${clientid}"}, {"username": "${username}"}]})])
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "x", "right-pw", "joe") == OK and code_of(broker, "joe", "right-pw", "x") == OK
    assert code_of(broker, "x", "right-pw", "y") == NOT_AUTHORIZED


def test_rules(start_broker, server):
    broker = start_broker(authorization=authorization(source(server)))
    wait_for(broker, SOURCE_STATUS, "connected")
    me = {"client_id": "dev", "username": "joe"}
    assert may_publish(broker, "up/1", **me) and not may_publish(broker, "up/1", qos=2, **me)
    assert not may_publish(broker, "up/secret", **me), "the first that fits"
    assert may_publish(broker, "c/dev", **me) and not may_publish(broker, "c/other", **me)
    assert may_subscribe(broker, "down/+", **me) and not may_subscribe(broker, "up/1", **me)
    assert may_publish(broker, "r", **me) and not may_publish(broker, "r", retain=True, **me)
    assert not may_publish(broker, "bad", **me) and not may_publish(broker, "bad/qos", **me)
    assert not may_publish(broker, "up/1", "dev", username='{"$ne":""}')
    metrics = api.want(broker, 200, "GET", SOURCE_STATUS)["metrics"]
    assert metrics["deny"] == 1 and metrics["allow"] == 4


def test_settings_that_are_refused(start_broker, server):
    broker = start_broker()
    for bad in ({"server": ""}, {"server": "a,b"}, {"mongo_type": "rs"}, {"filter": "x"}, {"filter": {"a": "${b}"}}, {"database": ""},
                {"mongo_type": "rs", "servers": "a,b"}):
        api.want(broker, 400, "POST", "/authentication", mongodb(server) | bad)


def test_a_server_that_dies_and_comes_back(start_broker, tmp_path, skip):
    own = mongo.FerretDB(tmp_path / "own", skip)
    own.start().insert("mqtt", "users", {"username": "joe"} | hashed("right-pw"))
    try:
        broker = start_broker(authentication=[mongodb(own)])
        wait_for(broker, STATUS, "connected")
        assert code_of(broker, "joe", "right-pw") == OK
        own.kill()
        for _ in range(3):
            assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED
        wait_for(broker, STATUS, "disconnected", 30)
        assert f"authenticator:{ID}:mqtt:global" in alarms(broker)
        began = time.monotonic()
        assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED
        assert time.monotonic() - began < 0.5
        own.start()
        wait_for(broker, STATUS, "connected", 60)
        assert code_of(broker, "joe", "right-pw") == OK and not alarms(broker)
    finally:
        own.stop()


def test_a_server_that_hangs(start_broker, server):
    hung = socket.create_server(("127.0.0.1", 0))
    try:
        broker = start_broker(authentication=[mongodb(server) | {
            "server": f"127.0.0.1:{hung.getsockname()[1]}",
            "topology": {"server_selection_timeout_ms": "1s", "connect_timeout_ms": "1s"}}])
        began = time.monotonic()
        assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED
        assert time.monotonic() - began < 8
        wait_for(broker, STATUS, "disconnected")
        began = time.monotonic()
        broker.stop()
        assert time.monotonic() - began < 12
    finally:
        hung.close()


@pytest.mark.parametrize("fault", ["garbage", "closes", "credentials"])
def test_faults(start_broker, server, fault):
    """A stated result, an alarm, nobody waits for long, and the node goes on and stops."""
    settings = {"topology": {"server_selection_timeout_ms": "1s", "connect_timeout_ms": "1s", "socket_timeout_ms": "1s"}}
    with servers.Scripted(answer=b"\x20\x00\x00\x00 garbage" * 4) as rubbish:
        if fault == "garbage":
            settings["server"] = f"127.0.0.1:{rubbish.port}"
        elif fault == "closes":
            settings["server"] = f"127.0.0.1:{node.free_port()}"
        else:
            settings |= {"username": "broker", "password": "N0t-of-ferretdb"}
        broker = start_broker(authentication=[mongodb(server) | settings],
                              authorization=authorization(source(server) | settings, cache={"enable": False}))
        wait_for(broker, STATUS, "disconnected")
        began = time.monotonic()
        waiting = [raw.Client(broker.port) for _ in range(10)]
        for i, c in enumerate(waiting):
            c.send(raw.connect(f"c{i}", username="joe", password="right-pw"))
        for c in waiting:
            c.expect(raw.CONNACK, timeout=10, code=NOT_AUTHORIZED)
            c.close()
        assert time.monotonic() - began < 6
        wait_for(broker, SOURCE_STATUS, "disconnected")
        assert {f"authenticator:{ID}:mqtt:global", "authorization:mongodb"} <= set(alarms(broker))
        status = api.want(broker, 200, "GET", STATUS)
        assert status["metrics"]["nomatch"] == 10 and status["node_error"]
        began = time.monotonic()
        broker.stop()
        assert time.monotonic() - began < 12
