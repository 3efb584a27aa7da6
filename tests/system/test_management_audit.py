"""The record of management calls, over the network (management)."""
import json
import time

import pytest

from . import rest


@pytest.fixture
def audited(start_broker, tmp_path):
    """(broker, administrator); the record goes to tmp_path/audit.log too."""
    broker = start_broker(text=f'log.audit {{ enable = true, path = "{tmp_path}/audit.log" }}')
    return broker, rest.Rest(broker).login()


def rows(client, query=""):
    return client.want(200, "GET", "/audit" + query)["data"]


def test_who_did_what(audited):
    broker, admin = audited
    admin.want(200, "POST", "/banned", {"as": "clientid", "who": "meter-07"})
    admin.refuses(404, "NOT_FOUND", "DELETE", "/banned/clientid/other")
    admin.want(200, "GET", "/banned")
    key = admin.new_key("ci", "viewer")
    key.refuses(403, "UNAUTHORIZED_ROLE", "DELETE", "/banned")
    admin.bare("Bearer forged").refuses(401, "BAD_TOKEN", "DELETE", "/banned")
    admin.want(405, "DELETE", "/nodes")
    admin.want(404, "POST", "/nothing")
    seen = rows(admin)
    assert [(r["from"], r["operation_id"], r["http_method"], r["http_status_code"]) for r in seen] == [
        ("dashboard", "/banned", "delete", 401),
        ("rest_api", "/banned", "delete", 403),
        ("dashboard", "/api_key", "post", 200),
        ("dashboard", "/banned/:as/:who", "delete", 404),
        ("dashboard", "/banned", "post", 200),
        ("dashboard", "/login", "post", 200),
        ("cli", "", "", ""),
    ]
    assert seen[4]["source"] == "admin" and seen[4]["source_ip"] == "127.0.0.1"
    assert seen[4]["operation_type"] == "banned" and seen[4]["operation_result"] == "success"
    assert seen[4]["http_request"]["body"] == {"as": "clientid", "who": "meter-07"}
    assert seen[4]["http_request"]["headers"]["authorization"] == "******"
    assert seen[3]["http_request"]["bindings"] == {"as": "clientid", "who": "other"}
    assert seen[3]["failure"]["code"] == "NOT_FOUND" and seen[3]["operation_result"] == "failure"
    assert seen[1]["source"] and seen[1]["source"] != "ci"  # the key, not its name
    assert seen[5]["source"] == "admin" and seen[5]["http_request"]["body"]["password"] == "******"
    assert seen[6]["operation_type"] == "signalbox" and seen[6]["args"] == ["start"]


def test_the_key_of_a_licence_is_no_ones_business(audited, tmp_path):
    """Whichever way it comes; and what stands where a secret belongs is not told, of whatever kind it is."""
    broker, admin = audited
    text = {"Content-Type": "text/plain"}
    keys = [f"LICENCE-{i:02d}" for i in range(4)]
    admin.call("PUT", "/configs", f'license.key = "{keys[0]}"'.encode(), text)
    admin.call("PUT", "/configs", f'license {{ key = "{keys[1]}" }}'.encode(), text)
    admin.call("PUT", "/configs", json.dumps({"license": {"key": keys[2]}}).encode(), text)
    (tmp_path / "x.conf").write_text(f'license.key = "{keys[3]}"')
    broker.ctl("conf", "load", "--merge", str(tmp_path / "x.conf"), check=False)
    for number, wrong in enumerate(("prometheus.push_gateway.headers.authorization = [%s]",
                                    "listeners.ssl.default.ssl_options.password = { a = %s }")):
        keys.append(f"SECRET-{number:02d}")
        status, answer = admin.call("PUT", "/configs", (wrong % keys[-1]).encode(), text)
        assert status == 400 and keys[-1] not in str(answer) and "******" in str(answer), answer
    shown = json.dumps(rows(admin, "?limit=1000")) + (tmp_path / "audit.log").read_text()
    assert "/configs" in shown and [key for key in keys if key in shown] == []


JSON = {"Content-Type": "application/json"}


def test_what_was_refused_can_be_shown_and_read_at_the_next_start(audited):
    broker, admin = audited
    nobody = admin.bare()
    nobody.want(401, "POST", "/banned", b'{"a": 1e999, "b": [-1e999, {"c": 1e400}]}', JSON)
    nobody.want(401, "POST", "/banned", {"as": "clientid", "who": "x"}, {"X-Name": "caf\u00e9"})  # Latin-1: no UTF-8
    assert "Invalid json" in admin.refuses(400, "BAD_REQUEST", "POST", "/banned", b'{"as": "clientid", "who": 1e999}', JSON)
    admin.want(200, "PUT", "/mqtt/delayed", {"max_delayed_messages": 5})
    for _ in range(2):
        seen = rows(admin, "?from=dashboard&limit=4")
        assert [r["http_status_code"] for r in seen] == [200, 400, 401, 401]
        assert seen[3]["http_request"]["body"] == {"a": None, "b": [None, {"c": None}]}
        assert seen[2]["http_request"]["headers"]["x-name"] == "caf\ufffd"
        broker.restart()


def test_an_import_is_on_record_with_what_it_changed(audited):
    _, admin = audited
    name = admin.want(200, "POST", "/data/export")["filename"]
    admin.want(204, "POST", "/data/import", {"filename": name})
    done = rows(admin, "?limit=1")[0]
    assert done["operation_id"] == "/data/import" and done["args"] == ""
    assert done["report"] == admin.want(200, "GET", "/data/imports/last")
    assert done["report"]["tables"]["emqx_admin"] == {"rows": 1, "written_over": 1}


def test_every_command_of_ctl_is_on_record(audited):
    broker, admin = audited
    broker.ctl("clients", "list")
    broker.ctl("banned", "add", "clientid", "x")
    broker.ctl("admins", "add", "joe", "S3cret-enough")
    broker.ctl("clients", "list", "--json")
    broker.ctl("help")  # asks no node
    seen = [(r["from"], r["operation_type"], r["args"]) for r in rows(admin, "?from=cli")]
    assert seen == [("cli", "clients", ["list"]), ("cli", "admins", ["add", "joe", "******"]),
                    ("cli", "banned", ["add", "clientid", "x"]), ("cli", "clients", ["list"]),
                    ("cli", "signalbox", ["start"])]
    broker.ctl("clients", "kick", "nobody", check=False)
    for row in rows(admin, "?from=cli"):
        assert (row["operation_result"], row["http_status_code"], row["source"], row["source_ip"]) == ("", "", "", "")
    assert rows(admin, "?from=cli")[0]["failure"]["code"] == "CLIENTID_NOT_FOUND"
    before = len(rows(admin))
    broker.ctl("no_such_command", check=False)  # asks no node
    assert len(rows(admin)) == before


def test_filters_and_pages(audited):
    broker, admin = audited
    for number in range(7):
        admin.want(200, "POST", "/banned", {"as": "clientid", "who": f"c{number}"})
    admin.want(400, "POST", "/banned", {"as": "clientid", "who": "c0"})
    page = admin.want(200, "GET", "/audit?operation_id=/banned&limit=3&page=2")
    assert page["meta"] == {"page": 2, "limit": 3, "count": 8, "hasnext": True}
    assert [r["http_request"]["body"]["who"] for r in page["data"]] == ["c4", "c3", "c2"]
    assert len(rows(admin, "?http_status_code=400")) == 1
    assert len(rows(admin, "?operation_result=failure&operation_type=banned")) == 1
    assert len(rows(admin, "?from=dashboard&source=admin&http_method=post&operation_type=banned")) == 8
    assert rows(admin, "?from=rest_api") == [] and rows(admin, "?node=other@127.0.0.1") == []
    later = int(time.time() * 1e6) + 10_000_000
    assert rows(admin, f"?gte_created_at={later}") == []
    assert len(rows(admin, f"?lte_created_at={later}&operation_id=/banned")) == 8
    assert len(rows(admin, "?lte_duration_ms=60000&gte_duration_ms=0&operation_id=/banned")) == 8
    for bad in ("?from=nobody", "?http_status_code=x", "?gte_created_at=yesterday", "?limit=0", "?limit=10001"):
        admin.refuses(400, "BAD_REQUEST", "GET", "/audit" + bad)


def test_secrets_are_nowhere(audited, tmp_path):
    broker, admin = audited
    admin.want(200, "POST", "/users", {"username": "joe", "password": rest.PASSWORD})
    admin.call("POST", "/users/joe/change_pwd", {"old_pwd": rest.PASSWORD, "new_pwd": "An0ther-one"})
    admin.call("PUT", "/configs", b'dashboard { default_password = "C0nfigured-1" }', {"Content-Type": "text/plain"})
    admin.call("PUT", "/configs", b'dashboard { default_password = "Br0ken-text', {"Content-Type": "text/plain"})
    broker.ctl("admins", "passwd", "joe", "Cl1-password")
    # Misspelt keys, refused as such, missed as what they stand for, or nested; queries of addresses.
    admin.call("POST", "/users", {"username": "joe", "passwrod": "Misspelt-1"})
    admin.call("PUT", "/configs/alarm", {"size_limit": 7, "passwrod": "Misspelt-2"})
    admin.call("POST", "/authentication", {"mechanism": "password_based", "backend": "redis", "server": "127.0.0.1:1",
                                           "cmd": "HMGET a:${username} b", "pasword": "Misspelt-3", "ssl": {"keey": "Misspelt-4"}})
    admin.configure('mqtt { pass_wrod = "Misspelt-5" }\nfoo.bar = "Misspelt-6"', 400)
    admin.want(200, "PUT", "/prometheus", {"push_gateway": {"url": "http://joe:Url-word@127.0.0.1:1/p?token=Url-token&x=Url-x"}})
    admin.call("PUT", "/prometheus", {"push_gateway": {"url": "ftp://joe:Url-word@127.0.0.1:1/p?token=Url-token&x=Url-x"}})
    text = json.dumps(rows(admin)) + (tmp_path / "audit.log").read_text()
    for secret in (*(f"Misspelt-{n}" for n in range(1, 7)), "Url-word", "Url-token", "Url-x"):
        assert secret not in text, secret
    for key in ("passwrod", "pasword", "keey", "pass_wrod"):
        assert key in text
    assert '"size_limit": 7' in text  # what is known is on record
    for secret in (rest.PASSWORD, "An0ther-one", "C0nfigured-1", "Br0ken-text", "Cl1-password",
                   admin.authorization.split()[1]):
        assert secret not in text
    assert any(r["args"] == ["passwd", "joe", "******"] for r in rows(admin, "?from=cli"))


def test_the_file_has_the_same(audited, tmp_path):
    broker, admin = audited
    admin.want(200, "POST", "/banned?x=1", {"as": "clientid", "who": "meter-07"})
    broker.stop()
    lines = [json.loads(line) for line in (tmp_path / "audit.log").read_text().splitlines()]
    line = next(one for one in lines if one.get("operation_id") == "/banned")
    assert line["level"] == "info" and line["auth_type"] == "jwt_token" and line["query_string"] == "x=1"
    assert line["source"] == "admin" and line["http_request"]["body"]["who"] == "meter-07"


def test_bounded_and_kept(start_broker, tmp_path):
    broker = start_broker(text=f'log.audit {{ enable = true, path = "{tmp_path}/a.log", max_filter_size = 10 }}')
    admin = rest.Rest(broker).login()
    for number in range(15):
        admin.want(200, "POST", "/banned", {"as": "clientid", "who": f"c{number}"})
    assert admin.want(200, "GET", "/audit")["meta"]["count"] == 10
    broker.restart()
    admin = rest.Rest(broker).login()
    kept = rows(admin)
    assert len(kept) == 10 and kept[0]["operation_id"] == "/login"
    assert kept[2]["http_request"]["body"]["who"] == "c14"


def test_frequent_calls_and_the_switch(audited):
    broker, admin = audited
    admin.call("POST", "/clients/nobody/subscribe", {"topic": "t"})
    admin.call("POST", "/clients/nobody/subscribe/bulk", [{"topic": "t"}])
    assert not rows(admin, "?operation_type=clients")
    admin.configure("log.audit.ignore_high_frequency_request = false")
    admin.call("POST", "/clients/nobody/subscribe", {"topic": "t"})
    assert rows(admin, "?operation_type=clients")
    admin.configure("log.audit.enable = false")
    assert admin.refuses(400, "BAD_REQUEST", "GET", "/audit") == "Audit is disabled"
    admin.want(200, "POST", "/banned", {"as": "clientid", "who": "unseen"})
    admin.configure("log.audit.enable = true")
    operations = [r["operation_id"] for r in rows(admin)]
    assert operations.count("/configs") == 3  # both switches are recorded too
    assert "/banned" not in operations
