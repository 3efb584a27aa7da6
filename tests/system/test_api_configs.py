"""Configuration by HTTP: roots, the whole, secrets, refusals that name the key."""
import json
import time

import pytest

from . import api, rest, secrecy


@pytest.mark.parametrize("path, change, key", [
    ("/configs/alarm", {"size_limit": 77}, "size_limit"),
    ("/configs/sys_topics", {"sys_heartbeat_interval": "45s"}, "sys_heartbeat_interval"),
    ("/configs/sysmon", {"os": {"cpu_high_watermark": "70%"}}, None),
    ("/mqtt/retainer", {"max_payload_size": "2MB"}, "max_payload_size"),
    ("/mqtt/delayed", {"max_delayed_messages": 9}, "max_delayed_messages"),
    ("/slow_subscriptions/settings", {"enable": True, "top_k_num": 5}, "top_k_num"),
    ("/prometheus", {"enable_basic_auth": True}, "enable_basic_auth"),
])
def test_a_root_is_read_and_written(broker, path, change, key):
    before = api.want(broker, 200, "GET", path)
    after = api.want(broker, 200, "PUT", path, change)
    assert set(after) == set(before)
    if key:
        assert after[key] == change[key]
        assert {k: v for k, v in after.items() if k not in change} == \
               {k: v for k, v in before.items() if k not in change}
    assert api.want(broker, 200, "GET", path) == after


def test_a_change_survives_a_restart(broker):
    api.want(broker, 200, "PUT", "/mqtt/delayed", {"max_delayed_messages": 41})
    broker.restart()
    assert api.want(broker, 200, "GET", "/mqtt/delayed")["max_delayed_messages"] == 41


@pytest.mark.parametrize("form", ["log.file { enable = true, level = info }", "log.file_handlers.default.level = info",
                                  "log.file.default { enable = true, level = info }", 'log.file { level = info, more { path = "${EMQX_LOG_DIR}/more.log" } }'])
def test_the_settings_of_the_log_come_back_in_every_form(start_broker, form):
    broker = start_broker(text=form)
    shown = api.want(broker, 200, "GET", "/configs/log")
    api.want(broker, 200, "PUT", "/configs/log", shown)
    broker.restart()
    assert api.want(broker, 200, "GET", "/configs/log") == shown
    text = api.want(broker, 200, "GET", "/configs?key=log")
    for change in (text, "log.file.default.level = warning", "log.file.level = error", 'log.file.extra.path = "${EMQX_LOG_DIR}/extra.log"'):
        assert api.call(broker, "PUT", "/configs", change.encode(), "text/plain")[0] == 200, change
    broker.restart()
    files = api.want(broker, 200, "GET", "/configs/log")["file"]
    assert files["extra"]["path"].endswith("/extra.log") and files["default"]["level"] == "info"


def test_a_nested_object_is_taken_whole(broker):
    api.want(broker, 200, "PUT", "/configs/sysmon", {"os": {"cpu_high_watermark": "70%"}})
    after = api.want(broker, 200, "PUT", "/configs/sysmon", {"os": {"cpu_low_watermark": "50%"}})
    assert after["os"]["cpu_high_watermark"] == "80%"  # the default again
    assert after["vm"]["process_high_watermark"] == "80%"


@pytest.mark.parametrize("path, change, named, value", [
    ("/configs/alarm", {"size_limit": 0}, "root.size_limit", 0),
    ("/configs/alarm", {"no_such_key": 1}, "root.no_such_key", None),
    ("/configs/sysmon", {"os": {"cpu_high_watermark": "170%"}}, "root.os.cpu_high_watermark", "170%"),
    ("/configs/log", {"console": {"level": "loud"}}, "root.console.level", "loud"),
    ("/mqtt/delayed", {"max_delayed_messages": -1}, "root.max_delayed_messages", -1),
    ("/mqtt/delayed", {"foo": 1}, "root.foo", None),
    ("/mqtt/retainer", {"max_payload_size": "big"}, "root.max_payload_size", "big"),
    ("/mqtt/auto_subscribe", [{"topic": "a"}, {"topic": "b", "qos": 3}], "root.2.qos", 3),
    ("/mqtt/topic_rewrite", [{"action": "all", "source_topic": "a/#", "dest_topic": "b/#", "re": "^a$"}], "root.1.dest_topic", "b/#"),
    ("/slow_subscriptions/settings", {"threshold": "slow"}, "root.threshold", "slow"),
    ("/prometheus", {"push_gateway": {"url": "ftp://x"}}, "root.push_gateway.url", "ftp://x"),
    ("/configs/global_zone", {"mqtt": {"max_inflight": 0}}, "root.mqtt.max_inflight", 0),
    ("/configs/limiter", {"messages_rate": "quick"}, "root.messages_rate", "quick"),
    ("/listeners/tcp:default", {"max_connections": "many"}, "root.max_connections", "many"),
    ("/authorization/settings", {"no_match": "deny", "deny_action": "ignore", "cache": {"ttl": "long"}}, "root.cache.ttl", "long"),
])
def test_a_refusal_names_the_key_and_changes_nothing(broker, path, change, named, value):
    before = api.want(broker, 200, "GET", path)
    refused = api.want(broker, 400, "PUT", path, change)
    assert refused["code"] == ("UPDATE_FAILED" if path.endswith("global_zone") else "BAD_REQUEST")
    error = json.loads(refused["message"])
    assert (error["kind"], error["path"], error.get("value")) == ("validation_error", named, value)
    assert error["reason"] and error["expected"]
    assert api.want(broker, 200, "GET", path) == before


def test_refusals_of_elements_of_lists_begin_at_what_was_sent(broker):
    def told(method, path, body):
        refused = api.want(broker, 400, method, path, body)
        assert refused["code"] == "BAD_REQUEST"
        errors = json.loads(refused["message"])
        return sorted(error["path"] for error in (errors if isinstance(errors, list) else [errors]))

    users = {"mechanism": "password_based", "backend": "built_in_database", "user_id_type": "username"}
    jwt = {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "of-the-tokens"}
    api.want(broker, 200, "POST", "/authentication", users)
    assert told("POST", "/authentication", jwt | {"algorithm": "none", "foo": 1}) == ["root.algorithm", "root.foo"]
    api.want(broker, 200, "POST", "/authentication", jwt)
    assert told("PUT", "/authentication/jwt", jwt | {"algorithm": "none"}) == ["root.algorithm"]
    of_listener = "/listeners/tcp:default/authentication"
    assert told("POST", of_listener, users | {"user_id_type": "name"}) == ["root.user_id_type"]
    api.want(broker, 204, "POST", "/authorization/sources", {"type": "built_in_database", "enable": True})
    assert told("PUT", "/authorization/sources/file", {"type": "file", "enable": "perhaps", "rules": "{allow, all}."}) == ["root.enable"]
    assert told("PUT", "/authorization/sources/file", {"type": "file", "rules": "{allow, all"}) == ["root.rules"]
    assert told("PUT", "/authorization/sources/built_in_database", {"type": "built_in_database", "foo": 1}) == ["root.foo"]
    body = {"type": "tcp", "name": "new", "bind": "127.0.0.1:0", "zone": "nowhere"}
    assert told("POST", "/listeners", body) == ["root.zone"]
    assert told("POST", "/listeners", body | {"zone": "default", "foo": 1, "enable": "maybe"}) == ["root.enable", "root.foo"]


def test_what_cannot_change_while_the_node_runs_is_no_mistake_of_the_body(broker):
    refused = api.want(broker, 400, "PUT", "/configs/dashboard", {"i18n_lang": "zh"})
    assert refused["code"] == "UPDATE_FAILED" and refused["message"].startswith("dashboard.i18n_lang = ")


def test_the_global_zone_changes_several_roots_at_once(broker):
    zone = api.want(broker, 200, "GET", "/configs/global_zone")
    assert set(zone) == {"mqtt", "flapping_detect", "force_shutdown", "force_gc"}
    after = api.want(broker, 200, "PUT", "/configs/global_zone",
                     {"mqtt": {"max_topic_levels": 7}, "force_gc": {"enable": False}})
    assert after["mqtt"]["max_topic_levels"] == 7 and after["force_gc"]["enable"] is False
    assert {k: v for k, v in after["mqtt"].items() if k != "max_topic_levels"} == \
           {k: v for k, v in zone["mqtt"].items() if k != "max_topic_levels"}
    api.want(broker, 400, "PUT", "/configs/global_zone", {"node": {}})


def test_limits_of_the_node(broker):
    assert api.want(broker, 200, "GET", "/configs/limiter")["max_conn_rate"] == "infinity"
    after = api.want(broker, 200, "PUT", "/configs/limiter", {"max_conn_rate": "1000/s"})
    assert after["max_conn_rate"] == "1000/s"
    assert "/configs/limiter" not in str(api.call(broker, "GET", "/../api-docs/swagger.json"))


def test_lists_are_replaced_and_bounded(broker):
    rule = {"action": "all", "source_topic": "a/#", "dest_topic": "b/$1", "re": "^a/(.+)$"}
    assert api.want(broker, 200, "PUT", "/mqtt/topic_rewrite", [rule]) == [rule]
    assert api.want(broker, 200, "GET", "/mqtt/topic_rewrite") == [rule]
    assert api.want(broker, 413, "PUT", "/mqtt/topic_rewrite", [rule] * 21)["code"] == "EXCEED_LIMIT"
    assert "root.2.re" in str(api.want(broker, 400, "PUT", "/mqtt/topic_rewrite", [rule, {**rule, "re": "("}]))
    filtered = api.want(broker, 400, "PUT", "/mqtt/topic_rewrite", [{**rule, "source_topic": "a/#/b"}])
    assert '"path":"root.1.source_topic"' in filtered["message"] and '"value":"a/#/b"' in filtered["message"]
    wild = {**rule, "dest_topic": "b/#"}
    assert api.want(broker, 400, "PUT", "/mqtt/topic_rewrite", [wild])["code"] == "BAD_REQUEST"
    assert api.want(broker, 200, "PUT", "/mqtt/topic_rewrite", [{**wild, "action": "subscribe"}])[0]["dest_topic"] == "b/#"
    assert api.want(broker, 200, "PUT", "/mqtt/topic_rewrite", []) == []
    topics = api.want(broker, 200, "PUT", "/mqtt/auto_subscribe", [{"topic": "c/${clientid}", "qos": 1}])
    assert topics == [{"topic": "c/${clientid}", "qos": 1, "rh": 0, "rap": 0, "nl": 0}]
    assert api.want(broker, 409, "PUT", "/mqtt/auto_subscribe", topics * 21)["code"] == "EXCEED_LIMIT"


def test_a_file_may_hold_more_rewrite_rules_than_the_operation_takes(start_broker):
    rule = {"action": "all", "source_topic": "a/#", "dest_topic": "b/$1", "re": "^a/(.+)$"}
    broker = start_broker(rewrite=[rule] * 40)
    assert len(api.want(broker, 200, "GET", "/mqtt/topic_rewrite")) == 40


def test_the_start_tells_what_it_ignores(start_broker):
    broker = start_broker(text="listners.tcp.default.bind = 1999\nlog.console.enable = false",
                          env={"EMQX_MQTT__NOPE": "1", "EMQX_NOPE__X": "1"})
    for told in ("listners: expected a known root; this one is ignored, did you mean listeners?",
                 "environment variable EMQX_MQTT__NOPE: mqtt.nope: expected a known key",
                 "environment variable EMQX_NOPE__X: nope.x: expected a known root"):
        assert told in broker.log()


def test_an_older_form_of_the_prometheus_settings_is_taken(broker):
    after = api.want(broker, 200, "PUT", "/prometheus",
                     {"push_gateway_server": "http://gateway:9091", "interval": "30s", "enable": False,
                      "vm_memory_collector": "enabled"})
    assert after["push_gateway"]["url"] == "http://gateway:9091" and after["push_gateway"]["interval"] == "30s"
    assert after["collectors"]["vm_memory"] == "enabled"
    # It is no layer below the present form: what was said there does not come back.
    api.want(broker, 200, "PUT", "/prometheus", {"push_gateway_server": "http://old:9091", "headers": {"Authorization": "Basic old"}})
    new = api.want(broker, 200, "PUT", "/prometheus", {"push_gateway": {"url": "http://new:9091"}})["push_gateway"]
    assert new["url"] == "http://new:9091" and new["headers"] == {} and new["interval"] == "15s"
    broker.restart()
    assert api.want(broker, 200, "GET", "/prometheus")["push_gateway"] == new


def test_headers_of_the_push_gateway_stay_within_their_line(broker):
    for headers in ({"x": "a\r\nEvil: 1"}, {"a b": "c"}, {"Content-Length": "3"}):
        refused = api.want(broker, 400, "PUT", "/prometheus", {"push_gateway": {"headers": headers}})
        assert "root.push_gateway.headers" in refused["message"] and "Evil" not in refused["message"]


def test_a_mountpoint_is_the_beginning_of_a_topic_name(broker):
    for mountpoint in ("a/#", "+/", "${nobody}/"):
        refused = api.want(broker, 400, "PUT", "/listeners/tcp:default", {"mountpoint": mountpoint})
        assert "root.mountpoint" in refused["message"]


def test_the_whole_as_text_and_as_json(broker):
    connection = api._Unix(str(broker.data / "ctl.sock"))

    def dump(accept, query=""):
        connection.request("GET", "/api/v5/configs" + query, headers={"Accept": accept} if accept else {})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()

    try:
        for accept in ("", "*/*", "text/plain", "text/plain, application/json"):
            status, kind, text = dump(accept)
            assert status == 200 and kind.startswith("text/plain") and "retainer" in text
        status, kind, text = dump("application/json")
        assert status == 200 and "json" in kind and '"sysmon"' in text and '"retainer"' not in text
        assert dump("image/png")[0] == 400
        assert dump("", "?key=retainer")[2].startswith("retainer")
        assert dump("", "?node=other@1.2.3.4")[0] == 404
        assert dump("", "?key=no_such_root")[0] == 400
    finally:
        connection.close()


def test_loading_text(broker):
    put = lambda status, text, query="": api.want(broker, status, "PUT", "/configs" + query, text.encode(),
                                                  content_type="text/plain")
    put(200, "delayed { max_delayed_messages = 12 }\nmqtt.max_topic_levels = 9")
    assert api.want(broker, 200, "GET", "/mqtt/delayed") == {"enable": True, "max_delayed_messages": 12}
    put(200, "delayed { enable = false }", "?mode=replace")
    assert api.want(broker, 200, "GET", "/mqtt/delayed") == {"enable": False, "max_delayed_messages": 0}
    assert "update_readonly_keys_prohibited" in put(400, "node.name = x@y")
    assert "foo" in put(400, "foo.bar = 1") and "foo" not in api.call(broker, "GET", "/configs")[1]
    assert "include is not allowed here" in put(400, 'include "/etc/passwd"')
    before = api.want(broker, 200, "GET", "/mqtt/delayed")
    put(400, "delayed { enable = maybe }\nmqtt.max_topic_levels = 10")
    put(400, "delayed {")
    assert api.want(broker, 200, "GET", "/mqtt/delayed") == before
    put(200, "node.cookie = other\ndelayed.max_delayed_messages = 13", "?ignore_readonly=true")
    assert api.want(broker, 200, "GET", "/mqtt/delayed")["max_delayed_messages"] == 13


def test_every_mistake_of_every_root_is_told(broker):
    admin = rest.Rest(broker).login()
    refused = json.loads(admin.configure(
        "mqtt { max_inflight = 0 max_topic_levels = 0 }\ndelayed.enable = maybe\nfoo.bar = 1", 400))
    assert set(refused) == {"mqtt", "delayed", "foo"}
    assert {error["path"] for error in refused["mqtt"]} == {"mqtt.max_topic_levels", "mqtt.max_inflight"}
    assert refused["delayed"]["path"] == "delayed.enable" and refused["foo"]["reason"] == "config_key_not_recognized"
    assert all(error["kind"] == "validation_error" for error in (*refused["mqtt"], refused["delayed"], refused["foo"]))
    assert "opened at line 1" in admin.configure("delayed {", 400)
    assert admin.configure("mqtt { max_topic_levels = 9 max_inflight = 40 }") == ""  # as 5.4: nothing to say
    assert admin.want(200, "GET", "/configs/global_zone")["mqtt"]["max_inflight"] == 40


def test_secrets_are_never_shown_and_a_mask_keeps_them(broker):
    chain = [{"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "very-secret-indeed",
              "from": "password", "enable": True}]
    api.want(broker, 200, "PUT", "/configs", ("authentication = " + str(chain).replace("True", "true").replace(
        "False", "false").replace("'", '"').replace(":", "=")).encode(), content_type="text/plain")
    shown = api.call(broker, "GET", "/configs?key=authentication")[1]
    assert "very-secret-indeed" not in shown and "******" in shown
    api.want(broker, 200, "PUT", "/configs", shown.encode(), content_type="text/plain")
    assert "very-secret-indeed" in (broker.data / "configs/cluster.hocon").read_text()
    assert "******" not in (broker.data / "configs/cluster.hocon").read_text()


def test_secrets_in_headers_and_urls_are_never_shown(broker):
    gateway = {"url": "http://joe:Gate-way-pass@127.0.0.1:9091", "headers": {"Authorization": "Basic Z2F0ZXdheQ==", "X-API-Key": "K3y-of-gateway"}}
    hidden = ("Gate-way-pass", "Z2F0ZXdheQ==", "K3y-of-gateway")
    answer = api.want(broker, 200, "PUT", "/prometheus", {"push_gateway": gateway})
    chain = {"mechanism": "password_based", "backend": "http", "method": "post", "url": "http://ann:Gate-way-pass@127.0.0.1:1/a",
             "headers": {"AUTHORIZATION": "Z2F0ZXdheQ==", "content-type": "application/json"}, "body": {"username": "${username}"}}
    api.want(broker, 200, "POST", "/authentication", chain)
    source = {**chain, "type": "http", "enable": True}
    del source["mechanism"], source["backend"]
    assert api.call(broker, "POST", "/authorization/sources", source)[0] in (200, 204)
    for path in ("/prometheus", "/configs", "/authentication", "/authorization/sources", "/audit"):
        text = str(api.want(broker, 200, "GET", path))
        assert not any(word in text for word in hidden), path
    assert answer["push_gateway"]["url"] == "http://joe:******@127.0.0.1:9091"
    api.want(broker, 200, "PUT", "/prometheus", answer)  # what was shown keeps what is stored
    kept = (broker.data / "configs/cluster.hocon").read_text()
    assert all(word in kept for word in hidden) and "******" not in kept
    answer["push_gateway"]["url"] = "http://joe:******@elsewhere.example:9091"
    error = json.loads(api.want(broker, 400, "PUT", "/prometheus", answer)["message"])
    assert (error["path"], error["value"]) == ("root.push_gateway.url", "http://joe:******@elsewhere.example:9091")


def test_a_key_returns_to_its_default(broker):
    api.want(broker, 200, "PUT", "/mqtt/delayed", {"max_delayed_messages": 12})
    api.want(broker, 200, "POST", "/configs_reset/delayed?conf_path=max_delayed_messages")
    assert api.want(broker, 200, "GET", "/mqtt/delayed")["max_delayed_messages"] == 0
    assert api.want(broker, 400, "POST", "/configs_reset/node")["code"] == "REST_FAILED"


def test_ids_of_listeners(broker):
    for id_, status in (("foo", 400), ("tcp:", 400), (":default", 400), ("tcp:nope", 404), ("tcp:default", 200)):
        answer = api.want(broker, status, "GET", f"/listeners/{id_}")
        assert status == 200 or answer["code"] == "BAD_LISTENER_ID"


def test_the_schema_of_the_forms(broker):
    schema = api.want(broker, 200, "GET", "/schemas/hotconf")
    roots = {root["name"]: root for root in schema["roots"]}
    field = {f["name"]: f for f in roots["alarm"]["fields"]}["size_limit"]
    assert field["default"] == 1000 and field["minimum"] == 1 and field["maximum"] == 3000
    assert api.want(broker, 200, "GET", "/schemas/actions")["roots"] == []
    api.want(broker, 400, "GET", "/schemas/other")


def test_what_is_inside_single_sign_on_is_masked(start_broker):
    secret = "Sso-of-nobody-9876"
    secrecy.note(secret)
    broker = start_broker(text=f'dashboard.sso {{ ldap {{ enable = false, bind_password = "{secret}1", server = "127.0.0.1:1" }}, '
                               f'oidc {{ client_id = me, secret = "{secret}2" }}, saml {{ sp_private_key = "{secret}3" }} }}')
    for shown in (api.want(broker, 200, "GET", "/configs/dashboard"), api.want(broker, 200, "GET", "/configs"),
                  broker.ctl("conf", "show")):
        assert secret not in str(shown) and "127.0.0.1:1" in str(shown) and "******" in str(shown)


def test_a_listener_that_is_restarted_stays_started(start_broker):
    broker = start_broker()
    broker.ctl("listeners", "stop", "tcp:default")
    broker.ctl("listeners", "restart", "tcp:default")
    broker.restart()
    with broker.client("c"):
        pass


def test_a_configuration_that_swells_is_refused_at_once(broker):
    bomb = "a0 = [" + "1," * 10 + "]\n" + "".join(f"a{n} = [" + f"${{a{n - 1}}}," * 10 + "]\n" for n in range(1, 12))
    began = time.monotonic()
    assert "substitutions that grow" in str(api.want(broker, 400, "PUT", "/configs", bomb.encode(), content_type="text/plain"))
    assert time.monotonic() - began < 3
