"""password_based:mysql against a real MariaDB, and against servers that are not well (access-control 4.2)."""
import json
import time

import pytest

from . import api, pki, raw, servers, stored
from .node import wait_until
from .test_authn_database import BAD, NOT_AUTHORIZED, OK, code_of

ID = "password_based:mysql"
DEBUG = {"console": {"enable": True, "level": "debug"}}
SECRET = stored.SECRET


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from .conftest import Skip
    folder = tmp_path_factory.mktemp("mariadb")
    authority = pki.Pki(folder)
    server = servers.MariaDB(folder / "server", Skip, authority).start()
    server.authority = authority
    server.sql("""
        CREATE DATABASE mqtt CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
        CREATE USER broker@'%' IDENTIFIED BY 'db-secret-pw';
        CREATE USER empty@'%';
        CREATE TABLE mqtt.users (username VARCHAR(100) UNIQUE, password_hash TEXT, salt VARCHAR(100), is_superuser TINYINT(1));
        CREATE TABLE mqtt.numbers (number INT, password_hash TEXT);
        GRANT SELECT ON mqtt.* TO broker@'%', empty@'%';""")
    digest = stored.digest("sha256", SECRET)
    for name, _, text, salt in stored.hashes():
        server.sql(f"INSERT INTO mqtt.users VALUES ('{name}', {quoted(text)}, '{salt}', 0)")
    server.sql(f"INSERT INTO mqtt.users VALUES ('joe', '{digest}', NULL, 0), ('root', '{digest}', '', 1), ('void', NULL, NULL, NULL),"
               f"('long', '{'x' * 5000}', '', 0)")
    yield server
    server.stop()


@pytest.fixture
def server(made):
    if made.process.poll() is not None:
        made.start()
    return made


def mysql(at, **more):
    return {"mechanism": "password_based", "backend": "mysql", "server": f"127.0.0.1:{at.port}", "database": "mqtt",
            "username": "broker", "password": "db-secret-pw",
            "query": "SELECT password_hash, salt, is_superuser FROM users WHERE username = ${username} LIMIT 1"} | more


def started(start_broker, at, text="", **more):
    broker = start_broker(authentication=[mysql(at, **more)], text=text, log=DEBUG)
    stored.want_status(broker, ID, "connected")
    return broker


def test_yes_no_and_nothing(start_broker, server):
    broker = started(start_broker, server, text="authorization { no_match = deny, sources = [] }")
    assert code_of(broker, "joe", SECRET) == OK
    assert code_of(broker, "joe", "guess") == BAD
    assert code_of(broker, "joe") == BAD, "no password: refused before any query"
    assert code_of(broker, "long", SECRET) == BAD, "a value longer than a page of the reader"
    assert code_of(broker, "nobody", SECRET) == NOT_AUTHORIZED
    assert code_of(broker, "void", SECRET) == NOT_AUTHORIZED, "a record without a hash"
    for name, right in (("root", 0x10), ("joe", 0x87)):
        with broker.client("c", username=name, password=SECRET) as c:
            c.publish("t", qos=1, code=right)
    status = api.want(broker, 200, "GET", f"/authentication/{ID}/status")
    assert {k: status["metrics"][k] for k in ("total", "success", "failed", "nomatch")} == \
        {"total": 8, "success": 3, "failed": 4, "nomatch": 1}
    assert status["resource_metrics"]["success"] == 7
    stored.no_secrets(broker, SECRET, "db-secret-pw", stored.digest("sha256", SECRET))
    assert api.want(broker, 200, "GET", f"/authentication/{ID}")["password"] == "******"


@pytest.mark.parametrize("name, algorithm", [(h[0], h[1]) for h in stored.hashes()], ids=[h[0] for h in stored.hashes()])
def test_every_hash(start_broker, server, name, algorithm):
    broker = started(start_broker, server, password_hash_algorithm=algorithm)
    assert code_of(broker, name, SECRET) == OK
    assert code_of(broker, name, SECRET + "x") == BAD


def test_values_are_never_part_of_the_query(start_broker, server):
    query = "SELECT password_hash, salt FROM users WHERE username = ${username} OR username = \"${clientid}\" " \
            "OR username = ${password} OR username = '${peerhost}'"
    broker = started(start_broker, server, query=query)
    for evil in stored.INJECTIONS:
        assert code_of(broker, evil, SECRET) == NOT_AUTHORIZED, evil
        assert code_of(broker, "nobody", SECRET, evil) == NOT_AUTHORIZED, evil
        assert code_of(broker, "nobody", evil) == NOT_AUTHORIZED, evil
    assert code_of(broker, "joe", SECRET) == OK and code_of(broker, "x", SECRET, "joe") == OK
    assert code_of(broker, "nobody", "joe\0' OR 1=1") == NOT_AUTHORIZED
    assert code_of(broker, "nobody", b"\xbf\x27 OR 1=1 -- ") == NOT_AUTHORIZED, "the old trick with half a character"
    assert server.sql("SELECT count(*) FROM mqtt.users") == "11"
    stored.want_status(broker, ID, "connected")
    stored.no_secrets(broker, SECRET, "db-secret-pw")


@pytest.mark.parametrize("bad, word", [
    ({"query": "DELETE FROM users"}, "not a SELECT"), ({"query": "SELECT 1; DROP TABLE users"}, "one statement"),
    ({"query": "SELECT * FROM users WHERE username = ${user}"}, "unknown placeholder ${user}"),
    ({"query": "SELECT * FROM users WHERE username LIKE '%${username}%'"}, "stand alone"),
    ({"query": "SELECT * FROM users WHERE username = ?"}, "parameter"), ({"server": "127.0.0.1:x"}, "port"),
    ({"query_timeout": "never"}, "query_timeout"), ({"pool_size": 0}, "pool_size")], ids=lambda b: str(b)[:40])
def test_settings_that_are_refused(start_broker, bad, word, server):
    broker = start_broker()
    assert word in api.want(broker, 400, "POST", "/authentication", mysql(server, **bad))["message"]
    assert code_of(broker) == OK, "nothing changed"


def test_credentials(start_broker, server, tmp_path):
    settings = mysql(server, username="empty")
    del settings["password"]
    broker = start_broker(authentication=[settings])
    stored.want_status(broker, ID, "connected")
    assert code_of(broker, "joe", SECRET) == OK, "a user of the database without a password"
    broker.stop()
    secret = tmp_path / "secret"
    secret.write_text("db-secret-pw\n")
    broker = started(start_broker, server, password=f"file://{secret}")
    assert code_of(broker, "joe", SECRET) == OK


def test_a_query_that_fails(start_broker, server):
    broker = started(start_broker, server, query="SELECT nothing_like_it FROM users WHERE username = ${username}")
    alarm = f"authenticator:{ID}:mqtt:global:query"
    active = lambda: [a for a in api.want(broker, 200, "GET", "/alarms")["data"] if a["name"] == alarm]  # noqa: E731
    assert code_of(broker, "joe", SECRET) == NOT_AUTHORIZED
    assert "nothing_like_it" in active()[0]["message"]
    assert "nothing_like_it" in json.dumps(stored.want_status(broker, ID, "connected")["node_error"])
    api.want(broker, 204, "PUT", f"/authentication/{ID}", mysql(server))
    stored.want_status(broker, ID, "connected")
    assert code_of(broker, "joe", SECRET) == OK
    assert not active()


def test_a_slow_query(start_broker, server):
    slow = "SELECT password_hash, SLEEP(${clientid}) FROM users WHERE username = ${username}"
    broker = started(start_broker, server, query=slow, pool_size=2, query_timeout="2s")
    with raw.Client(broker.port) as quick, raw.Client(broker.port) as waits:
        began = time.monotonic()
        waits.send(raw.connect("9", username="joe", password=SECRET))
        quick.send(raw.connect("0.2", username="joe", password=SECRET))
        quick.expect(raw.CONNACK, code=OK)
        waits.expect(raw.CONNACK, timeout=10, code=NOT_AUTHORIZED)
        assert 1.5 < time.monotonic() - began < 4
    assert code_of(broker, "joe", SECRET, "0") == OK
    assert stored.want_status(broker, ID, "connected")["resource_metrics"]["dropped.expired"] == 1


def test_a_query_that_the_server_ends(start_broker, server):
    slow = "SELECT password_hash, SLEEP(${clientid}) FROM users WHERE username = ${username}"
    broker = started(start_broker, server, query=slow, query_timeout="20s")
    with raw.Client(broker.port) as client:
        client.send(raw.connect("9", username="joe", password=SECRET))
        running = "SELECT id FROM information_schema.processlist WHERE user = 'broker' AND info LIKE '%SLEEP%'"
        wait_until(lambda: server.sql(running))
        server.sql(f"KILL QUERY {server.sql(running)}")
        client.expect(raw.CONNACK, timeout=5, code=NOT_AUTHORIZED)
    metrics = stored.want_status(broker, ID, "connected")["resource_metrics"]
    assert (metrics["dropped.expired"], metrics["failed"]) == (1, 1)
    assert "resource_down" not in broker.log()
    assert code_of(broker, "joe", SECRET, "0") == OK
