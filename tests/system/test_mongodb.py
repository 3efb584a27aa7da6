"""password_based:mongodb and the authorization source mongodb against FerretDB (access-control 4.4, 7.6)."""
import hashlib

import pytest

from . import api, backends, dns, mongo, stored
from .conftest import Skip
from .test_authn_database import NOT_AUTHORIZED, OK, code_of
from .test_authz_sources import authorization, may_publish, may_subscribe
from .test_ldap import wait_for

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


def test_a_hash_that_is_no_text_matches_nothing(start_broker):
    document = {}
    plain = {"password_hash_algorithm": {"name": "plain"}}
    with mongo.Stub(lambda _: mongo.Stub.rows({"username": "u"} | document["now"])) as stub:
        broker = start_broker(authentication=[mongodb(stub, **plain)])
        wait_for(broker, STATUS, "connected")
        for fields in ({"password_hash": []}, {"password_hash": ["pw"]}, {"password_hash": 5}, {"password_hash": 5.5},
                       {"password_hash": True}, {"password_hash": {"a": "pw"}}, {"password_hash": "pw", "salt": 5},
                       {"password_hash": "pw", "salt": []}):
            document["now"] = fields
            for password in ("", "5", "5.5", "true", "pw", "5pw"):
                assert code_of(broker, "u", password) == BAD_PASSWORD, (fields, password)
        document["now"] = {"password_hash": "pw", "salt": None}
        assert code_of(broker, "u", "pw") == OK
        document["now"] = {"password_hash": None}
        assert code_of(broker, "u", "") == NOT_AUTHORIZED, "null is none"


def test_an_error_of_the_server_is_told_by_its_code(start_broker):
    """Its text cites what it was asked: a password must not go to the log, to an alarm or to the status that way."""
    password = "Hidden-Pin-77"
    said = {"ok": 0.0, "code": mongo.Int32(241), "codeName": "ConversionFailure", "errmsg": f"Failed to parse number '{password}' in $convert"}
    with mongo.Stub(lambda _: said) as stub:
        asked = {"$expr": {"$eq": ["$pin", {"$toInt": "${password}"}]}}
        broker = start_broker(authentication=[mongodb(stub, filter=asked)])
        wait_for(broker, STATUS, "connected")
        assert code_of(broker, "u", password) == NOT_AUTHORIZED
        error = api.want(broker, 200, "GET", STATUS)["node_error"]
        alarms = api.want(broker, 200, "GET", "/alarms?activated=true")["data"]
        assert "code 241 ConversionFailure" in str(error) and alarms
        assert password not in str(error) + str(alarms) + broker.log()


def test_a_value_is_no_field_of_an_expression(start_broker):
    asked = []

    def find(document):
        asked.append(document)
        return mongo.Stub.rows()

    with mongo.Stub(find) as stub:
        broker = start_broker(authentication=[mongodb(stub, filter={"$expr": {"$eq": ["$pin", "${username}"]}, "n": "${username}"})])
        wait_for(broker, STATUS, "connected")
        for name, sent in (("joe", "joe"), ("$pin", {"$literal": "$pin"})):
            assert code_of(broker, name, "p") == NOT_AUTHORIZED
            assert mongo.bson({"filter": {"$expr": {"$eq": ["$pin", sent]}, "n": name}})[4:-1] in asked[-1]


def test_settings_that_are_refused(start_broker, server):
    broker = start_broker()
    for bad in ({"server": ""}, {"server": "a,b"}, {"mongo_type": "rs"}, {"filter": "x"}, {"filter": {"a": "${b}"}},
                {"filter": {"$where": "this.u == '${username}'"}}, {"filter": {"u": {"$regex": "^${username}$"}}}, {"database": ""},
                {"mongo_type": "rs", "servers": "a,b"}):
        api.want(broker, 400, "POST", "/authentication", mongodb(server) | bad)


@pytest.fixture
def own(tmp_path, skip):
    """A server of the test's own with joe in it; `more` and start() make it another."""
    one = mongo.FerretDB(tmp_path / "own", skip)
    one.start().insert("mqtt", "users", {"username": "joe"} | hashed("right-pw"))
    one.stop()
    yield one
    one.stop()


def test_log_in(start_broker, own):
    """SCRAM, as a user that another database knows."""
    own.more = ["--test-enable-new-auth", "--setup-database=people", "--setup-username=broker", f"--setup-password={backends.PASSWORD}"]
    own.start()
    good = {"username": "broker", "password": backends.PASSWORD, "auth_source": "people"}
    broker = start_broker(authentication=[mongodb(own, **good)], authorization=authorization(source(own, **good)),
                          log={"console": {"enable": True, "level": "debug"}})
    wait_for(broker, STATUS, "connected")
    wait_for(broker, SOURCE_STATUS, "connected")
    assert code_of(broker, "joe", "right-pw") == OK and code_of(broker, "joe", "wrong") == BAD_PASSWORD
    for bad in ({"password": "wrong-pw"}, {"username": "nobody"}, {"auth_source": "mqtt"}):
        api.want(broker, 204, "PUT", f"/authentication/{ID}", mongodb(own, **good | bad))
        assert stored.want_status(broker, ID, "disconnected")["node_error"][0]["reason"], bad
        stored.want_alarm(broker, ID)
        assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED
    stored.no_secrets(broker, backends.PASSWORD, "wrong-pw", "right-pw")


def test_a_replica_set(start_broker, own):
    """The set of one member that the server can be: its name counts."""
    own.more = ["--repl-set-name=rs0"]
    own.start()
    rs = {"mongo_type": "rs", "servers": f"127.0.0.1:{own.port}", "replica_set_name": "rs0"}
    settings = mongodb(own) | rs
    del settings["server"]
    broker = start_broker(authentication=[settings])
    wait_for(broker, STATUS, "connected")
    for mode in ("master", "slave_ok"):
        api.want(broker, 204, "PUT", f"/authentication/{ID}", settings | {"r_mode": mode})
        wait_for(broker, STATUS, "connected")
        assert code_of(broker, "joe", "right-pw") == OK and code_of(broker, "joe", "wrong") == BAD_PASSWORD
    api.want(broker, 204, "PUT", f"/authentication/{ID}", settings | {"replica_set_name": "another"})
    assert stored.want_status(broker, ID, "disconnected", 30)["node_error"][0]["reason"]
    assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED


def test_servers_that_a_name_leads_to(start_broker, server, skip, tmp_path, monkeypatch):
    """srv_record: the port and the hosts come from the name service."""
    dns.want(skip)
    dns.node_with(tmp_path, monkeypatch)
    by_name = mongodb(server) | {"server": "db.example.test", "srv_record": True}
    with dns.Server({"_mongodb._tcp.db.example.test": [dns.srv(server.port, "node1.example.test")], "db.example.test": [],
                     "node1.example.test": [dns.a("127.0.0.1")],
                     "_mongodb._tcp.bad.example.test": [dns.srv(server.port, "node1.elsewhere.test")], "bad.example.test": [],
                     "node1.elsewhere.test": [dns.a("127.0.0.1")]}) as names:
        broker = start_broker(authentication=[by_name])
        wait_for(broker, STATUS, "connected")
        assert code_of(broker, "joe", "right-pw") == OK and code_of(broker, "joe", "wrong") == BAD_PASSWORD
        assert {"_mongodb._tcp.db.example.test", "node1.example.test"} <= names.asked
        for unknown in ("none.example.test", "bad.example.test"):  # no such name; hosts of another domain than the name's
            api.want(broker, 204, "PUT", f"/authentication/{ID}", by_name | {"server": unknown})
            assert stored.want_status(broker, ID, "disconnected", 30)["node_error"][0]["reason"], unknown
            assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED
        assert "node1.elsewhere.test" not in names.asked
        names.silent = True
        api.want(broker, 204, "PUT", f"/authentication/{ID}", by_name)
        assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED
        assert stored.want_status(broker, ID, "disconnected", 60)["node_error"][0]["reason"]
        names.silent = False
        stored.want_status(broker, ID, "connected", 60)
        assert code_of(broker, "joe", "right-pw") == OK
