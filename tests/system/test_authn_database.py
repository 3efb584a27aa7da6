"""password_based:built_in_database with real connections: users, hashes, files, restarts, chains (access-control 2 to 5)."""
import concurrent.futures
import hashlib
import json
import subprocess
import time

import pytest

from . import api, node, raw, servers, stored, tokens

ID = "password_based:built_in_database"
USERS = f"/authentication/{ID}/users"
BUILT_IN = {"mechanism": "password_based", "backend": "built_in_database"}
BAD, NOT_AUTHORIZED, SERVER_BUSY, OK = 0x86, 0x87, 0x89, 0


def code_of(broker, username=None, password=None, client_id="c", version=5, **more):
    """The code of the CONNACK."""
    with raw.Client(more.pop("port", broker.port), version=version) as c:
        c.send(raw.connect(client_id, version=version, username=username, password=password, **more))
        return c.expect(raw.CONNACK, timeout=15).code  # a back end may take its whole time


def test_a_listener_that_stops_keeps_its_users(start_broker):
    port = node.free_port()
    broker = start_broker(text=f"listeners.tcp.inner.bind = {port}")
    chain = "/listeners/tcp:inner/authentication"
    joe = lambda: code_of(broker, "joe", "secret-1", port=port)
    api.want(broker, 200, "POST", chain, BUILT_IN)
    api.want(broker, 201, "POST", f"{chain}/{ID}/users", {"user_id": "joe", "password": "secret-1"})
    assert joe() == OK
    for stop, start in ((("POST", "/listeners/tcp:inner/stop"), ("POST", "/listeners/tcp:inner/start")),
                        (("PUT", "/configs", b"listeners.tcp.inner.enable = false"),
                         ("PUT", "/configs", b"listeners.tcp.inner.enable = true"))):
        api.want(broker, 200, *stop, **({} if stop[0] == "POST" else {"content_type": "text/plain"}))
        assert [u["user_id"] for u in api.want(broker, 200, "GET", f"{chain}/{ID}/users")["data"]] == ["joe"]
        assert "bad" in str(api.want(broker, 400, "POST", chain, {"mechanism": "jwt", "use_jwks": "bad"})), "its chain is checked as well"
        api.want(broker, 200, *start, **({} if start[0] == "POST" else {"content_type": "text/plain"}))
        node.wait_until(lambda: joe() == OK)
    api.want(broker, 200, "POST", "/listeners/tcp:inner/stop")
    api.want(broker, 204, "DELETE", f"{chain}/{ID}")
    api.want(broker, 200, "POST", chain, BUILT_IN)
    api.want(broker, 200, "POST", "/listeners/tcp:inner/start")
    assert joe() == NOT_AUTHORIZED, "users go with their authenticator"


def test_a_change_that_cannot_be_written_down_is_refused(start_broker):
    broker = start_broker(authentication=[BUILT_IN])
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "secret-1"})
    folder = broker.data / "configs"
    folder.rename(broker.data / "elsewhere") if folder.exists() else None
    folder.write_text("in the way")
    for method, path, body in (("DELETE", f"/authentication/{ID}", None),
                               ("POST", "/authorization/sources", {"type": "built_in_database", "enable": True}),
                               ("PUT", "/mqtt/delayed", {"max_delayed_messages": 3})):
        status, answer = api.call(broker, method, path, body)
        assert status >= 400 and "nothing was changed" in answer["message"], answer
    assert code_of(broker, "joe", "secret-1") == OK
    folder.unlink()
    api.want(broker, 204, "DELETE", f"/authentication/{ID}")


def test_a_hash_that_takes_minutes_is_refused(start_broker):
    broker = start_broker(authentication=[BUILT_IN | {"password_hash_algorithm": {"name": "bcrypt"}}])
    hashed = "$2b$31$abcdefghijklmnopqrstuu5Pf0m8pm6cYzWhhGx5xJmzrqXw4c8qS"
    file = f"user_id,password_hash\njoe,{hashed}\n".encode()
    status, answer = api.send_file(broker, f"/authentication/{ID}/import_users", "u.csv", file)
    assert status == 400 and "cost" in answer["message"]


def test_users_come_and_go_and_survive(start_broker):
    broker = start_broker(authentication=[BUILT_IN])
    assert code_of(broker) == NOT_AUTHORIZED, "nobody knows an anonymous client: the end of the chain refuses"
    assert code_of(broker, "joe", "secret-1") == NOT_AUTHORIZED
    assert api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "secret-1"}) == \
        {"user_id": "joe", "is_superuser": False}
    api.want(broker, 409, "POST", USERS, {"user_id": "joe", "password": "other"})
    assert code_of(broker, "joe", "secret-1") == OK
    assert code_of(broker, "joe", "secret-2") == BAD
    assert code_of(broker, "joe", "") == BAD
    assert code_of(broker, "joe") == BAD, "a user without a password"
    assert code_of(broker, "joe", "secret-2", version=4) == 4
    assert code_of(broker, "nobody", "x", version=4) == 5

    assert api.want(broker, 200, "PUT", f"{USERS}/joe", {"password": "secret-3", "is_superuser": True}) == \
        {"user_id": "joe", "is_superuser": True}
    assert code_of(broker, "joe", "secret-1") == BAD
    api.want(broker, 400, "PUT", f"{USERS}/joe", {})
    api.want(broker, 404, "PUT", f"{USERS}/ann", {"password": "x"})
    for i in range(12):
        api.want(broker, 201, "POST", USERS, {"user_id": f"u{i:02}", "password": "p"})
    page = api.want(broker, 200, "GET", f"{USERS}?page=2&limit=10")
    assert [u["user_id"] for u in page["data"]] == ["u09", "u10", "u11"]
    assert page["meta"] == {"page": 2, "limit": 10, "count": 13, "hasnext": False}
    assert len(api.want(broker, 200, "GET", f"{USERS}?like_user_id=u1")["data"]) == 2
    assert [u["user_id"] for u in api.want(broker, 200, "GET", f"{USERS}?is_superuser=true")["data"]] == ["joe"]
    api.want(broker, 204, "DELETE", f"{USERS}/u00")
    api.want(broker, 404, "DELETE", f"{USERS}/u00")
    api.want(broker, 404, "GET", f"{USERS}/u00")

    broker.kill()
    broker.start()
    assert code_of(broker, "joe", "secret-3") == OK, "what was answered survives kill -9"
    assert code_of(broker, "u00", "p") == NOT_AUTHORIZED
    assert api.want(broker, 200, "GET", f"{USERS}/joe")["is_superuser"] is True


def test_a_superuser_may_do_everything(start_broker):
    broker = start_broker(authentication=[BUILT_IN], text='authorization { no_match = deny, sources = [] }')
    api.want(broker, 201, "POST", USERS, {"user_id": "root", "password": "p", "is_superuser": True})
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
    with broker.client("a", username="root", password="p") as root, broker.client("b", username="joe", password="p") as joe:
        joe.subscribe(("t", 1), codes=[0x87])
        joe.publish("t", qos=1, code=0x87)
        root.subscribe(("t", 1))
        root.publish("t", "hello", qos=0)
        root.expect(raw.PUBLISH, payload="hello")


@pytest.mark.parametrize("algorithm", [
    {"name": "plain"}, {"name": "md5", "salt_position": "suffix"}, {"name": "sha", "salt_position": "disable"},
    {"name": "sha256"}, {"name": "sha512", "salt_position": "prefix"}, {"name": "bcrypt", "salt_rounds": 5},
    {"name": "pbkdf2", "mac_fun": "sha256", "iterations": 1000}, {"name": "pbkdf2", "mac_fun": "md4", "iterations": 2}],
    ids=lambda a: "-".join(str(v) for v in a.values()))
def test_every_hash(start_broker, algorithm):
    broker = start_broker(authentication=[BUILT_IN | {"user_id_type": "clientid", "password_hash_algorithm": algorithm}])
    api.want(broker, 201, "POST", USERS, {"user_id": "dev", "password": "pass word"})
    assert code_of(broker, None, "pass word", "dev") == OK
    assert code_of(broker, "whoever", "pass wor", "dev") == BAD
    assert code_of(broker, None, "pass word", "other") == NOT_AUTHORIZED


def test_slow_hashes_wait_elsewhere(start_broker):
    """While workers compute bcrypt, the shard goes on, and packets behind CONNECT keep their order."""
    broker = start_broker(authentication=[BUILT_IN | {"password_hash_algorithm": {"name": "bcrypt", "salt_rounds": 10}}])
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
    with broker.client("quick", username="joe", password="p") as quick:
        crowd = [raw.Client(broker.port) for _ in range(12)]
        for i, c in enumerate(crowd):
            c.send(raw.connect(f"c{i}", username="joe", password="p" if i % 2 else "q"),
                   raw.subscribe(1, [f"t/{i}"]) if i % 2 else b"")
        began = time.monotonic()
        quick.ping()
        took = time.monotonic() - began
        for i, c in enumerate(crowd):
            c.expect(raw.CONNACK, timeout=20, code=OK if i % 2 else BAD)
            if i % 2:
                c.expect(raw.SUBACK)
            c.close()
        assert took < 1.0, f"a ping took {took} s behind 12 hashes"


def test_a_slow_hash_never_lets_in(start_broker):
    """Who is in the database is judged there, however long it takes: never by the next authenticator."""
    with tokens.Service(lambda _: (200, "application/json", '{"result":"allow"}')) as service:
        http = {"mechanism": "password_based", "backend": "http", "method": "post", "url": service.url + "/auth"}
        slow = BUILT_IN | {"password_hash_algorithm": {"name": "bcrypt", "salt_rounds": 10}}
        broker = start_broker(authentication=[slow, http])
        api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
        assert code_of(broker, "nobody", "wrong") == OK, "the service knows everybody"
        crowd = [raw.Client(broker.port) for _ in range(200)]
        for i, c in enumerate(crowd):
            c.send(raw.connect(f"c{i}", username="joe", password="wrong"))
        codes = [c.expect(raw.CONNACK, timeout=30).code for c in crowd]
        for c in crowd:
            c.close()
        assert set(codes) <= {BAD, SERVER_BUSY} and BAD in codes
        assert len(service.requests) == 1


def test_an_import_lets_clients_in(start_broker):
    """Users whose passwords must be hashed come one by one, behind the clients; and not once their owner is gone."""
    broker = start_broker(authentication=[BUILT_IN | {"password_hash_algorithm": {"name": "bcrypt", "salt_rounds": 10}}])
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
    path = f"/authentication/{ID}/import_users?type=plain"
    text = "user_id,password\n" + "".join(f"u{i},p\n" for i in range(60))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = pool.submit(api.upload, broker, 204, path, "u.csv", text)
        time.sleep(0.3)
        began = time.monotonic()
        assert code_of(broker, "joe", "p") == OK
        assert time.monotonic() - began < 2 and not done.done()
        done.result()
        assert code_of(broker, "u59", "p") == OK
        late = pool.submit(api.upload, broker, 404, path, "u.csv", text.replace("u", "v").replace("vser", "user"))
        time.sleep(0.3)
        api.want(broker, 204, "DELETE", f"/authentication/{ID}")
        late.result()
    api.want(broker, 200, "POST", "/authentication", BUILT_IN)
    assert api.want(broker, 200, "GET", USERS)["data"] == []


def test_users_and_rules_go_with_their_owner(start_broker):
    port = node.free_port()
    rules = "/authorization/sources/built_in_database/rules/users"
    broker = start_broker(authentication=[BUILT_IN], authorization={"sources": [{"type": "built_in_database"}]})
    listener = {"type": "tcp", "name": "inner", "bind": f"127.0.0.1:{port}"}
    for _ in range(2):
        api.want(broker, 200, "POST", "/listeners", listener)
        api.want(broker, 200, "POST", "/listeners/tcp:inner/authentication", BUILT_IN)
        users = f"/listeners/tcp:inner/authentication/{ID}/users"
        assert api.want(broker, 200, "GET", users)["data"] == []
        api.want(broker, 201, "POST", users, {"user_id": "joe", "password": "p"})
        api.want(broker, 204, "DELETE", "/listeners/tcp:inner")
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
    joe = {"username": "joe", "rules": []}
    assert "'joe' twice" in api.want(broker, 400, "POST", rules, [joe, {"username": "ann", "rules": []}, joe])["message"]
    api.want(broker, 204, "POST", rules, [{"username": "joe", "rules": [{"topic": "t", "permission": "allow",
                                                                        "action": "all"}]}])
    api.want(broker, 200, "PUT", "/configs?mode=replace", b"authentication = []\nauthorization.sources = []",
             content_type="text/plain")
    api.want(broker, 200, "POST", "/authentication", BUILT_IN)
    api.want(broker, 204, "POST", "/authorization/sources", {"type": "built_in_database"})
    assert api.want(broker, 200, "GET", USERS)["data"] == []
    assert api.want(broker, 200, "GET", rules)["data"] == []


@pytest.mark.parametrize("rounds", [4, 11, "x"])
def test_rounds_that_are_refused(start_broker, rounds):
    broker = start_broker()
    bad = BUILT_IN | {"password_hash_algorithm": {"name": "bcrypt", "salt_rounds": rounds}}
    assert "salt_rounds" in json.dumps(api.want(broker, 400, "POST", "/authentication", bad))


def test_files_of_users(start_broker):
    broker = start_broker(authentication=[BUILT_IN])
    digest = hashlib.sha256(b"saltpw").hexdigest()
    path = f"/authentication/{ID}/import_users"
    api.upload(broker, 204, path, "users.csv", f"user_id,password_hash,salt,is_superuser\nann,{digest},salt,true\n\n")
    assert code_of(broker, "ann", "pw") == OK
    assert api.want(broker, 200, "GET", f"{USERS}/ann")["is_superuser"] is True
    api.upload(broker, 204, path, "u.json", json.dumps([{"user_id": "bob", "password_hash": digest, "salt": "salt"}]))
    assert code_of(broker, "bob", "pw") == OK
    api.upload(broker, 204, path + "?type=plain", "u.csv", "user_id,password\ncid,open-sesame\n")
    assert code_of(broker, "cid", "open-sesame") == OK
    refused = api.upload(broker, 400, path, "u.csv", f"user_id,password_hash\neve,{digest}\nbad\n")
    assert "line 3" in refused["message"] and digest not in json.dumps(refused)
    assert code_of(broker, "eve", "pw") == NOT_AUTHORIZED, "all or nothing"
    refused = api.upload(broker, 400, path, "u.json", '[\n{"user_id": "eve",}]')
    assert "line 2, byte 21" in refused["message"]
    for name in ("../u.csv", "u.txt", ".csv"):
        api.upload(broker, 400, path, name, "user_id,password_hash\neve,x\n")
    api.want(broker, 400, "POST", path, b"user_id", content_type="text/plain")


def test_an_import_across_a_change_of_the_algorithm(start_broker):
    """It says that nobody was added, or it has added users who can log in."""
    broker = start_broker(authentication=[BUILT_IN | {"password_hash_algorithm": {"name": "bcrypt", "salt_rounds": 10}}])
    text = "user_id,password\n" + "".join(f"u{i},pw{i}\n" for i in range(400))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        imported = pool.submit(api.send_file, broker, f"/authentication/{ID}/import_users?type=plain", "u.csv", text)
        changes = 0
        while not imported.done():
            changes += 1
            api.want(broker, 204, "PUT", f"/authentication/{ID}", BUILT_IN | {"password_hash_algorithm": {"name": "sha256"},
                                                                             "enable": changes % 2 == 0})
        status, answer = imported.result()
    api.want(broker, 204, "PUT", f"/authentication/{ID}", BUILT_IN)
    if status == 204:
        assert code_of(broker, "u7", "pw7") == OK
    else:
        assert status == 409 and "import again" in answer["message"]
        assert api.want(broker, 200, "GET", USERS)["data"] == []


def test_bootstrap_file(start_broker, tmp_path):
    users = tmp_path / "users.csv"
    users.write_text("user_id,password,is_superuser\njoe,first,false\n")
    chain = [BUILT_IN | {"bootstrap_file": str(users)}]
    broker = start_broker(authentication=chain)
    assert code_of(broker, "joe", "first") == OK
    api.want(broker, 200, "PUT", f"{USERS}/joe", {"password": "changed"})
    users.write_text("user_id,password,is_superuser\njoe,first,false\nann,second,false\n")
    broker.restart()
    assert code_of(broker, "joe", "changed") == OK, "who is there stays as he is"
    assert code_of(broker, "ann", "second") == OK
    users.unlink()
    broker.stop()
    broker.start(wait=False)
    assert broker.process.wait(20) != 0
    broker.process = None
    assert "bootstrap_file" in broker.log()


def test_a_chain_is_changed_while_clients_come(start_broker):
    broker = start_broker()
    assert code_of(broker) == OK, "no chain: anonymous"
    made = api.want(broker, 200, "POST", "/authentication", BUILT_IN)
    assert made["id"] == ID and made["password_hash_algorithm"] == {"name": "sha256", "salt_position": "prefix"}
    assert code_of(broker) == NOT_AUTHORIZED
    api.want(broker, 409, "POST", "/authentication", BUILT_IN)
    api.want(broker, 400, "POST", "/authentication", {"mechanism": "jwt"})
    api.want(broker, 400, "POST", "/authentication", {"mechanism": "password_based", "backend": "oracle"})
    api.want(broker, 400, "PUT", f"/authentication/{ID}", BUILT_IN | {"no_such_key": 1})
    api.want(broker, 400, "PUT", f"/authentication/{ID}", {"mechanism": "jwt", "use_jwks": False})
    api.want(broker, 404, "PUT", "/authentication/jwt", {"mechanism": "jwt"})
    api.want(broker, 200, "POST", "/authentication",
             {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "shared-secret-1"})
    listed = api.want(broker, 200, "GET", "/authentication")
    assert [a["id"] for a in listed] == [ID, "jwt"]
    assert listed[1]["secret"] == "******"
    api.want(broker, 204, "PUT", "/authentication/jwt/position/front")
    assert [a["id"] for a in api.want(broker, 200, "GET", "/authentication")] == ["jwt", ID]
    api.want(broker, 204, "PUT", f"/authentication/jwt/position/after:{ID}")
    api.want(broker, 204, "PUT", f"/authentication/{ID}/position/rear")
    api.want(broker, 204, "PUT", f"/authentication/{ID}/position/before:jwt")
    assert [a["id"] for a in api.want(broker, 200, "GET", "/authentication")] == [ID, "jwt"]
    api.want(broker, 400, "PUT", "/authentication/jwt/position/middle")
    api.want(broker, 400, "PUT", "/authentication/jwt/position/before:none")
    order = lambda *ids: [{"id": id} for id in ids]
    api.want(broker, 204, "PUT", "/authentication/order", order("jwt", ID))
    assert [a["id"] for a in api.want(broker, 200, "GET", "/authentication")] == ["jwt", ID]
    for bad, why in ((order("jwt"), f"'{ID}' is missing"), (order("jwt", ID, "jwt"), "'jwt' is named twice"),
                     (order("jwt", ID, "none"), "'none' does not exist")):
        assert api.want(broker, 400, "PUT", "/authentication/order", bad)["message"] == why
    api.want(broker, 204, "PUT", "/authentication/order", order(ID, "jwt"))
    api.want(broker, 400, "GET", "/authentication/jwt/users")

    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
    with broker.client("stays", username="joe", password="p") as stays:
        assert code_of(broker, "joe", "q") == BAD
        status = api.want(broker, 200, "GET", f"/authentication/{ID}/status")
        assert status["status"] == "connected"
        assert {k: status["metrics"][k] for k in ("success", "failed")} == {"success": 1, "failed": 1}
        api.want(broker, 204, "PUT", f"/authentication/{ID}", BUILT_IN | {"enable": False})
        assert code_of(broker, "joe", "p") == NOT_AUTHORIZED, "disabled; jwt is asked and does not know"
        broker.restart()
        assert code_of(broker, "joe", "p") == NOT_AUTHORIZED, "the change was kept"
        stays.expect_disconnect(0x8B)
    api.want(broker, 204, "PUT", f"/authentication/{ID}", BUILT_IN)
    assert code_of(broker, "joe", "p") == OK, "users stay while their authenticator does"
    api.want(broker, 204, "DELETE", f"/authentication/{ID}")
    api.want(broker, 404, "GET", f"/authentication/{ID}")
    api.want(broker, 404, "GET", f"/authentication/{ID}/status")
    api.want(broker, 200, "POST", "/authentication", BUILT_IN)
    assert code_of(broker, "joe", "p") == NOT_AUTHORIZED, "and go with it"


def test_a_listener_with_a_chain_of_its_own(start_broker):
    port = node.free_port()
    broker = start_broker(authentication=[BUILT_IN],
                          text=f'listeners.tcp.inner {{ bind = "127.0.0.1:{port}" }}')
    inner = f"/listeners/tcp:inner/authentication/{ID}"
    assert code_of(broker, "joe", "p", port=port) == NOT_AUTHORIZED, "the global chain"
    api.want(broker, 200, "POST", "/listeners/tcp:inner/authentication", BUILT_IN | {"user_id_type": "clientid"})
    api.want(broker, 201, "POST", f"{inner}/users", {"user_id": "dev", "password": "p"})
    assert code_of(broker, None, "p", "dev", port=port) == OK
    assert code_of(broker, None, "p", "dev") == NOT_AUTHORIZED, "users belong to their chain"
    assert [a["id"] for a in api.want(broker, 200, "GET", "/listeners/tcp:inner/authentication")] == [ID]
    api.want(broker, 404, "GET", "/listeners/tcp:none/authentication")
    api.want(broker, 200, "PUT", "/listeners/tcp:inner", api.want(broker, 200, "GET", "/listeners/tcp:inner"))
    assert code_of(broker, None, "p", "dev", port=port) == OK, "what GET gave is taken, and changes nothing"
    api.want(broker, 204, "PUT", inner, BUILT_IN | {"enable": False})
    assert code_of(broker, port=port) == OK, "all members disabled: anonymous, not the global chain"
    api.want(broker, 204, "DELETE", inner)
    assert code_of(broker, port=port) == NOT_AUTHORIZED, "the global chain again"


def test_what_is_not_built_does_not_start(start_broker, tmp_path):
    authenticator = {"mechanism": "gcp_device"}
    broker = node.Node(tmp_path, authentication=[BUILT_IN, authenticator])
    broker.start(wait=False)
    assert broker.process.wait(20) == 1
    name = authenticator["mechanism"]
    assert "authentication.2" in broker.log() and name in broker.log() and "not_built" in broker.log()
    checked = subprocess.run([node.program(), "check_config", "--config", str(tmp_path / "signalbox.conf")],
                             capture_output=True, text=True, timeout=20)
    assert checked.returncode == 1 and name in checked.stderr
    good = tmp_path / "good"
    good.mkdir()
    other = node.Node(good, authentication=[BUILT_IN, authenticator | {"enable": False}]).start()
    try:
        assert code_of(other) == NOT_AUTHORIZED
        assert subprocess.run([node.program(), "check_config", "--config", str(good / "signalbox.conf")],
                              timeout=20).returncode == 0
    finally:
        other.stop()


def test_nothing_secret_is_logged(start_broker, tmp_path):
    users = tmp_path / "users.csv"
    users.write_text("user_id,password\nboot,pw-bootstrap\n")
    broker = start_broker(authentication=[BUILT_IN | {"bootstrap_file": str(users)}],
                          text='log { console { enable = true, level = debug }, file { level = debug } }')
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "pw-right"})
    api.want(broker, 200, "PUT", f"{USERS}/joe", {"password": "pw-newer"})
    api.upload(broker, 204, f"/authentication/{ID}/import_users?type=plain", "u.csv", "user_id,password\nann,pw-import\n")
    api.upload(broker, 400, f"/authentication/{ID}/import_users?type=plain", "u.csv", "user_id,password\nann,pw-import,\n")
    jwt = {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "pw-shared"}
    api.want(broker, 200, "POST", "/authentication", jwt)
    api.want(broker, 400, "PUT", "/authentication/jwt", jwt | {"from": "pw-nowhere", "secret": "pw-shared"})
    for password in ("pw-newer", "pw-wrong", "eyJhbGciOiJIUzI1NiJ9.eyJwdyI6InB3LXRva2VuIn0.pw-signature"):
        for version in (4, 5):
            code_of(broker, "joe", password, version=version)
            code_of(broker, "nobody", password, version=version)
    api.want(broker, 200, "GET", "/authentication")
    broker.stop()
    logs = broker.log() + "".join(p.read_text(errors="replace") for p in broker.data.glob("log/*") if p.is_file())
    for secret in ("pw-bootstrap", "pw-right", "pw-newer", "pw-import", "pw-shared", "pw-wrong", "pw-signature"):
        assert secret not in logs, secret
    assert "connect_refused" in logs


@pytest.mark.parametrize("version", [4, 5])
def test_guessing_is_slowed_down(start_broker, version):
    broker = start_broker(authentication=[BUILT_IN], authentication_failure_limit={
        "enable": True, "max_failures": 5, "window": "10s", "block_time": "2s"})
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
    with broker.client("inside", version=version, username="joe", password="p") as inside:
        for i in range(5):
            assert code_of(broker, "joe", f"guess{i}", version=version) == (BAD if version == 5 else 4)
        assert code_of(broker, "joe", "p", version=version) == (0x9F if version == 5 else 3), "the right one comes too late"
        inside.ping()
        assert api.want(broker, 200, "GET", "/metrics")[0]["authentication.failure.limited"] == 1
        time.sleep(2.1)
        assert code_of(broker, "joe", "p", version=version) == OK


def test_a_back_end_that_is_down_is_nobodys_guess(start_broker):
    """Nobody knows what a dead service would have said; when it is back, what it refuses counts."""
    http = {"mechanism": "password_based", "backend": "http", "method": "post", "body": {"username": "${username}"},
            "request_timeout": "1s"}
    said = {"result": "deny"}
    with tokens.Service(lambda _: (said.get("status", 200), "application/json", json.dumps({"result": said["result"]}))) as service, \
            servers.Proxy(service.port) as proxy:
        broker = start_broker(authentication=[http | {"url": f"http://127.0.0.1:{proxy.port}/"}, BUILT_IN],
                              authentication_failure_limit={"enable": True, "max_failures": 5, "window": "60s", "block_time": "60s"})
        api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
        stored.want_status(broker, "password_based:http", "connected")
        said["status"] = 500
        assert [code_of(broker, "nobody", "x") for _ in range(6)] == [NOT_AUTHORIZED] * 6
        proxy.be("hung")
        assert code_of(broker, "nobody", "x") == NOT_AUTHORIZED
        proxy.be("killed")
        stored.want_status(broker, "password_based:http", "disconnected")
        assert [code_of(broker, "nobody", "x") for _ in range(6)] == [NOT_AUTHORIZED] * 6
        metrics = api.want(broker, 200, "GET", "/metrics")[0]
        assert metrics["authentication.failure"] == 13 and metrics["authentication.failure.limited"] == 0
        assert code_of(broker, "joe", "wrong") == BAD, "a hash that differs is a guess, whoever else is down"
        proxy.be("well")
        stored.want_status(broker, "password_based:http", "connected", 60)
        said.update(status=200, result="ignore")
        assert [code_of(broker, "nobody", "x") for _ in range(2)] == [NOT_AUTHORIZED] * 2, "the chain was asked, and refuses"
        said["result"] = "deny"
        assert [code_of(broker, "nobody", "x") for _ in range(2)] == [NOT_AUTHORIZED] * 2
        assert code_of(broker, "joe", "p") == 0x9F


def test_failures_are_not_counted_by_default(start_broker):
    broker = start_broker(authentication=[BUILT_IN])
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "p"})
    for _ in range(150):
        assert code_of(broker, "joe", "guess") == BAD
    assert code_of(broker, "joe", "p") == OK
