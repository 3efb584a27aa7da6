"""Authorization sources: their order, settings, cache, the file and the built-in database (access-control 6 and 7)."""
import os
import time

import pytest

from . import api, node, raw

RULES = "/authorization/sources/built_in_database/rules"
BUILT_IN = {"type": "built_in_database"}


def authorization(*sources, **more):
    return {"no_match": "deny", "sources": list(sources)} | more


def at_run_time(start_broker, *sources):
    """A node whose main file says nothing of authorization: what is changed while it runs holds after a restart."""
    broker = start_broker()
    api.want(broker, 204, "DELETE", "/authorization/sources/file")  # the rules that are shipped
    settings = api.want(broker, 200, "GET", "/authorization/settings")
    api.want(broker, 200, "PUT", "/authorization/settings", settings | {"no_match": "deny"})
    for source in reversed(sources):
        api.want(broker, 204, "POST", "/authorization/sources", source)
    return broker


def file_of(rules):
    return {"type": "file", "rules": rules}


def rule(topic, permission="allow", action="all", **more):
    return {"topic": topic, "permission": permission, "action": action} | more


def may_publish(broker, topic, client_id="c", qos=1, retain=False, **more):
    with broker.client(client_id, **more) as c:
        c.send(raw.publish(topic, b"", qos=qos, packet_id=7, retain=retain))
        code = c.expect(raw.PUBACK if qos == 1 else raw.PUBREC).code
        assert code in (0, 0x10, 0x87), code
        return code != 0x87


def may_subscribe(broker, topic, client_id="c", qos=0, **more):
    with broker.client(client_id, **more) as c:
        c.send(raw.subscribe(1, [(topic, qos)]))
        code = c.expect(raw.SUBACK).codes[0]
        assert code in (0, 1, 2, 0x87), code
        return code != 0x87


def test_rules_of_client_user_and_everybody(start_broker):
    broker = start_broker(authorization=authorization(BUILT_IN))
    assert not may_publish(broker, "t")
    api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("t")]})
    assert may_publish(broker, "t"), "rules hold at once"
    api.want(broker, 204, "POST", RULES + "/users", [{"username": "joe", "rules": [rule("t", "deny"), rule("u/${username}/#")]}])
    assert not may_publish(broker, "t", username="joe")
    assert may_subscribe(broker, "u/joe/#", username="joe") and not may_subscribe(broker, "u/ann/#", username="joe")
    api.want(broker, 204, "POST", RULES + "/clients", [{"clientid": "dev", "rules": [rule("t")]}])
    assert may_publish(broker, "t", "dev", username="joe"), "the client id goes first"
    api.want(broker, 409, "POST", RULES + "/clients", [{"clientid": "new", "rules": []}, {"clientid": "dev", "rules": []}])
    api.want(broker, 404, "GET", RULES + "/clients/new")
    api.want(broker, 204, "PUT", RULES + "/clients/dev", {"clientid": "dev", "rules": [rule("t", qos=[2], retain=True)]})
    assert may_publish(broker, "t", "dev", qos=2, retain=True, username="joe")
    assert not may_publish(broker, "t", "dev", qos=1, retain=True, username="joe")
    assert not may_publish(broker, "t", "dev", qos=2, username="joe")
    assert api.want(broker, 200, "GET", RULES + "/clients/dev") == \
        {"clientid": "dev", "rules": [rule("t", qos=[2], retain=True)]}
    page = api.want(broker, 200, "GET", RULES + "/users?like_username=jo")
    assert [row["username"] for row in page["data"]] == ["joe"] and not page["meta"]["hasnext"]
    broker.restart()
    assert may_publish(broker, "t", "dev", qos=2, retain=True) and not may_publish(broker, "t", username="joe")
    for bad in ({"rules": [rule("a/#/b")]}, {"rules": [{"topic": "t"}]}, {"rules": [rule("t", qos=[3])]}, {"rules": "x"}, {}):
        api.want(broker, 400, "POST", RULES + "/all", bad)
    api.want(broker, 400, "DELETE", RULES)
    api.want(broker, 204, "DELETE", RULES + "/users/joe")
    api.want(broker, 404, "DELETE", RULES + "/users/joe")
    api.want(broker, 204, "PUT", "/authorization/sources/built_in_database", BUILT_IN | {"enable": False})
    assert not may_publish(broker, "t")
    api.want(broker, 204, "DELETE", RULES)
    assert api.want(broker, 200, "GET", RULES + "/all") == {"rules": []}


def test_rules_need_their_source(start_broker):
    broker = start_broker(authorization=authorization())
    for method, path, body in (("GET", "/all", None), ("GET", "/users", None), ("DELETE", "", None),
                               ("POST", "/clients", [{"clientid": "c", "rules": []}])):
        api.want(broker, 404, method, RULES + path, body)
    api.want(broker, 204, "POST", "/authorization/sources", BUILT_IN)
    api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("t")]})
    api.want(broker, 204, "DELETE", "/authorization/sources/built_in_database")
    api.want(broker, 204, "POST", "/authorization/sources", BUILT_IN)
    assert api.want(broker, 200, "GET", RULES + "/all") == {"rules": []}, "rules go with their source"


def test_names_are_not_patterns(start_broker):
    """Whatever a client calls itself, its name is compared as a whole."""
    broker = start_broker(authorization=authorization(BUILT_IN))
    api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("c/${clientid}/#")]})
    for name in ("+", "#", "a/b", "../x", "${clientid}", "' OR 1=1 --", "*)(uid=*"):
        widens = any(c in name for c in "+#/")
        assert may_publish(broker, f"c/x/{name.replace('#', '').replace('+', '')}", name) is False
        if not widens:
            assert may_publish(broker, f"c/{name}/t", name), name


def test_order_is_the_chains_and_is_changed_at_run_time(start_broker):
    broker = at_run_time(start_broker, file_of('{allow, all, publish, ["t"]}.'))
    assert may_publish(broker, "t")
    api.want(broker, 204, "POST", "/authorization/sources", BUILT_IN)
    api.want(broker, 400, "POST", "/authorization/sources", BUILT_IN)
    api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("t", "deny")]})
    types = lambda: [s["type"] for s in api.want(broker, 200, "GET", "/authorization/sources")["sources"]]
    assert types() == ["built_in_database", "file"], "a new one is asked first"
    assert not may_publish(broker, "t")
    api.want(broker, 204, "POST", "/authorization/sources/built_in_database/move", {"position": "rear"})
    assert types() == ["file", "built_in_database"] and may_publish(broker, "t")
    api.want(broker, 204, "POST", "/authorization/sources/file/move", {"position": "after:built_in_database"})
    assert not may_publish(broker, "t")
    for bad in ("nowhere", "before:mysql", ""):
        api.want(broker, 400, "POST", "/authorization/sources/file/move", {"position": bad})
    api.want(broker, 404, "POST", "/authorization/sources/redis/move", {"position": "front"})
    order = lambda *types: [{"type": type} for type in types]
    api.want(broker, 204, "PUT", "/authorization/sources/order", order("file", "built_in_database"))
    assert types() == ["file", "built_in_database"] and may_publish(broker, "t")
    for bad in (order("file"), order("file", "file", "built_in_database"), order("file", "built_in_database", "redis")):
        api.want(broker, 400, "PUT", "/authorization/sources/order", bad)
    api.want(broker, 204, "PUT", "/authorization/sources/order", order("built_in_database", "file"))
    broker.restart()
    assert types() == ["built_in_database", "file"]


def test_rules_of_the_file_are_changed_over_the_interface(start_broker):
    broker = at_run_time(start_broker, file_of('{allow, all, publish, ["one"]}.'))
    two = '{allow, all, publish, ["two"]}.\n'
    api.want(broker, 204, "PUT", "/authorization/sources/file", file_of(two))
    stored = broker.data / "authz" / "acl.conf"
    assert stored.read_text() == two
    assert may_publish(broker, "two") and not may_publish(broker, "one")
    answer = api.want(broker, 400, "PUT", "/authorization/sources/file", file_of('{allow, all}.\n{allow, all, nothing, []}.'))
    assert "line 2" in answer["message"]
    assert stored.read_text() == two and may_publish(broker, "two")
    three = '{allow, all, publish, ["three"]}.'
    api.want(broker, 204, "PUT", "/authorization/sources/file", file_of(three))
    assert may_publish(broker, "three"), "other rules under the same name"
    shown = api.want(broker, 200, "GET", "/authorization/sources/file")
    assert shown["rules"] == three and "path" not in shown, "where the node keeps them is its own matter"
    broker.restart()
    assert may_publish(broker, "three") and not may_publish(broker, "two")
    api.want(broker, 400, "PUT", "/authorization/sources/file", BUILT_IN)
    api.want(broker, 404, "PUT", "/authorization/sources/http", {"type": "http"})
    api.want(broker, 204, "DELETE", "/authorization/sources/file")
    api.want(broker, 404, "DELETE", "/authorization/sources/file")
    assert not may_publish(broker, "three")


@pytest.mark.parametrize("version", [4, 5])
def test_only_refused_acknowledgements_are_auth_errors(start_broker, version):
    broker = start_broker(authorization=authorization(BUILT_IN))
    with broker.client("c", version=version) as c:
        for qos, answer in ((0, None), (1, raw.PUBACK), (2, raw.PUBREC)):
            c.send(raw.publish("no", b"", qos=qos, packet_id=7 + qos if qos else None, version=version))
            if answer:
                c.expect(answer)
    metrics = api.want(broker, 200, "GET", "/metrics?aggregate=true")
    assert metrics["packets.publish.auth_error"] == 2


def test_settings(start_broker):
    broker = start_broker(authorization=authorization(BUILT_IN))
    settings = api.want(broker, 200, "GET", "/authorization/settings")
    assert settings["no_match"] == "deny" and settings["deny_action"] == "ignore" and "sources" not in settings
    assert settings["cache"] == {"enable": True, "max_size": 32, "ttl": "1m", "excludes": []}
    settings |= {"no_match": "allow", "deny_action": "disconnect"}
    assert api.want(broker, 200, "PUT", "/authorization/settings", settings) == settings
    assert may_publish(broker, "t")
    api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("no", "deny")]})
    with broker.client("c") as c:
        c.send(raw.publish("no", b"", qos=0))
        c.expect_disconnect(0x87)
    with broker.client("c") as c:
        c.send(raw.subscribe(1, [("no", 0)]))
        c.expect_disconnect(0x87)
    for bad in ({"no_match": "deny"}, settings | {"no_match": "maybe"}, settings | {"cache": {"max_size": 0}}):
        api.want(broker, 400, "PUT", "/authorization/settings", bad)
    assert [s["type"] for s in api.want(broker, 200, "GET", "/authorization/sources")["sources"]] == ["built_in_database"]


def test_cached_verdicts_are_of_one_action_and_are_dropped(start_broker):
    broker = start_broker(authorization=authorization(BUILT_IN, cache={"excludes": ["live/#"]}))
    api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("t", action="publish", qos=[1], retain=False), rule("live/#")]})
    total = lambda: api.want(broker, 200, "GET", "/authorization/sources/built_in_database/status")["metrics"]
    with broker.client("c") as c:
        before = total()["total"]
        for number in range(1, 4):
            c.publish("t", qos=1, packet_id=number, code=0x10)
        assert total()["total"] == before + 1, "asked once"
        c.publish("t", qos=1, packet_id=9, retain=True, code=0x87)
        c.send(raw.publish("t", b"", qos=2, packet_id=10))
        c.expect(raw.PUBREC, code=0x87)
        assert total()["total"] == before + 3, "QoS and retain are part of the question"
        cached = api.want(broker, 200, "GET", "/clients/c/authorization/cache")
        assert {(e["topic"], e["access"], e["result"]) for e in cached} >= {("t", "publish", "allow"), ("t", "publish", "deny")}
        assert all(abs(e["updated_time"] / 1000 - time.time()) < 60 for e in cached), "milliseconds since 1970"
        api.want(broker, 204, "DELETE", "/authorization/cache")
        c.publish("t", qos=1, packet_id=11, code=0x10)
        assert total()["total"] == before + 4
        for number in (12, 13):
            c.publish("live/x", qos=1, packet_id=number, code=0x10)
        assert total()["total"] == before + 6, "not kept"
        api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("t", "deny")]})
        c.publish("t", qos=1, packet_id=14, code=0x87)
        metrics = total()
        assert metrics["allow"] + metrics["deny"] + metrics["nomatch"] == metrics["total"]


def test_shared_filters_wills_and_retained_messages_are_asked_for(start_broker):
    broker = start_broker(authorization=authorization(BUILT_IN))
    api.want(broker, 204, "POST", RULES + "/all",
             {"rules": [rule("s/#", action="subscribe"), rule("w", action="publish"), rule("r", action="publish", retain=False)]})
    assert may_subscribe(broker, "$share/g/s/1") and not may_subscribe(broker, "$share/g/x")
    assert may_subscribe(broker, "s/+") and not may_subscribe(broker, "#") and not may_subscribe(broker, "+/1")
    assert may_publish(broker, "r") and not may_publish(broker, "r", retain=True)
    api.want(broker, 204, "POST", RULES + "/clients", [{"clientid": "watch", "rules": [rule("#")]}])
    with broker.client("watch") as watch:
        watch.subscribe(("w", 0), ("x", 0), codes=[0, 0])
        for topic in ("x", "w"):
            dying = broker.client()
            dying.send(raw.connect("dying", will=raw.Will(topic, b"gone")))
            dying.expect(raw.CONNACK, code=0)
            dying.close()
        assert watch.expect(raw.PUBLISH).topic == "w", "the will that may not be published is not"
        watch.expect_nothing()


def test_sources_that_protect_must_be_there(start_broker, tmp_path):
    broker = start_broker()
    for bad in ({"type": "nothing"}, {"type": "http"}, {"type": "http", "method": "post", "url": "ftp://x"}, {}):
        api.want(broker, 400, "POST", "/authorization/sources", bad)
    api.want(broker, 204, "POST", "/authorization/sources", {"type": "nothing", "enable": False})
    assert may_publish(broker, "t")


def test_a_broken_file_stops_its_own_changes_only(start_broker, tmp_path):
    rules = tmp_path / "rules.acl"
    rules.write_text('{deny, all, publish, ["t"]}.\n{allow, all}.\n')
    broker = start_broker(authorization={"sources": [{"type": "file", "path": str(rules)}]})
    for spoil in (lambda: rules.write_text("{allow"), rules.unlink):
        spoil()
        for qos in b"12":
            api.want(broker, 200, "PUT", "/configs", b"mqtt.max_qos_allowed = %c" % qos, content_type="text/plain")
        assert not may_publish(broker, "t"), "the rules that were read hold"
        settings = api.want(broker, 200, "GET", "/authorization/settings")
        assert api.call(broker, "PUT", "/authorization/settings", settings | {"no_match": "deny"})[0] == 400
        assert may_publish(broker, "u")


@pytest.mark.parametrize("bad", ["b/#/c", "a+", "", "#/"])
def test_excludes_are_filters(start_broker, bad):
    broker = start_broker()
    settings = api.want(broker, 200, "GET", "/authorization/settings")
    settings["cache"]["excludes"] = [bad]
    assert "excludes" in api.want(broker, 400, "PUT", "/authorization/settings", settings)["message"]


def test_superusers_are_not_asked(start_broker):
    broker = start_broker(authorization=authorization(file_of("{deny, all}.")),
                          authentication=[{"mechanism": "password_based", "backend": "built_in_database"}])
    users = "/authentication/password_based:built_in_database/users"
    for name, superuser in (("root", True), ("joe", False)):
        api.want(broker, 201, "POST", users, {"user_id": name, "password": "p", "is_superuser": superuser})
    assert may_publish(broker, "t", username="root", password="p")
    assert not may_publish(broker, "t", username="joe", password="p")
    status = api.want(broker, 200, "GET", "/authorization/sources/file/status")
    assert status["status"] == "connected" and status["metrics"]["total"] == status["metrics"]["deny"] == 1


def test_changes_under_load_answer_everybody(start_broker):
    """Sources come and go while clients publish: each gets its answer, none is stuck."""
    broker = start_broker(authorization=authorization(file_of('{allow, all, all, ["a/#"]}.')), shards=2)
    clients = [broker.client(f"c{i}") for i in range(20)]
    for turn in range(10):
        for c in clients:
            c.send(raw.publish("a/x", b"", qos=1, packet_id=turn + 1))
        if turn % 2 == 0:
            api.want(broker, 204, "POST", "/authorization/sources", BUILT_IN)
        else:
            api.want(broker, 204, "DELETE", "/authorization/sources/built_in_database")
        for c in clients:
            assert c.expect(raw.PUBACK, timeout=10).code == 0x10
    for c in clients:
        c.close()


def test_the_rules_that_are_shipped(start_broker):
    """Nobody but programs on this machine listens to $SYS or, with one wildcard, to everything."""
    rules = node.ROOT / "etc" / "acl.conf"
    broker = start_broker(authorization={"sources": [{"type": "file", "path": str(rules)}]})
    asked = ["$SYS/#", "$SYS/brokers/+/version", "$share/g/$SYS/#", "$queue/$SYS/brokers", "#", "$share/g/#", "a/#", "+/a", "t"]
    for here, refused in (("127.0.0.1", 0), ("127.0.0.2", 6)):
        with raw.Client(broker.port, source=here) as c:
            c.connect("c")
            c.subscribe(*[(topic, 0) for topic in asked], codes=[0x87] * refused + [0] * (len(asked) - refused))


CLOSED = "127.0.0.2"  # from where nobody may subscribe to $SYS/# and #


def codes_of(broker, *topics, source=CLOSED):
    with raw.Client(broker.port, source=source) as c:
        c.connect("c")
        c.send(raw.subscribe(1, [(topic, 0) for topic in topics]))
        return c.expect(raw.SUBACK).codes


def test_without_a_file_the_shipped_rules_are_in_force(start_broker):
    """access-control 6.1, 7.2: nothing is open because a file is missing, and it is said."""
    broker = start_broker()
    assert codes_of(broker, "$SYS/#", "#", "a/#") == [0x87, 0x87, 0]
    assert broker.log().count("authorization_file_missing") == 1
    source = api.want(broker, 200, "GET", "/authorization/sources/file")
    assert source["rules"] == (node.ROOT / "etc" / "acl.conf").read_text()
    api.want(broker, 204, "PUT", "/authorization/sources/file", source)
    assert codes_of(broker, "$SYS/#", "#", "a/#") == [0x87, 0x87, 0]
    assert api.want(broker, 200, "GET", "/authorization/sources/file") == source
    broker.stop()
    (broker.folder / "acl.conf").write_text("{deny, all}.\n")
    broker.data.joinpath("configs", "cluster.hocon").unlink(missing_ok=True)
    broker.start()
    assert codes_of(broker, "a/#") == [0x87], "the file is there now"


@pytest.mark.parametrize("name", ["SIGNALBOX_ETC_DIR", "EMQX_ETC_DIR"])
def test_rules_that_are_sent_back_as_they_were_shown_change_nothing(start_broker, name):
    """The path of the configuration that is shipped holds a placeholder."""
    folder = start_broker().folder
    rules = '{deny, all, subscribe, ["$SYS/#", {eq, "#"}]}.\n{allow, all}.\n'
    (folder / "acl.conf").write_text(rules)
    path = "${%s}/acl.conf" % name
    broker = start_broker(env={name: str(folder)}, authorization={"sources": [{"type": "file", "enable": True, "path": path}]})
    source = api.want(broker, 200, "GET", "/authorization/sources/file")
    assert source == {"type": "file", "enable": True, "path": path, "rules": rules}
    assert api.want(broker, 200, "GET", "/authorization/sources")["sources"] == [source]
    api.want(broker, 204, "PUT", "/authorization/sources/file", source)
    assert api.want(broker, 200, "GET", "/authorization/sources/file") == source
    assert codes_of(broker, "$SYS/#", "#", "a/#") == [0x87, 0x87, 0]
    assert not (broker.data / "authz" / "acl.conf").exists()
    for empty in ("", " \n"):
        for body in (source | {"rules": empty}, {"type": "file", "rules": empty}):
            answer = api.want(broker, 400, "PUT", "/authorization/sources/file", body)
            assert "rules" in answer["message"]
    assert codes_of(broker, "$SYS/#", "#") == [0x87, 0x87]
    api.want(broker, 204, "PUT", "/authorization/sources/file", source | {"rules": "{deny, all}."})
    assert codes_of(broker, "a/#") == [0x87], "changed rules are of the node's own"
    shown = api.want(broker, 200, "GET", "/authorization/sources/file")
    assert shown == {"type": "file", "enable": True, "rules": "{deny, all}."}
    api.want(broker, 204, "PUT", "/authorization/sources/file", shown)
    assert api.want(broker, 200, "GET", "/authorization/sources/file") == shown
    assert (folder / "acl.conf").read_text() == rules


def test_nothing_but_rules_is_shown_of_a_file(start_broker, tmp_path):
    """A path may name any file of the machine, also one that nobody can read to its end."""
    broker = start_broker(authorization=authorization(BUILT_IN))
    pipe, large, secret, latin = (tmp_path / name for name in ("pipe", "large", "secret", "latin"))
    os.mkfifo(pipe)
    large.write_text("{allow, all}.\n" * 80_000)
    secret.write_text("root:$6$hidden:19000:0:99999:7:::\n")
    latin.write_bytes(b"%% \xff\n{allow, all}.\n")
    rules = tmp_path / "rules"
    rules.write_text("%% mine\n{allow, all}.\n")
    file = lambda path, enable: {"type": "file", "enable": enable, "path": str(path)}
    api.want(broker, 204, "POST", "/authorization/sources", file(rules, False))
    assert api.want(broker, 200, "GET", "/authorization/sources/file") == file(rules, False) | {"rules": rules.read_text()}
    for path in (pipe, large, secret, latin, tmp_path, tmp_path / "none", "/dev/zero"):
        api.want(broker, 204, "PUT", "/authorization/sources/file", file(path, False))
        shown = api.want(broker, 200, "GET", "/authorization/sources/file")
        assert shown == file(path, False), path
        assert file(path, False) in api.want(broker, 200, "GET", "/authorization/sources")["sources"]
        api.want(broker, 204, "PUT", "/authorization/sources/file", shown)
        if path not in (large, latin):
            api.want(broker, 400, "PUT", "/authorization/sources/file", file(path, True))


def test_subscriptions_of_the_node_itself_are_asked_for(start_broker):
    """auto_subscribe: what the client may not subscribe to it does not get; that is counted, and nothing else happens."""
    topics = [{"topic": topic, "qos": 1} for topic in ("to/${clientid}", "$share/g/all/${clientid}", "no/${clientid}")]
    broker = start_broker(authorization=authorization(BUILT_IN, deny_action="disconnect"), auto_subscribe={"topics": topics})
    api.want(broker, 204, "POST", RULES + "/all", {"rules": [rule("to/${clientid}", action="subscribe"), rule("all/+", action="subscribe")]})
    with broker.client("c") as c:
        c.ping()
        held = {s["topic"] for s in api.want(broker, 200, "GET", "/clients/c/subscriptions")}
        assert held == {"to/c", "$share/g/all/c"}
        assert api.want(broker, 200, "GET", "/metrics")[0]["authorization.deny"] == 1
        api.want(broker, 200, "POST", "/publish", {"topic": "to/c", "payload": "x", "qos": 1})
        assert c.expect(raw.PUBLISH).topic == "to/c"
    with broker.client("+") as c:
        c.ping()
        assert api.want(broker, 200, "GET", "/clients/%2B/subscriptions") == []
