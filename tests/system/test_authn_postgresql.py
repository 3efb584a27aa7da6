"""password_based:postgresql against a real server, and against servers that are not well (access-control 4.3)."""
import time

import pytest

from . import api, pki, raw, servers, stored
from .test_authn_database import BAD, NOT_AUTHORIZED, OK, code_of

ID = "password_based:postgresql"
DEBUG = {"console": {"enable": True, "level": "debug"}}
SECRET = stored.SECRET


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres")
    from .conftest import Skip
    authority = pki.Pki(folder)
    server = servers.PostgreSQL(folder / "server", Skip, authority).start()
    server.authority = authority
    server.sql("""
        CREATE ROLE broker LOGIN PASSWORD 'db-secret-pw';
        CREATE TABLE users (id SERIAL, username TEXT UNIQUE, password_hash TEXT, salt TEXT, is_superuser BOOLEAN);
        CREATE TABLE bare (username TEXT, number INTEGER);
        GRANT SELECT ON users, bare TO broker;""")
    for name, _, digest, salt in stored.hashes():
        server.sql(f"INSERT INTO users (username, password_hash, salt, is_superuser) VALUES "
                   f"('{name}', $h${digest}$h$, '{salt}', false)")
    server.sql(f"INSERT INTO users (username, password_hash, salt) VALUES ('joe', '{stored.digest('sha256', SECRET)}', NULL), "
               f"('void', NULL, NULL), ('upper', upper('{stored.digest('sha256', SECRET)}'), '');"
               f"INSERT INTO users (username, password_hash, is_superuser) VALUES ('root', '{stored.digest('sha256', SECRET)}', true);"
               f"INSERT INTO bare VALUES ('joe', 5)")
    yield server
    server.stop()


@pytest.fixture
def server(made):
    if made.process.poll() is not None:
        made.start()
    return made


def postgresql(at, **more):
    return {"mechanism": "password_based", "backend": "postgresql", "server": f"127.0.0.1:{at.port}", "database": "postgres",
            "username": "broker", "password": "db-secret-pw",
            "query": "SELECT password_hash, salt, is_superuser FROM users WHERE username = ${username} LIMIT 1"} | more


def started(start_broker, server, text="", **more):
    broker = start_broker(authentication=[postgresql(server, **more)], text=text, log=DEBUG)
    stored.want_status(broker, ID, "connected")
    return broker


def test_yes_no_and_nothing(start_broker, server):
    broker = started(start_broker, server, text="authorization { no_match = deny, sources = [] }")
    assert code_of(broker, "joe", SECRET) == OK
    assert code_of(broker, "joe", SECRET, version=4) == 0
    assert code_of(broker, "joe", "guess") == BAD
    assert code_of(broker, "joe", "") == BAD
    assert code_of(broker, "joe") == BAD, "no password: refused before any query"
    assert code_of(broker, "nobody", SECRET) == NOT_AUTHORIZED, "nobody knows it: the end of the chain"
    assert code_of(broker, "void", SECRET) == NOT_AUTHORIZED, "a record without a hash"
    assert code_of(broker, "upper", SECRET) == BAD, "hashes are lower-case"
    for name, right in (("root", 0x10), ("joe", 0x87)):
        with broker.client("c", username=name, password=SECRET) as c:
            c.publish("t", qos=1, code=right)
    status = api.want(broker, 200, "GET", f"/authentication/{ID}/status")
    assert {k: status["metrics"][k] for k in ("total", "success", "failed", "nomatch")} == \
        {"total": 10, "success": 4, "failed": 5, "nomatch": 1}
    assert status["resource_metrics"]["success"] == 9 and status["resource_metrics"]["failed"] == 0
    assert status["node_resource_metrics"][0]["metrics"]["matched"] == 9
    stored.no_secrets(broker, SECRET, "db-secret-pw", stored.digest("sha256", SECRET))
    shown = api.want(broker, 200, "GET", f"/authentication/{ID}")
    assert shown["password"] == "******"


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
    assert code_of(broker, "nobody", "joe\0' OR 1=1") == NOT_AUTHORIZED, "a password that would end early is no other password"
    assert code_of(broker, "nobody", b"\xff\xfe") == NOT_AUTHORIZED, "no UTF-8"
    assert server.sql("SELECT count(*) FROM users") == "11"
    assert stored.want_status(broker, ID, "connected")
    stored.no_secrets(broker, SECRET, "db-secret-pw")


@pytest.mark.parametrize("bad, word", [
    ({"query": "DELETE FROM users"}, "not a SELECT"), ({"query": "SELECT 1; DROP TABLE users"}, "one statement"),
    ({"query": "SELECT * FROM users WHERE username = ${user}"}, "unknown placeholder ${user}"),
    ({"query": "SELECT * FROM users WHERE username = '%${username}%'"}, "stand alone"),
    ({"query": "SELECT * FROM users WHERE username = $1"}, "placeholder"), ({"server": "127.0.0.1:x"}, "port"),
    ({"server": ""}, "server"), ({"pool_size": 0}, "pool_size"), ({"database": ""}, "database"), ({"nothing": 1}, "nothing"),
    ({"password_hash_algorithm": {"name": "rot13"}}, "password_hash_algorithm")], ids=lambda b: str(b)[:40])
def test_settings_that_are_refused(start_broker, bad, word, server):
    broker = start_broker()
    assert word in api.want(broker, 400, "POST", "/authentication", postgresql(server, **bad))["message"]
    assert code_of(broker) == OK, "nothing changed"


@pytest.mark.parametrize("query", [
    "SELECT password_hash FROM users WHERE id = ${username}::int", "SELECT username AS password_hash FROM bare WHERE number = ${username}",
    "SELECT password_hash FROM users WHERE id = ${password}::int"])
def test_errors_that_speak_of_a_value(start_broker, server, query):
    """The server's words then hold what the client sent: they are not logged."""
    broker = started(start_broker, server, query=query)
    assert code_of(broker, "joe", SECRET) == NOT_AUTHORIZED
    assert stored.want_status(broker, ID, "connected")["resource_metrics"]["failed"] == 1
    broker.stop()
    assert "authn_query_failed" in broker.log()
    stored.no_secrets(broker, SECRET)


def test_the_management_interface(start_broker, server):
    broker = start_broker()
    made = api.want(broker, 200, "POST", "/authentication", postgresql(server))
    assert made["id"] == ID and made["pool_size"] == 8 and made["password"] == "******"
    stored.want_status(broker, ID, "connected")
    assert code_of(broker, "joe", SECRET) == OK
    api.want(broker, 204, "PUT", f"/authentication/{ID}",
             postgresql(server, password="******", query="SELECT password_hash FROM users WHERE username = ${clientid}"))
    stored.want_status(broker, ID, "connected")
    assert code_of(broker, "x", SECRET, "joe") == OK, "the masked password is the old one"
    api.want(broker, 400, "GET", f"/authentication/{ID}/users")
    api.want(broker, 204, "DELETE", f"/authentication/{ID}")
    assert code_of(broker) == OK
    assert server.sql("SELECT count(*) FROM users") == "11"


def test_a_secret_in_a_file(start_broker, server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("db-secret-pw\n")
    broker = started(start_broker, server, password=f"file://{secret}")
    assert code_of(broker, "joe", SECRET) == OK
    broker.stop()
    secret.unlink()
    broker.start()
    assert "secret" in stored.want_status(broker, ID, "disconnected")["node_error"][0]["reason"]
    secret.write_text("db-secret-pw")
    stored.want_status(broker, ID, "connected")


def test_a_slow_query(start_broker, server):
    slow = "SELECT password_hash, pg_sleep(${clientid}::float) FROM users WHERE username = ${username}"
    broker = started(start_broker, server, query=slow, pool_size=2)
    with raw.Client(broker.port) as quick, raw.Client(broker.port) as waits:
        began = time.monotonic()
        waits.send(raw.connect("7", username="joe", password=SECRET))
        quick.send(raw.connect("0.2", username="joe", password=SECRET))
        quick.expect(raw.CONNACK, code=OK)
        assert time.monotonic() - began < 3
        waits.expect(raw.CONNACK, timeout=10, code=NOT_AUTHORIZED)
        assert 4.5 < time.monotonic() - began < 7, "five seconds, and the end of the chain"
    assert stored.want_status(broker, ID, "connected")["resource_metrics"]["dropped.expired"] == 1
    assert code_of(broker, "joe", SECRET, "0") == OK
