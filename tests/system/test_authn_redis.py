"""password_based:redis against real servers, sentinels and a cluster, and against what is not well (access-control 4.5)."""
import time

import pytest

from . import api, node, pki, servers, stored
from .test_authn_database import BAD, NOT_AUTHORIZED, OK, code_of

ID = "password_based:redis"
DEBUG = {"console": {"enable": True, "level": "debug"}}
SECRET = stored.SECRET
DIGEST = stored.digest("sha256", SECRET)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from .conftest import Skip
    folder = tmp_path_factory.mktemp("redis")
    authority = pki.Pki(folder)
    server = servers.Redis(folder / "server", Skip, "--requirepass", "default-pw", "--user", "broker", "on", ">db-secret-pw",
                           "~u:*", "+@all", "--appendonly", "yes", pki=authority)
    server.authority = authority
    server.login = ["-a", "default-pw", "--no-auth-warning"]
    server.start()
    for name, _, digest, salt in stored.hashes():
        server.call("HSET", f"u:{name}", "password_hash", digest, "salt", salt)
    server.call("HSET", "u:joe", "password_hash", DIGEST, "is_superuser", "0")
    server.call("HSET", "u:root", "password_hash", DIGEST, "is_superuser", "1")
    server.call("HSET", "u:old", "password", DIGEST)
    server.call("HSET", "u:void", "salt", "x")
    server.call("SET", "u:text", "x")
    server.call("-n", "3", "HSET", "u:third", "password_hash", DIGEST)
    yield server
    server.stop()


@pytest.fixture
def server(made):
    if made.process.poll() is not None:
        made.start()
    return made


def redis(at, **more):
    return {"mechanism": "password_based", "backend": "redis", "server": f"127.0.0.1:{at.port}", "username": "broker",
            "password": "db-secret-pw", "cmd": "HMGET u:${username} password_hash salt is_superuser"} | more


def started(start_broker, at, text="", **more):
    broker = start_broker(authentication=[redis(at, **more)], text=text, log=DEBUG)
    stored.want_status(broker, ID, "connected")
    return broker


def test_yes_no_and_nothing(start_broker, server):
    broker = started(start_broker, server, text="authorization { no_match = deny, sources = [] }")
    assert code_of(broker, "joe", SECRET) == OK
    assert code_of(broker, "joe", "guess") == BAD
    assert code_of(broker, "joe") == BAD, "no password: refused before any command"
    assert code_of(broker, "nobody", SECRET) == NOT_AUTHORIZED
    assert code_of(broker, "void", SECRET) == NOT_AUTHORIZED, "a record without a hash"
    assert code_of(broker, "text", SECRET) == NOT_AUTHORIZED, "WRONGTYPE: nothing is said"
    for name, right in (("root", 0x10), ("joe", 0x87)):
        with broker.client("c", username=name, password=SECRET) as c:
            c.publish("t", qos=1, code=right)
    status = stored.want_status(broker, ID, "connected")
    assert {k: status["metrics"][k] for k in ("total", "success", "failed", "nomatch")} == \
        {"total": 8, "success": 3, "failed": 3, "nomatch": 2}
    assert status["resource_metrics"]["success"] == 6 and status["resource_metrics"]["failed"] == 1
    stored.no_secrets(broker, SECRET, "db-secret-pw", DIGEST)
    assert api.want(broker, 200, "GET", f"/authentication/{ID}")["password"] == "******"


@pytest.mark.parametrize("name, algorithm", [(h[0], h[1]) for h in stored.hashes()], ids=[h[0] for h in stored.hashes()])
def test_every_hash(start_broker, server, name, algorithm):
    broker = started(start_broker, server, password_hash_algorithm=algorithm)
    assert code_of(broker, name, SECRET) == OK
    assert code_of(broker, name, SECRET + "x") == BAD


def test_commands(start_broker, server):
    for more, name in (({"cmd": "hget 'u:${username}' password_hash"}, "joe"), ({"cmd": "HMGET u:${username} password"}, "old"),
                       ({"database": 3}, "third"), ({"username": "", "password": "default-pw"}, "joe")):
        broker = started(start_broker, server, **more)
        assert code_of(broker, name, SECRET) == OK, more
        assert code_of(broker, name, "x") == BAD, more
        broker.stop()


def test_values_are_never_part_of_the_command(start_broker, server):
    broker = started(start_broker, server, cmd="HMGET u:${username}${clientid} password_hash salt")
    keys = server.call("DBSIZE")
    for evil in stored.INJECTIONS:
        assert code_of(broker, evil, SECRET, "") == NOT_AUTHORIZED, evil
        assert code_of(broker, "joe", SECRET, evil) == NOT_AUTHORIZED, evil
        assert code_of(broker, "nobody", evil, "x") == NOT_AUTHORIZED, evil
    assert code_of(broker, "jo", SECRET, "e") == OK
    assert server.call("DBSIZE") == keys
    stored.want_status(broker, ID, "connected")
    stored.no_secrets(broker, SECRET, "db-secret-pw")


@pytest.mark.parametrize("bad, word", [
    ({"cmd": "GET u:${username}"}, "HGET or HMGET"), ({"cmd": "FLUSHALL"}, "HGET or HMGET"),
    ({"cmd": "HGETALL u:${username}"}, "HGET or HMGET"), ({"cmd": "HMGET u:${user} password_hash"}, "${user}"),
    ({"cmd": "HMGET u:${username} secret"}, "unknown field secret"), ({"cmd": "HMGET u:${username} salt"}, "password_hash"),
    ({"cmd": "HMGET 'u:${username} salt"}, "with its end"), ({"server": "127.0.0.1:x"}, "port"), ({"server": ""}, "server"),
    ({"redis_type": "cluster", "servers": "a:1", "database": 1}, "database"), ({"redis_type": "sentinel", "servers": "a:1"}, "sentinel"),
    ({"redis_type": "cluster"}, "servers"), ({"password": ""}, "password")], ids=lambda b: str(b)[:40])
def test_settings_that_are_refused(start_broker, bad, word, server):
    broker = start_broker()
    assert word in api.want(broker, 400, "POST", "/authentication", redis(server, **bad))["message"]
    assert code_of(broker) == OK, "nothing changed"


def test_credentials(start_broker, server, tmp_path):
    broker = started(start_broker, server, cmd="HMGET forbidden:${username} password_hash")
    assert code_of(broker, "joe", SECRET) == NOT_AUTHORIZED, "NOPERM for the key"
    stored.want_status(broker, ID, "connected")
    broker.stop()
    secret = tmp_path / "secret"
    secret.write_text("db-secret-pw\n")
    broker = started(start_broker, server, password=f"file://{secret}")
    assert code_of(broker, "joe", SECRET) == OK


def test_an_answer_that_lies(start_broker):
    """Every command is answered with +OK: no hash, no entry."""
    with servers.Scripted(answer=b"+OK\r\n") as liar:
        broker = started(start_broker, liar)
        assert code_of(broker, "joe", SECRET) == NOT_AUTHORIZED
        assert liar.received[0].startswith(b"*3\r\n$4\r\nAUTH\r\n"), "never an inline command"


def test_sentinels_lead_to_the_master(start_broker, tmp_path, skip):
    master = servers.Redis(tmp_path / "master", skip, "--repl-diskless-sync-delay", "0").start()
    replica = servers.Redis(tmp_path / "replica", skip, "--replicaof", "127.0.0.1", str(master.port)).start()
    text = (f"sentinel monitor mymaster 127.0.0.1 {master.port} 1\nsentinel down-after-milliseconds mymaster 500\n"
            "sentinel failover-timeout mymaster 2000\n")
    sentinel = servers.Redis(tmp_path / "sentinel", skip, sentinel=text).start()
    try:
        master.call("HSET", "u:joe", "password_hash", DIGEST)
        deadline = time.monotonic() + 60
        while replica.call("EXISTS", "u:joe") != "1":
            assert time.monotonic() < deadline, replica.output.read_text()
            time.sleep(0.05)
        settings = {"mechanism": "password_based", "backend": "redis", "redis_type": "sentinel", "sentinel": "mymaster",
                    "servers": f"127.0.0.1:{node.free_port()},127.0.0.1:{sentinel.port}", "cmd": "HMGET u:${username} password_hash"}
        broker = start_broker(authentication=[settings])
        stored.want_status(broker, ID, "connected")
        assert code_of(broker, "joe", SECRET) == OK
        deadline = time.monotonic() + 20
        while f"port={replica.port}" not in sentinel.call("INFO", "sentinel") and "slaves=1" not in sentinel.call("INFO", "sentinel"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        master.kill()
        deadline = time.monotonic() + 40
        while code_of(broker, "joe", SECRET) != OK:
            assert time.monotonic() < deadline, sentinel.output.read_text()
            time.sleep(0.2)
        assert replica.call("ROLE").startswith("master")
        broker.stop()
        broker = start_broker(authentication=[settings | {"sentinel": "other"}])
        assert "other" in stored.want_status(broker, ID, "disconnected")["node_error"][0]["reason"]
    finally:
        for one in (master, replica, sentinel):
            one.stop()


def test_a_cluster(start_broker, tmp_path, skip):
    nodes = []
    try:
        for i in range(3):
            nodes.append(servers.Redis(tmp_path / f"n{i}", skip, "--cluster-enabled", "yes", "--cluster-port",
                                       str(node.free_port()), "--cluster-require-full-coverage", "no").start())
        addresses = [f"127.0.0.1:{one.port}" for one in nodes]
        nodes[0].run([nodes[0].client, "--cluster", "create", *addresses, "--cluster-yes"])
        deadline = time.monotonic() + 20
        while any("cluster_state:ok" not in one.call("CLUSTER", "INFO") for one in nodes):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for i in range(12):
            nodes[0].call("-c", "HSET", f"u:u{i}", "password_hash", DIGEST)
        settings = {"mechanism": "password_based", "backend": "redis", "redis_type": "cluster", "servers": ",".join(addresses[:2]),
                    "cmd": "HMGET u:${username} password_hash salt"}
        broker = start_broker(authentication=[settings])
        stored.want_status(broker, ID, "connected")
        assert [code_of(broker, f"u{i}", SECRET) for i in range(12)] == [OK] * 12, "keys on all nodes"
        assert code_of(broker, "u1", "x") == BAD and code_of(broker, "u99", SECRET) == NOT_AUTHORIZED
        # A slot moves: the old owner says MOVED.
        slot = int(nodes[0].call("CLUSTER", "KEYSLOT", "u:u0"))
        owner = next(one for one in nodes if "u:u0" in one.call("KEYS", "u:u0"))
        other = next(one for one in nodes if one is not owner)
        names = {one: one.call("CLUSTER", "MYID") for one in nodes}
        other.call("CLUSTER", "SETSLOT", str(slot), "IMPORTING", names[owner])
        owner.call("CLUSTER", "SETSLOT", str(slot), "MIGRATING", names[other])
        owner.call("MIGRATE", "127.0.0.1", str(other.port), "u:u0", "0", "5000")
        assert code_of(broker, "u0", SECRET) == OK, "ASK while it moves"
        for one in (other, owner, *nodes):
            one.call("CLUSTER", "SETSLOT", str(slot), "NODE", names[other])
        assert code_of(broker, "u0", SECRET) == OK, "MOVED when it has"
    finally:
        for one in nodes:
            one.stop()
