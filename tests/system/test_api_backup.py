"""Backup and restore: round trip, all or nothing, refusals, archives of EMQX."""
import base64
import concurrent.futures
import gzip
import hashlib
import hmac
import io
import json
import random
import tarfile
import time

import pytest

from . import api, erlang, node as nodes, raw, rest
from .erlang import Atom
from .test_api_coverage import coverage, document

META = b'version = "5.4.0"\nedition = ee\n'


def archive(base, files, raw=(), level=9):
    """A .tar.gz of {name: bytes} below `base`; `raw` are further TarInfo as they are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=level) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{base}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info, content in raw:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def download(broker, name):
    connection = api._Unix(str(broker.data / "ctl.sock"))
    try:
        connection.request("GET", "/api/v5/data/files/" + name)
        answer = connection.getresponse()
        assert answer.status == 200 and answer.getheader("Content-Type") == "application/octet-stream"
        assert name in answer.getheader("Content-Disposition")
        return answer.read()
    finally:
        connection.close()


def imported(broker, name, content, status=204):
    api.upload(broker, 204, "/data/files", name, content)
    # Over the local socket the report comes with the answer.
    return api.want(broker, 200 if status == 204 else status, "POST", "/data/import", {"filename": name})


AUTHN = '{mechanism = password_based, backend = built_in_database, password_hash_algorithm = {name = sha256}}'
USERS = "/authentication/password_based%3Abuilt_in_database/users"
# Not what a backup carries: who the node is and what goes on there, the roots that an import leaves alone, the archives
# themselves, listeners (each node of these tests has ports of its own), what is retained only if asked for.
LIVE = {"/alarms", "/audit", "/clients", "/cluster", "/cluster/topology", "/cluster/invitation", "/configs", "/configs/dashboard",
        "/configs/log", "/data/files", "/data/imports/last", "/license", "/license/setting", "/listeners", "/listeners_status",
        "/load_rebalance/status", "/load_rebalance/global_status", "/load_rebalance/availability_check", "/metrics", "/monitor",
        "/monitor_current", "/mqtt/delayed/messages", "/mqtt/retainer/messages", "/node_eviction/status", "/nodes",
        "/prometheus/stats", "/sessions_count", "/slow_subscriptions", "/stats", "/status", "/subscriptions", "/topics", "/trace"}


def fill(broker):
    api.want(broker, 200, "PUT", "/configs", f"authentication = [{AUTHN}]".encode(), content_type="text/plain")
    for name in ("one", "two"):
        api.want(broker, 201, "POST", USERS, {"user_id": name, "password": "public1", "is_superuser": name == "two"})
    api.want(broker, 200, "POST", "/banned", {"as": "clientid", "who": "bad", "reason": "why", "at": "1700000000",
                                              "until": "2524608000"})
    api.want(broker, 200, "PUT", "/mqtt/retainer", {"max_payload_size": "2MB"})
    api.want(broker, 200, "PUT", "/mqtt/auto_subscribe", [{"topic": "a/${clientid}", "qos": 1}])
    api.want(broker, 200, "PUT", "/mqtt/topic_rewrite",
             [{"action": "all", "source_topic": "x/#", "dest_topic": "y/$1", "re": "^x/(.+)$"}])
    api.want(broker, 200, "PUT", "/configs/global_zone", {"mqtt": {"max_topic_levels": 11}})
    api.want(broker, 200, "PUT", "/configs/limiter", {"max_conn_rate": "500/s"})
    api.want(broker, 200, "POST", "/users", {"username": "joe", "password": "S3cret-enough", "role": "viewer"})
    api.want(broker, 200, "POST", "/api_key", {"name": "ci", "role": "publisher", "desc": "pipeline"})
    api.want(broker, 204, "POST", "/authorization/sources", {"type": "built_in_database", "enable": True})
    api.want(broker, 204, "PUT", "/authorization/sources/file",
             {"type": "file", "enable": True, "rules": '{allow, {username, "kept"}, all, ["#"]}.\n{allow, all}.\n'})
    api.want(broker, 200, "PUT", "/prometheus", {"push_gateway": {"url": "http://127.0.0.1:1"}})
    rule = {"permission": "deny", "action": "publish", "topic": "secret/#"}
    for kind, who in (("users", {"username": "u"}), ("clients", {"clientid": "c"}), ("all", {})):
        rules = [{**who, "rules": [rule]}] if who else {"rules": [rule]}
        api.want(broker, 204, "POST", "/authorization/sources/built_in_database/rules/" + kind, rules)
    api.want(broker, 200, "POST", "/mqtt/topic_metrics", {"topic": "measured"})
    api.want(broker, 200, "PUT", "/configs/sysmon", {"os": {"cpu_high_watermark": "91%"}})
    api.want(broker, 200, "PUT", "/configs/alarm", {"size_limit": 77})
    api.want(broker, 200, "PUT", "/configs/sys_topics", {"sys_msg_interval": "3m"})
    api.want(broker, 200, "PUT", "/slow_subscriptions/settings", {"enable": True, "threshold": "700ms"})


def answers(broker):
    """Every GET that takes no path parameters, but those of LIVE."""
    paths = [path.removeprefix("/api/v5") for path, operations in document(broker)["paths"].items()
             if "get" in operations and "{" not in path and coverage.succeeds(operations["get"])]
    assert LIVE <= set(paths)
    out = {path: api.want(broker, 200, "GET", path) for path in [*paths, USERS] if path not in LIVE}
    # Of the configuration what an import takes; listeners of these tests have ports of their own.
    out["/configs"] = {root: api.want(broker, 200, "GET", "/configs?key=" + root)
                       for root in ("authentication", "authorization", "mqtt", "retainer", "rewrite", "prometheus")}
    out["/mqtt/topic_metrics"] = [row["topic"] for row in out["/mqtt/topic_metrics"]]  # counters are a node's own
    return out


def test_a_fresh_node_answers_as_the_one_that_was_saved(tmp_path, broker):
    fill(broker)
    api.want(broker, 202, "POST", "/publish", {"topic": "kept", "payload": "x", "retain": True})
    deadline = time.monotonic() + 10
    while not api.want(broker, 200, "GET", "/mqtt/retainer/messages")["data"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    file = api.want(broker, 200, "POST", "/data/export", {"retained": True})
    assert set(file) == {"filename", "size", "created_at", "created_at_sec", "node"}
    listed = api.want(broker, 200, "GET", "/data/files")
    assert listed["data"] == [file] and listed["meta"]["count"] == 1
    content = download(broker, file["filename"])
    assert len(content) == file["size"]

    (tmp_path / "fresh").mkdir()
    fresh = nodes.Node(tmp_path / "fresh").start()
    try:
        report = imported(fresh, file["filename"], content)
        assert report["result"] == "success" and report["tables"]["emqx_authn_mnesia"]["rows"] == 2
        assert answers(fresh) == answers(broker)
        assert api.want(fresh, 200, "GET", "/data/imports/last")["filename"] == file["filename"]
        deadline = time.monotonic() + 10
        while "kept" not in [row["topic"] for row in api.want(fresh, 200, "GET", "/mqtt/retainer/messages")["data"]]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        shown = api.want(fresh, 200, "GET", "/mqtt/retainer/message/kept")
        assert shown["payload"] == "eA=="
        client = fresh.client()
        client.connect("c", username="one", password=b"public1")
        client.close()
        fresh.restart()
        assert answers(fresh) == answers(broker)
        again = api.want(fresh, 200, "POST", "/data/import", {"filename": file["filename"]})
        assert again["tables"]["emqx_banned"] == {"rows": 1, "written_over": 1}
    finally:
        fresh.stop()
    api.want(broker, 204, "DELETE", "/data/files/" + file["filename"])
    assert api.want(broker, 404, "GET", "/data/files/" + file["filename"])["code"] == "NOT_FOUND"


@pytest.mark.parametrize("name, content, said", [
    ("a.zip", b"x", "file name must have .tar.gz extension"),
    ("a.tar.gz", b"not gzip", "gzip"),
    ("a.tar.gz", b"", "gzip"),
    ("a.tar.gz", archive("b", {"META.hocon": META}), "must be under a directory"),
    ("a.tar.gz", archive("a", {"cluster.hocon": b""}), "missing META.hocon"),
    ("a.tar.gz", archive("a", {"META.hocon": b'version = "5.4.0"\nedition = xx'}), "wrong EMQX edition"),
    ("a.tar.gz", archive("a", {"META.hocon": b'version = "five"\nedition = ee'}), "wrong EMQX version"),
    ("a.tar.gz", archive("a", {"META.hocon": b'version = "5.5.0"\nedition = ee'}), "is newer than"),
    ("a.tar.gz", archive("a", {"META.hocon": META, "cluster.hocon": b"a {"}), "cluster.hocon"),
    ("a.tar.gz", archive("a", {"META.hocon": META, "tables/other.jsonl": b"{}"}), "not a file of a backup"),
    ("a.tar.gz", archive("a", {"META.hocon": META, "tables/emqx_banned.jsonl": b"{\n"}), "line 1"),
    ("a.tar.gz", archive("a", {"META.hocon": META, "tables/emqx_banned.jsonl": b'{"as":"x","who":"y"}'}), "as = x"),
    ("a.tar.gz", archive("a", {"META.hocon": META, "mnesia/emqx_banned": b"junk"}), "mnesia/emqx_banned"),
], ids=lambda value: "content" if isinstance(value, bytes) else None)
def test_a_foreign_or_damaged_archive_is_refused_and_not_kept(broker, name, content, said):
    assert said in api.upload(broker, 400, "/data/files", name, content)["message"]
    assert api.want(broker, 200, "GET", "/data/files")["data"] == []


def special(kind, name="a/link", target="/etc/passwd"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("raw", [
    (special(tarfile.SYMTYPE), b""), (special(tarfile.LNKTYPE), b""), (special(tarfile.FIFOTYPE), b""),
    (special(tarfile.CHRTYPE), b""), (tarfile.TarInfo("../out"), b"x"), (tarfile.TarInfo("/abs"), b"x"),
    (tarfile.TarInfo("a/../../out"), b"x"),
], ids=["symlink", "hardlink", "fifo", "device", "parent", "absolute", "inner-parent"])
def test_what_leads_out_of_the_archive_is_refused(broker, raw):
    api.upload(broker, 400, "/data/files", "a.tar.gz", archive("a", {"META.hocon": META}, [raw]))
    assert not (broker.data / "out").exists() and not (broker.folder / "out").exists()


@pytest.mark.parametrize("name", ["..%2Fa.tar.gz", "%2Fetc%2Fpasswd", "..", ".hidden.tar.gz", "a%00.tar.gz"])
def test_names_are_no_paths(broker, name):
    for method in ("GET", "DELETE"):
        status, _ = api.call(broker, method, "/data/files/" + name)
        assert status == 400, (method, name)
    assert api.call(broker, "POST", "/data/import", {"filename": "../../etc/passwd"})[0] == 400
    status, missing = api.call(broker, "POST", "/data/import", {"filename": "none.tar.gz"})
    assert (status, missing["code"]) == (400, "BAD_REQUEST") and missing["message"].startswith("backup file not found")


def test_an_archive_with_a_changed_byte_or_a_cut_end_is_refused(broker):
    whole = archive("a", {"META.hocon": META, "cluster.hocon": b"mqtt.max_inflight = 7"})
    changed = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    open_end = gzip.compress(gzip.decompress(whole)[:5 * 512])
    for damaged in (whole[:-1], whole[:-8], whole + b"x", changed, open_end):
        api.upload(broker, 400, "/data/files", "a.tar.gz", damaged)
    api.upload(broker, 204, "/data/files", "a.tar.gz", whole)


def test_roots_that_nobody_knows_are_left_out(broker):
    config = b'foo.a = 1\nbogus = x\nmqtt.max_inflight = 9\nconnectors.http.a.url = "http://h"\n'
    report = imported(broker, "a.tar.gz", archive("a", {"META.hocon": META, "cluster.hocon": config}))
    assert report["config_roots"] == ["mqtt"]
    assert sorted(report["left_out"]) == ["cluster.hocon: " + root for root in ("bogus", "connectors", "foo")]
    kept = (broker.data / "configs/cluster.hocon").read_text()
    assert "foo" not in kept and "bogus" not in kept and "connectors" in kept


def test_a_bomb_is_refused(broker):
    inner = archive("a", {"META.hocon": META, "cluster.hocon": b"#" * (64 << 20)})
    assert len(inner) < 1 << 20
    assert "far more" in api.upload(broker, 400, "/data/files", "a.tar.gz", inner)["message"]
    twice = gzip.compress(gzip.compress(inner))
    api.upload(broker, 400, "/data/files", "a.tar.gz", twice)


@pytest.mark.parametrize("config", ["mqtt { max_inflight = 0 }", "mqtt { no_such_key = 1 }"])
def test_a_configuration_that_is_wrong_is_refused_at_once(broker, config):
    content = archive("a", {"META.hocon": META, "cluster.hocon": config.encode()})
    message = api.upload(broker, 400, "/data/files", "a.tar.gz", content)["message"]
    assert "cluster.hocon" in message and config.split()[2] in message
    assert api.want(broker, 200, "GET", "/data/files")["data"] == []


def test_an_import_that_fails_changes_nothing(broker):
    fill(broker)
    before = answers(broker)
    config = b'listeners.tcp.more.bind = "192.0.2.1:1"\ndelayed.enable = false\nauthentication = []'
    admins = erlang.table("emqx_admin", ["username", "pwdhash", "description", "role", "extra"],
                          [("joe", b"abcd" + bytes(32), "d", Atom("viewer"), []),
                           ("ops", b"abcd" + bytes(32), "d", Atom("viewer"), [])])
    content = archive("a", {"META.hocon": META, "cluster.hocon": config, "mnesia/emqx_admin": admins,
                            "tables/emqx_banned.jsonl": b'{"as":"clientid","who":"new"}\n'})
    message = imported(broker, "a.tar.gz", content, 400)["message"]
    assert "cluster.hocon" in message
    assert answers(broker) == before
    last = api.want(broker, 200, "GET", "/data/imports/last")
    assert last["result"] == "failure" and last["reason"] == message
    broker.restart()
    assert answers(broker) == before


def test_an_import_takes_no_authenticator_away(broker):
    """What the archive lacks stays, with its users; what it has takes the place of what is here, and users are merged."""
    fill(broker)
    scram = {"mechanism": "scram", "backend": "built_in_database"}
    of_scram = "/authentication/scram%3Abuilt_in_database/users"
    api.want(broker, 200, "POST", "/authentication", scram)
    api.want(broker, 201, "POST", of_scram, {"user_id": "three", "password": "public1"})

    def ids(path):
        return sorted(one["user_id"] for one in api.want(broker, 200, "GET", path)["data"])

    table = b'{"group":"mqtt:global/password_based:built_in_database","user_id":"new","password_hash":"YWI=","salt":""}\n'
    suffix = AUTHN.replace("name = sha256", "name = sha256, salt_position = suffix")
    for number, cluster in enumerate((f"authentication = [{suffix}]", "authentication = []", "")):
        imported(broker, f"{number}.tar.gz", archive(str(number), {"META.hocon": META, "tables/emqx_authn_mnesia.jsonl": table,
                                                                   "cluster.hocon": cluster.encode()}))
        chain = api.want(broker, 200, "GET", "/authentication")
        assert [one["mechanism"] for one in chain] == ["password_based", "scram"]
        assert chain[0]["password_hash_algorithm"]["salt_position"] == "suffix"
        assert ids(USERS) == ["new", "one", "two"] and ids(of_scram) == ["three"]
        broker.restart()
    assert ids(USERS) == ["new", "one", "two"] and ids(of_scram) == ["three"]


def test_users_that_come_with_an_archive(broker):
    admin = rest.Rest(broker).login()
    eve = admin.new_user("eve", "viewer")

    def archive_with(*users):
        table = erlang.table("emqx_admin", ["username", "pwdhash", "description", "role", "extra"],
                             [(name, pwdhash, "d", Atom("administrator"), []) for name, pwdhash in users])
        return archive("a", {"META.hocon": META, "mnesia/emqx_admin": table})

    def hashed(password):
        return b"salt" + hashlib.sha256(b"salt" + password).digest()

    assert "pwdhash" in api.upload(broker, 400, "/data/files", "a.tar.gz", archive_with(("ops", b"abc")))["message"]
    report = imported(broker, "a.tar.gz", archive_with(("admin", hashed(b"public")), ("eve", hashed(b"An0ther-one"))))
    assert report["tables"]["emqx_admin"] == {"rows": 2, "written_over": 2}
    eve.refuses(401, "BAD_TOKEN", "GET", "/nodes")  # the password is another one now
    # What everybody knows counts on this machine only, wherever it came from.
    known = {"username": "admin", "password": "public"}
    admin.bare().want(403, "POST", "/login", known, {"X-Forwarded-For": "203.0.113.9"})
    admin.bare().want(200, "POST", "/login", known)
    admin.bare().want(200, "POST", "/login", {"username": "eve", "password": "An0ther-one"}, {"X-Forwarded-For": "203.0.113.9"})


def test_retained_topics_may_be_any_bytes(broker, tmp_path):
    topics = {b"r/\xff", b"r/\xfe", "r/\u00e9".encode()}
    with broker.client("p", version=4) as client:
        for topic in topics:
            client.publish(topic, "x", qos=1, retain=True)
    name = api.want(broker, 200, "POST", "/data/export", {"retained": True})["filename"]
    fresh = nodes.Node(tmp_path / "fresh").start()
    try:
        imported(fresh, name, download(broker, name))
        with fresh.client("s", version=4) as client:
            client.send(raw.subscribe(1, ["r/#"], version=4))
            client.expect(raw.SUBACK)
            got = {client.expect(raw.PUBLISH).topic for _ in topics}
        assert {topic.encode("utf-8", "surrogateescape") for topic in got} == topics
    finally:
        fresh.kill()


def test_an_import_that_was_cut_short_is_finished_at_the_next_start(broker):
    content = archive("a", {"META.hocon": META, "cluster.hocon": b"delayed.max_delayed_messages = 77",
                            "tables/emqx_banned.jsonl": b'{"as":"clientid","who":"new"}\n'})
    broker.kill()
    journal = broker.data / "backup" / ".import"
    journal.mkdir(parents=True)
    (journal / "archive").write_bytes(content)
    (journal / "state.json").write_text(json.dumps(
        {"archive_name": "a.tar.gz", "cluster_before": "", "before": {"emqx_banned": []}}))
    broker.start()
    deadline = time.monotonic() + 10
    while journal.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert api.want(broker, 200, "GET", "/mqtt/delayed")["max_delayed_messages"] == 77
    assert [ban["who"] for ban in api.want(broker, 200, "GET", "/banned")["data"]] == ["new"]
    last = api.want(broker, 200, "GET", "/data/imports/last")
    assert last["recovered"] is True and last["result"] == "success"


@pytest.mark.parametrize("meta, said", [(META, "max_inflight"), (META.replace(b"5.4", b"99.4"), "version")])
def test_an_import_that_cannot_be_finished_is_undone_at_the_next_start(broker, meta, said):
    """Also where its archive cannot be imported any longer: a newer program had begun it, and half of it is there."""
    api.want(broker, 200, "PUT", "/mqtt/delayed", {"max_delayed_messages": 5})
    before = (broker.data / "configs/cluster.hocon").read_text()
    api.want(broker, 200, "POST", "/banned", {"as": "clientid", "who": "old", "reason": "from the archive"})
    api.want(broker, 200, "POST", "/banned", {"as": "clientid", "who": "new"})
    api.want(broker, 200, "PUT", "/mqtt/delayed", {"max_delayed_messages": 6})
    rows = [{"as": "clientid", "who": "new"}, {"as": "clientid", "who": "old", "reason": "from the archive"}]
    content = archive("a", {"META.hocon": meta, "cluster.hocon": b"mqtt.max_inflight = 0",
                            "tables/emqx_banned.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode()})
    broker.kill()
    journal = broker.data / "backup" / ".import"
    journal.mkdir(parents=True)
    (journal / "archive").write_bytes(content)
    (journal / "state.json").write_text(json.dumps(
        {"archive_name": "a.tar.gz", "cluster_before": before,
         "before": {"emqx_banned": [{"as": "clientid", "who": "old", "reason": "as it was"}]}}))
    broker.start()
    deadline = time.monotonic() + 10
    while journal.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert api.want(broker, 200, "GET", "/mqtt/delayed")["max_delayed_messages"] == 5
    bans = api.want(broker, 200, "GET", "/banned")["data"]
    assert [(ban["who"], ban["reason"]) for ban in bans] == [("old", "as it was")]
    last = api.want(broker, 200, "GET", "/data/imports/last")
    assert last["recovered"] is True and last["result"] == "failure" and said in last["reason"]


def test_an_archive_of_emqx(broker):
    hashed = hashlib.sha256(b"salt" + b"secret12").hexdigest()
    cluster = f"authentication = [{AUTHN}]\nmqtt {{ max_topic_levels = 13 }}\nretainer {{ enable = true }}".encode()
    files = {
        "META.hocon": META, "cluster.hocon": cluster,
        "mnesia/emqx_authn_mnesia": erlang.table(
            "emqx_authn_mnesia", ["user_id", "password_hash", "salt", "is_superuser"],
            [((Atom("mqtt:global"), "erl"), hashed, "salt", True)]),
        "mnesia/emqx_banned": erlang.table(
            "emqx_banned", ["who", "by", "reason", "at", "until"],
            [((Atom("peerhost"), (10, 1, 2, 3)), "mgmt_api", "r", 1700000000, Atom("infinity")),
             ((Atom("clientid"), "worst"), "mgmt_api", "", 1700000000, 2524608000)]),
        "mnesia/emqx_admin": erlang.table(
            "emqx_admin", ["username", "pwdhash", "description", "role", "extra"],
            [("ops", b"abcd" + bytes(32), "d", Atom("viewer"), [])]),
    }
    report = imported(broker, "emqx-export-x.tar.gz", archive("emqx-export-x", files))
    assert report["tables"]["emqx_authn_mnesia"]["rows"] == 1
    assert {(b["as"], b["who"]) for b in api.want(broker, 200, "GET", "/banned")["data"]} == \
        {("peerhost", "10.1.2.3"), ("clientid", "worst")}
    assert api.want(broker, 200, "GET", "/configs/global_zone")["mqtt"]["max_topic_levels"] == 13
    client = broker.client()
    client.connect("c", username="erl", password=b"secret12")
    client.close()


RULES = ["who", "rules"]


def test_rules_of_emqx_open_no_more_than_they_did(broker):
    """Conditions are a list of pairs, literal topics are marked by a pair."""
    api.want(broker, 204, "POST", "/authorization/sources", {"type": "built_in_database", "enable": True})
    few = (Atom("publish"), [(Atom("qos"), [0]), (Atom("retain"), Atom("false"))])
    rules = [(Atom("allow"), few, "a/b"), (Atom("deny"), Atom("all"), (Atom("eq"), "x/#")),
             (Atom("allow"), (Atom("subscribe"), {Atom("qos"): [1, 2]}), "c")]
    table = erlang.table("emqx_acl", RULES, [((1, "joe"), rules)])
    imported(broker, "a.tar.gz", archive("a", {"META.hocon": META, "mnesia/emqx_acl": table}))
    got = api.want(broker, 200, "GET", "/authorization/sources/built_in_database/rules/users/joe")["rules"]
    assert [(r["permission"], r["action"], r["topic"], r["qos"], r["retain"]) for r in got] == [
        ("allow", "publish", "a/b", [0], False), ("deny", "all", "eq x/#", [0, 1, 2], "all"),
        ("allow", "subscribe", "c", [1, 2], "all")]
    for action in ((Atom("publish"), [(Atom("later"), 1)]), (Atom("publish"), [Atom("qos")]), (Atom("publish"), Atom("qos")),
                   (Atom("publish"), [(Atom("qos"), [3])]), (Atom("publish"), [(Atom("retain"), 1)]), (Atom("publish"),)):
        table = erlang.table("emqx_acl", RULES, [((1, "eve"), [(Atom("allow"), action, "t")])])
        refused = api.upload(broker, 400, "/data/files", "a.tar.gz", archive("a", {"META.hocon": META, "mnesia/emqx_acl": table}))
        assert "mnesia/emqx_acl" in refused["message"], action


@pytest.mark.parametrize("row, said", [
    ({"as": "peerhost", "who": "nope"}, "nope"), ({"as": "clientid_re", "who": "(("}, "who"),
    ({"as": "peerhost_net", "who": "10.0.0.0/99"}, "who"), ({"as": "clientid", "who": "c", "until": 1e30}, "until"),
    ({"as": "clientid", "who": "c", "until": "never"}, "until"), ({"as": "clientid", "who": "c", "at": -1}, "at"),
    ({"as": "clientid", "who": ""}, "who")])
def test_bans_that_are_none_are_refused(broker, row, said):
    content = archive("a", {"META.hocon": META, "tables/emqx_banned.jsonl": (json.dumps(row) + "\n").encode()})
    message = api.upload(broker, 400, "/data/files", "a.tar.gz", content)["message"]
    assert "emqx_banned, row 1" in message and said in message


def test_a_key_has_one_name(broker):
    secret = base64.b64encode(b"salt" + hashlib.sha256(b"salt" + b"s").digest()).decode()
    rows = lambda **keys: "".join(json.dumps({"name": name, "api_key": key, "api_secret_hash": secret, "role": "viewer"}) + "\n"
                                  for name, key in keys.items()).encode()
    with_rows = lambda base, **keys: (base + ".tar.gz", archive(base, {"META.hocon": META, "tables/emqx_app.jsonl": rows(**keys)}))
    refused = lambda *file: api.upload(broker, 400, "/data/files", *file)["message"]
    assert "api_key = same" in refused(*with_rows("a", one="same", two="same"))
    imported(broker, *with_rows("b", one="first", two="second"))
    assert "api_key = first" in refused(*with_rows("c", three="first"))
    imported(broker, *with_rows("d", one="second", two="first"))  # each has the other's now
    keys = {row["name"]: row["api_key"] for row in api.want(broker, 200, "GET", "/api_key")}
    assert keys == {"one": "second", "two": "first"}
    admin = rest.Rest(broker)
    for key in ("first", "second"):
        basic = base64.b64encode(f"{key}:s".encode()).decode()
        admin.bare().want(200, "GET", "/nodes", None, {"Authorization": "Basic " + basic})


def test_a_ban_in_force_outlives_an_ended_one(broker):
    api.want(broker, 200, "POST", "/banned", {"as": "clientid", "who": "evil", "until": "infinity"})
    row = json.dumps({"as": "clientid", "who": "evil", "at": 1600000000, "until": 1600000001})
    imported(broker, "a.tar.gz", archive("a", {"META.hocon": META, "tables/emqx_banned.jsonl": row.encode()}))
    assert [ban["who"] for ban in api.want(broker, 200, "GET", "/banned")["data"]] == ["evil"]


@pytest.mark.parametrize("table, row, said", [
    ("emqx_acl", {"rules": [{"permission": "allow", "action": "all", "topic": "#"}]}, "whose rules"),
    ("emqx_acl", {"all": False, "rules": []}, "whose rules"),
    ("emqx_acl", {"username": "u", "clientid": "c", "rules": []}, "whose rules"),
    ("retained", {"topic": "t", "payload": "eA==", "properties": "//8="}, "properties"),
    ("retained", {"topic": "t", "payload": "eA==", "expiry_s": -1}, "expiry_s"),
    ("retained", {"topic": "t", "payload": "eA==", "published_ms": 1e300}, "published_ms"),
    ("emqx_admin", {"username": "admin", "pwdhash": base64.b64encode(b"abcd" + bytes(32)).decode(), "role": "viewer"},
     "administrator")])
def test_rows_that_would_do_harm_are_refused(broker, table, row, said):
    content = archive("a", {"META.hocon": META, f"tables/{table}.jsonl": json.dumps(row).encode()})
    assert said in api.upload(broker, 400, "/data/files", "a.tar.gz", content)["message"]


def test_small_values_without_end_are_refused(broker):
    digits = random.Random(7).randbytes(10_000_001).hex().translate(str.maketrans("abcdef", "123456")).encode()
    values = bytearray(b",") * (2 * len(digits) - 1)  # that do not pack too well
    values[::2] = digits
    content = archive("a", {"META.hocon": META, "tables/emqx_banned.jsonl": b'{"as":[' + values + b"]}"}, level=1)
    assert "values" in api.upload(broker, 400, "/data/files", "a.tar.gz", content)["message"]


def test_each_export_has_a_name_of_its_own(broker):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        files = [f.result()["filename"] for f in [pool.submit(api.want, broker, 200, "POST", "/data/export") for _ in range(16)]]
    assert len(set(files)) == 16


def test_users_of_single_sign_on_are_left_out(broker):
    table = erlang.table("emqx_admin", ["username", "pwdhash", "description", "role", "extra"],
                         [((Atom("saml"), "sam"), b"", "", Atom("viewer"), []), ("ops", b"abcd" + bytes(32), "d", Atom("viewer"), [])])
    report = imported(broker, "a.tar.gz", archive("a", {"META.hocon": META, "mnesia/emqx_admin": table}))
    assert report["tables"]["emqx_admin"]["rows"] == 1 and report["left_out"] == ["emqx_admin: 1 rows"]


def test_keys_of_scram_have_the_rounds_of_their_authenticator(broker):
    """Records of EMQX tell no rounds."""
    salt, rounds = b"0123456789abcdef", 5000
    salted = hashlib.pbkdf2_hmac("sha256", b"secret12", salt, rounds)
    sign = lambda text: hmac.digest(salted, text, "sha256")
    table = erlang.table("emqx_authn_scram_mnesia", ["user_id", "stored_key", "server_key", "salt", "is_superuser"],
                         [((Atom("mqtt:global"), "erl"), hashlib.sha256(sign(b"Client Key")).digest(), sign(b"Server Key"), salt, False)])
    cluster = b"authentication = [{mechanism = scram, backend = built_in_database, algorithm = sha256, iteration_count = 5000}]"
    imported(broker, "a.tar.gz", archive("a", {"META.hocon": META, "cluster.hocon": cluster, "mnesia/emqx_authn_scram_mnesia": table}))
    name = api.want(broker, 200, "POST", "/data/export")["filename"]
    with tarfile.open(fileobj=io.BytesIO(download(broker, name))) as tar:
        row, = tar.extractfile(name.removesuffix(".tar.gz") + "/tables/emqx_authn_scram_mnesia.jsonl").read().splitlines()
    assert json.loads(row)["iteration_count"] == 5000


def test_what_is_retained_in_memory_is_saved_too(start_broker):
    broker = start_broker(text="retainer.backend.storage_type = ram", shards=2)
    for topic in ("a", "b/c", "$x/y"):
        api.want(broker, 202, "POST", "/publish", {"topic": topic, "payload": topic, "retain": True})
    name = api.want(broker, 200, "POST", "/data/export", {"retained": True})["filename"]
    with tarfile.open(fileobj=io.BytesIO(download(broker, name))) as tar:
        rows = tar.extractfile(name.removesuffix(".tar.gz") + "/tables/retained.jsonl").read().splitlines()
    assert sorted(json.loads(row)["topic"] for row in rows) == ["$x/y", "a", "b/c"]


def test_a_key_whose_end_cannot_be_read_is_refused(broker):
    secret = base64.b64encode(b"salt" + hashlib.sha256(b"salt" + b"s").digest()).decode()
    row = {"name": "one", "api_key": "k", "api_secret_hash": secret, "role": "viewer", "expired_at": "tomorrow"}
    content = archive("a", {"META.hocon": META, "tables/emqx_app.jsonl": json.dumps(row).encode()})
    assert "expired_at" in api.upload(broker, 400, "/data/files", "a.tar.gz", content)["message"]


def test_pre_shared_keys_move_along(broker):
    keys = erlang.table("emqx_psk", ["psk_id", "shared_secret", "extra"], [("dev-1", "one", []), ("dev-2", "two", [])])
    report = imported(broker, "a.tar.gz", archive("a", {"META.hocon": META, "mnesia/emqx_psk": keys}))
    assert report["tables"]["emqx_psk"]["rows"] == 2
    broker.restart()
    name = api.want(broker, 200, "POST", "/data/export")["filename"]
    with tarfile.open(fileobj=io.BytesIO(download(broker, name))) as tar:
        lines = tar.extractfile(name.removesuffix(".tar.gz") + "/tables/emqx_psk.jsonl").read().splitlines()
    assert [json.loads(line) for line in lines] == [{"psk_id": "dev-1", "shared_secret": "b25l"},
                                                    {"psk_id": "dev-2", "shared_secret": "dHdv"}]


def test_the_command_line(broker, tmp_path):
    fill(broker)
    said = broker.ctl("data", "export")
    name = said.split("exported to ")[1].strip().rstrip(".")
    assert said == f"Data has been successfully exported to {name}.\n"
    assert name in broker.ctl("data", "list")
    (tmp_path / "other").mkdir()
    other = nodes.Node(tmp_path / "other").start()
    try:
        said = other.ctl("data", "import", str(broker.data / "backup" / name))
        assert said.startswith("Data has been imported successfully.\n") and "table emqx_banned: 1 rows" in said
        assert answers(other) == answers(broker)
        assert json.loads(other.ctl("data", "import", name, "--json"))["result"] == "success"
        assert other.ctl("data", "import", "none.tar.gz", check=False).startswith("Error: backup file not found")
        assert "/dev/zero" in other.ctl("data", "import", "/dev/zero", check=False), "no file that ends"
    finally:
        other.stop()
