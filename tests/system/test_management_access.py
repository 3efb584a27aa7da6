"""Who may use the management interface over the network: log-in, roles, API keys (management)."""
import concurrent.futures
import json
import re
import time

import pytest

from . import rest


@pytest.fixture
def admin(broker):
    return rest.Rest(broker).login()


def operations(client):
    """(method, path with made-up parameters, OpenAPI description) of the whole table."""
    document = client.want(200, "GET", "=/api-docs/swagger.json")
    for path, methods in document["paths"].items():
        for method, description in methods.items():
            yield method.upper(), re.sub(r"\{\w+\}", "x", path), description


def test_log_in_and_out(broker):
    nobody = rest.Rest(broker)
    answer = nobody.want(200, "POST", "/login", {"username": "admin", "password": "public"})
    assert answer["role"] == "administrator" and answer["version"] == "5.4.0" and answer["license"] == {"edition": "ee"}
    user = nobody.bare("Bearer " + answer["token"])
    user.want(200, "GET", "/nodes")
    user.bare("bearer " + answer["token"]).want(200, "GET", "/nodes")
    assert nobody.refuses(401, "BAD_USERNAME_OR_PWD", "POST", "/login",
                          {"username": "admin", "password": "wrong"}) == "Auth failed"
    assert nobody.refuses(401, "BAD_USERNAME_OR_PWD", "POST", "/login",
                          {"username": "nobody", "password": "public"}) == "Auth failed"
    nobody.refuses(400, "BAD_REQUEST", "POST", "/login", {"username": "admin"})
    user.refuses(401, "WRONG_TOKEN_OR_USERNAME", "POST", "/logout", {"username": "somebody"})
    user.want(204, "POST", "/logout", {"username": "admin"})
    user.refuses(401, "BAD_TOKEN", "GET", "/nodes")


def test_guesses_side_by_side_are_no_more_than_one_after_the_other(broker):
    nobody = rest.Rest(broker)

    def guess(n):
        return nobody.call("POST", "/login", {"username": "admin", "password": f"wrong-{n}"})[0]

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess, range(40)))
    assert answers.count(401) <= 10 and set(answers) <= {401, 429, 503}, answers
    assert nobody.call("POST", "/login", {"username": "admin", "password": "public"})[0] == 429


def test_a_change_made_from_what_is_no_longer_there_is_refused(admin):
    def read():
        answer, body = admin.raw("GET", "/configs/alarm")
        return answer.getheader("etag"), json.loads(body)

    etag, alarm = read()
    assert etag == read()[0]
    admin.want(200, "PUT", "/configs/alarm", {"size_limit": 77})
    stale = {"If-Match": etag}
    assert "meanwhile" in admin.refuses(412, "PRECONDITION_FAILED", "PUT", "/configs/alarm", {"validity_period": "36h"}, stale)
    etag, alarm = read()
    assert alarm["size_limit"] == 77 and alarm["validity_period"] == "24h"
    admin.want(200, "PUT", "/configs/alarm", {"validity_period": "36h"}, {"If-Match": f'"other", {etag}'})
    admin.want(200, "PUT", "/configs/alarm", {"validity_period": "35h"}, {"If-Match": "*"})
    admin.want(200, "PUT", "/configs/alarm", {"size_limit": 78})  # who does not ask is not asked
    assert read()[1]["validity_period"] == "35h"
    admin.want(404, "PUT", "/configs/nothing", {}, {"If-Match": etag})


def test_live_figures_are_no_change_of_a_listener(broker, admin):
    def read():
        answer, body = admin.raw("GET", "/listeners/tcp:default")
        return answer.getheader("etag"), json.loads(body)

    etag, before = read()
    with broker.client("one"):
        same, live = read()
        assert live["current_connections"] == before["current_connections"] + 1 and same == etag
        admin.want(200, "PUT", "/listeners/tcp:default", live | {"max_connections": 777}, {"If-Match": etag})
        admin.refuses(412, "PRECONDITION_FAILED", "PUT", "/listeners/tcp:default", live, {"If-Match": etag})
        assert read()[1]["max_connections"] == 777


def test_a_log_in_slides_and_ends(start_broker):
    broker = start_broker(text='dashboard.token_expired_time = "2s"')
    user = rest.Rest(broker).login()
    for _ in range(4):  # longer than it lives without use
        time.sleep(0.8)
        user.want(200, "GET", "/nodes")
    time.sleep(2.2)
    assert user.refuses(401, "TOKEN_TIME_OUT", "GET", "/nodes").startswith("Token expired")


def test_log_ins_outlive_a_restart(broker):
    admin = rest.Rest(broker).login()
    key = admin.new_key("ci", "viewer")
    viewer = admin.new_user("eve", "viewer")
    broker.restart()
    admin.want(200, "GET", "/nodes")
    key.want(200, "GET", "/nodes")
    viewer.want(200, "GET", "/nodes")
    rest.Rest(broker).login("eve", rest.PASSWORD)


def test_missing_and_forged_credentials(broker, admin):
    nobody = rest.Rest(broker)
    answer, _ = nobody.raw("GET", "/nodes")
    assert answer.status == 401 and answer.getheader("WWW-Authenticate") == 'Basic Realm="emqx-dashboard"'
    token = admin.authorization.split()[1]
    for header, code in [(None, "AUTHORIZATION_HEADER_ERROR"), ("Digest x", "AUTHORIZATION_HEADER_ERROR"),
                         ("Bearer", "AUTHORIZATION_HEADER_ERROR"), ("Bearer x", "BAD_TOKEN"),
                         ("Bearer " + token[:-1], "BAD_TOKEN"), ("Bearer " + token + "A", "BAD_TOKEN"),
                         ("Basic !", "BAD_API_KEY_OR_SECRET"), ("Basic YWRtaW46cHVibGlj", "BAD_API_KEY_OR_SECRET")]:
        nobody.bare(header).refuses(401, code, "GET", "/nodes")
    # A token is taken from the header alone: another page cannot make a browser send it.
    answer, _ = nobody.raw("GET", f"/nodes?token={token}", headers={"Cookie": f"token={token}"})
    assert answer.status == 401


def test_every_operation_with_every_role(broker, admin):
    clients = {
        "nobody": rest.Rest(broker),
        "viewer": admin.new_user("viewer", "viewer"),
        "viewer key": admin.new_key("viewer", "viewer"),
        "publisher key": admin.new_key("publisher", "publisher"),
        "administrator key": admin.new_key("administrator", "administrator"),
    }
    tried = 0
    for method, path, description in operations(admin):
        if not path.startswith("/api/v5/"):
            continue
        open_to_all = description["security"] == []
        login_only = path.startswith(("/api/v5/users", "/api/v5/api_key", "/api/v5/logout"))
        publish = method == "POST" and path in ("/api/v5/publish", "/api/v5/publish/bulk")
        metrics = path.startswith(("/api/v5/prometheus/stats", "/api/v5/prometheus/auth"))
        for name, client in clients.items():
            if open_to_all or metrics:
                continue
            if name == "nobody":
                expected = 401
            elif name.endswith("key") and login_only:
                expected = 401
            elif name == "administrator key":
                continue  # everything else is allowed, and would be done
            elif name == "publisher key":
                expected = None if publish else 403
            else:
                reads = method == "GET" or path == "/api/v5/logout"
                expected = None if reads else 403
            if expected is None and method != "GET":
                continue
            status, answer = client.call(method, "=" + path, None if method == "GET" else {})
            tried += 1
            if expected is None:
                assert status not in (401, 403), f"{name}: {method} {path}: {status} {answer}"
            else:
                assert status == expected, f"{name}: {method} {path}: {status} {answer}"
    assert tried > 200


def test_users(broker, admin):
    assert admin.want(200, "GET", "/users") == [
        {"username": "admin", "role": "administrator", "description": "administrator", "backend": "local"}]
    made = admin.want(200, "POST", "/users", {"username": "joe", "password": rest.PASSWORD, "description": "d"})
    assert made == {"username": "joe", "role": "administrator", "description": "d", "backend": "local"}
    for body in [{"username": "joe", "password": rest.PASSWORD}, {"username": "a b", "password": rest.PASSWORD},
                 {"username": "ann", "password": "short1"}, {"username": "ann", "password": "onlyletters"},
                 {"username": "ann", "password": "pässword12"}, {"username": "ann", "password": "x1" * 40},
                 {"username": "ann", "password": rest.PASSWORD, "role": "publisher"}, {"username": "ann"}, {}]:
        admin.refuses(400, "BAD_REQUEST", "POST", "/users", body)
    joe = admin.login("joe", rest.PASSWORD)
    assert admin.want(200, "PUT", "/users/joe", {"role": "viewer", "description": ""})["role"] == "viewer"
    joe.refuses(401, "BAD_TOKEN", "GET", "/nodes")  # a new role ends the log-ins
    joe = admin.login("joe", rest.PASSWORD)
    admin.refuses(404, "USER_NOT_FOUND", "PUT", "/users/ann", {"description": ""})
    admin.refuses(404, "USER_NOT_FOUND", "DELETE", "/users/ann")
    admin.refuses(400, "NOT_ALLOWED", "DELETE", "/users/admin")
    admin.want(204, "DELETE", "/users/joe")
    joe.refuses(401, "BAD_TOKEN", "GET", "/nodes")


def test_passwords(broker, admin):
    viewer = admin.new_user("joe", "viewer")
    other = {"old_pwd": rest.PASSWORD, "new_pwd": "An0ther-one"}
    viewer.refuses(403, "UNAUTHORIZED_ROLE", "POST", "/users/admin/change_pwd", other)
    viewer.refuses(400, "ERROR_PWD_NOT_MATCH", "POST", "/users/joe/change_pwd", {**other, "old_pwd": "wrong1234"})
    viewer.refuses(400, "BAD_REQUEST", "POST", "/users/joe/change_pwd", {**other, "new_pwd": "weak"})
    viewer.want(204, "POST", "/users/joe/change_pwd", other)
    viewer.refuses(401, "BAD_TOKEN", "GET", "/nodes")
    admin.login("joe", "An0ther-one")
    admin.refuses(404, "USER_NOT_FOUND", "POST", "/users/nobody/change_pwd", other)
    # Nothing that was said stays in the store or the log in clear.
    stored = b"".join(f.read_bytes() for f in broker.data.rglob("*") if f.is_file())
    for word in (b"An0ther-one", rest.PASSWORD.encode(), admin.authorization.split()[1].encode()):
        assert word not in stored
        assert word not in broker.log().encode()


def test_the_default_password_counts_on_this_machine_alone(start_broker):
    broker = start_broker()
    local = rest.Rest(broker)
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    login = {"username": "admin", "password": "public"}
    message = local.refuses(403, "NOT_ALLOWED", "POST", "/login", login, elsewhere)
    assert "default password" in message and "ctl admins passwd" in message
    admin = local.login()
    admin.refuses(403, "NOT_ALLOWED", "GET", "/nodes", None, elsewhere)
    for headers in ({"X-Real-IP": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}, {"Host": "rebound.example:18083"}):
        local.refuses(403, "NOT_ALLOWED", "POST", "/login", login, headers)
        admin.refuses(403, "NOT_ALLOWED", "GET", "/nodes", None, headers)
    for host in ("localhost", "127.0.0.1:18083", "[::1]:18083"):
        admin.want(200, "GET", "/nodes", None, {"Host": host})
    admin.want(204, "POST", "/users/admin/change_pwd", {"old_pwd": "public", "new_pwd": rest.PASSWORD})
    local.want(200, "POST", "/login", {"username": "admin", "password": rest.PASSWORD}, elsewhere)


def test_a_balancer_that_names_nobody_is_not_this_machine(start_broker):
    broker = start_broker(text="dashboard.listeners.http.proxy_header = true")
    body = b'{"username":"admin","password":"public"}'
    request = b"POST /api/v5/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n" \
              b"content-length: %d\r\n\r\n%s" % (len(body), body)
    for header, status in ((b"PROXY UNKNOWN\r\n", b"403"), (b"PROXY TCP4 203.0.113.9 127.0.0.1 5 6\r\n", b"403"),
                           (b"PROXY TCP4 127.0.0.1 127.0.0.1 5 6\r\n", b"200")):
        assert rest.talk(broker.api_port, header + request).startswith(b"HTTP/1.1 " + status), header


def test_users_of_other_backends_and_the_last_administrator(broker, admin):
    admin.new_user("joe", "viewer")
    change = {"role": "viewer", "description": ""}
    for query in ("?backend=ldap", "?backend=saml"):
        admin.refuses(404, "USER_NOT_FOUND", "PUT", "/users/joe" + query, {**change, "role": "administrator"})
        admin.refuses(404, "USER_NOT_FOUND", "DELETE", "/users/joe" + query)
        admin.refuses(404, "USER_NOT_FOUND", "POST", "/users/joe/change_pwd" + query,
                      {"old_pwd": rest.PASSWORD, "new_pwd": "An0ther-one"})
    assert "username_not_found" in broker.ctl("admins", "del", "joe", "ldap", check=False)
    assert {u["username"]: u["role"] for u in admin.want(200, "GET", "/users")} == {"admin": "administrator", "joe": "viewer"}
    assert "last administrator" in admin.refuses(400, "BAD_REQUEST", "PUT", "/users/admin", change)
    admin.want(200, "PUT", "/users/joe?backend=local", {"role": "administrator", "description": ""})
    other = admin.login("joe", rest.PASSWORD)
    other.want(200, "PUT", "/users/admin", change)
    assert "last administrator" in other.refuses(400, "BAD_REQUEST", "PUT", "/users/joe", change)
    assert "last administrator" in broker.ctl("admins", "del", "joe", check=False)
    other.want(200, "PUT", "/users/admin", {"role": "administrator", "description": ""})


def test_a_configured_default_user(start_broker, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("Fr0m-a-file\n")
    broker = start_broker(text=f'dashboard {{ default_username = root, default_password = "file://{secret}" }}')
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    rest.Rest(broker).want(200, "POST", "/login", {"username": "root", "password": "Fr0m-a-file"}, elsewhere)
    rest.Rest(broker).refuses(401, "BAD_USERNAME_OR_PWD", "POST", "/login", {"username": "admin", "password": "public"})


def test_guessing_is_locked_out(start_broker):
    broker = start_broker(text='dashboard.login_lockout { user_failures = 3, window = 5s, duration = 2s }')
    nobody = rest.Rest(broker)
    wrong = {"username": "admin", "password": "wrong"}
    for _ in range(3):
        nobody.refuses(401, "BAD_USERNAME_OR_PWD", "POST", "/login", wrong)
    answer, _ = nobody.raw("POST", "/login", json.dumps(wrong), {"Content-Type": "application/json"})
    assert answer.status == 429 and int(answer.getheader("retry-after")) > 0
    # The right password is not tried either, and a name that does not exist is treated the same.
    nobody.want(429, "POST", "/login", {"username": "admin", "password": "public"})
    for expected in (401, 401, 401, 429):
        nobody.want(expected, "POST", "/login", {"username": "ghost", "password": "wrong"})
    time.sleep(2.2)
    admin = nobody.login()
    change = {"old_pwd": "wrong", "new_pwd": "An0ther-one"}
    for _ in range(3):
        admin.refuses(400, "ERROR_PWD_NOT_MATCH", "POST", "/users/admin/change_pwd", change)
    answer, _ = admin.raw("POST", "/users/admin/change_pwd", json.dumps(change), {"Content-Type": "application/json"})
    assert answer.status == 429 and int(answer.getheader("retry-after")) > 0
    admin.refuses(429, "BAD_USERNAME_OR_PWD", "POST", "/users/admin/change_pwd", change)


def test_api_keys(broker, admin):
    made = admin.want(200, "POST", "/api_key", {"name": "ci", "desc": "pipeline", "role": "publisher"})
    assert re.fullmatch("[0-9a-f]{16}", made["api_key"]) and len(made["api_secret"]) > 40
    assert made["enable"] is True and made["expired_at"] == "infinity" and made["expired"] is False
    seen = admin.want(200, "GET", "/api_key/ci")
    assert "api_secret" not in seen and seen == {k: v for k, v in made.items() if k != "api_secret"}
    assert admin.want(200, "GET", "/api_key") == [seen]
    for body in [{"name": "ci"}, {"name": "1x"}, {"name": "a b"}, {"name": "x" * 257}, {}, {"name": "y", "role": "root"},
                 {"name": "y", "expired_at": "tomorrow"}]:
        admin.refuses(400, "BAD_REQUEST", "POST", "/api_key", body)
    admin.refuses(404, "NOT_FOUND", "GET", "/api_key/none")
    admin.refuses(404, "NOT_FOUND", "PUT", "/api_key/none", {})
    admin.refuses(404, "NOT_FOUND", "DELETE", "/api_key/none")

    key = admin.key(made["api_key"], made["api_secret"])
    key.refuses(403, "UNAUTHORIZED_ROLE", "GET", "/nodes")
    assert admin.want(200, "PUT", "/api_key/ci", {"role": "viewer"})["desc"] == "pipeline"
    key.want(200, "GET", "/nodes")
    admin.key(made["api_key"], "wrong").refuses(401, "BAD_API_KEY_OR_SECRET", "GET", "/nodes")
    admin.want(200, "PUT", "/api_key/ci", {"enable": False})
    key.refuses(401, "BAD_API_KEY_OR_SECRET", "GET", "/nodes")
    admin.want(200, "PUT", "/api_key/ci", {"enable": True, "expired_at": int(time.time()) - 10})
    key.refuses(401, "BAD_API_KEY_OR_SECRET", "GET", "/nodes")
    changed = admin.want(200, "PUT", "/api_key/ci", {})
    assert changed["role"] == "administrator" and changed["expired_at"] == "infinity"
    key.want(200, "GET", "/nodes")
    key.refuses(401, "BAD_API_KEY_OR_SECRET", "GET", "/users")
    admin.want(204, "DELETE", "/api_key/ci")
    key.refuses(401, "BAD_API_KEY_OR_SECRET", "GET", "/nodes")


def test_api_keys_are_bounded(broker, admin):
    for number in range(100):
        admin.want(200, "POST", "/api_key", {"name": f"k{number}"})
    assert "Maximum" in admin.refuses(400, "BAD_REQUEST", "POST", "/api_key", {"name": "more"})


def test_bootstrap_file(start_broker, tmp_path):
    file = tmp_path / "keys"
    file.write_text("one:s1\n\ntwo:s2:viewer\ntwo:s3:publisher\n")
    broker = start_broker(text=f'api_key.bootstrap_file = "{file}"')
    nobody = rest.Rest(broker)
    nobody.key("one", "s1").want(200, "GET", "/nodes")
    nobody.key("two", "s2").refuses(401, "BAD_API_KEY_OR_SECRET", "GET", "/nodes")
    nobody.key("two", "s3").refuses(403, "UNAUTHORIZED_ROLE", "GET", "/nodes")
    rows = nobody.login().want(200, "GET", "/api_key")
    assert all(row["name"].startswith("from_bootstrap_file_") and row["desc"] == "Bootstrapped From File" for row in rows)
    assert sorted(row["api_key"] for row in rows) == ["one", "two"]


def test_many_at_once(broker, admin):
    """Concurrent edits: each of them holds as a whole, the last one wins."""
    admin.want(200, "POST", "/api_key", {"name": "shared"})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: admin.call("PUT", "/api_key/shared", {"desc": f"d{n}"}), range(40)))
        assert {status for status, _ in done} == {200}
        made = list(pool.map(lambda n: admin.call("POST", "/api_key", {"name": "once"})[0], range(8)))
    assert sorted(made) == [200] + [400] * 7
    assert re.fullmatch(r"d\d+", admin.want(200, "GET", "/api_key/shared")["desc"])
