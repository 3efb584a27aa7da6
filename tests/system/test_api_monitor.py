"""Overview, metrics page, what a single node says of a cluster, error codes."""
import http.server
import re
import threading
import time

from . import api, node as nodes, raw


def test_rates_and_gauges_of_right_now(broker):
    with broker.client("watched") as client:
        client.subscribe("a/+")
        deadline = time.monotonic() + 10
        while True:
            now = api.want(broker, 200, "GET", "/monitor_current")
            if now["live_connections"] == 1 and now["subscriptions"] == 1:
                break
            assert time.monotonic() < deadline, now
            time.sleep(0.1)
        for key in ("received_msg_rate", "sent_msg_rate", "dropped_msg_rate", "topics", "connections",
                    "retained_msg_count", "node_uptime", "shared_subscriptions"):
            assert isinstance(now[key], int), key
        assert api.want(broker, 200, "GET", "/monitor_current/nodes/signalbox@127.0.0.1").keys() == now.keys()
        assert api.want(broker, 404, "GET", "/monitor_current/nodes/no@where")["code"] == "NOT_FOUND"


def test_sessions_that_are_or_were_active(broker):
    with broker.client("on"):
        gone = broker.client()
        gone.connect("gone", props={"session_expiry_interval": 600})
        gone.close()
        now = int(time.time())
        deadline = time.monotonic() + 10
        while api.want(broker, 200, "GET", "/clients/gone")["connected"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert api.want(broker, 200, "GET", "/sessions_count") == 2
        assert api.want(broker, 200, "GET", f"/sessions_count?since={now - 60}") == 2
        assert api.want(broker, 200, "GET", f"/sessions_count?since={now + 600}") == 1
        assert api.want(broker, 400, "GET", "/sessions_count?since=x")["code"] == "BAD_REQUEST"


def test_history_is_kept_over_a_restart(tmp_path):
    broker = nodes.Node(tmp_path, text="dashboard.sample_interval = 1s").start()
    try:
        broker.client("a").close()
        deadline = time.monotonic() + 15
        while len(api.want(broker, 200, "GET", "/monitor")) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        first = api.want(broker, 200, "GET", "/monitor")[0]
        assert first["time_stamp"] % 1000 == 0
        assert set(first) == {"time_stamp", "received", "sent", "dropped", "subscriptions", "topics", "connections",
                              "live_connections"}
        broker.restart()
        stamps = [row["time_stamp"] for row in api.want(broker, 200, "GET", "/monitor")]
        assert first["time_stamp"] in stamps and stamps == sorted(stamps)
        assert len(api.want(broker, 200, "GET", "/monitor?latest=1")) <= 2
        api.want(broker, 400, "GET", "/monitor?latest=0")
        api.want(broker, 404, "GET", "/monitor/nodes/no@where")
    finally:
        broker.stop()


def families(text):
    """{name: (type, value)} of a page; every family has one type, one text and one sample."""
    out = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        assert name not in out, f"{name} twice"
        assert re.search(rf"^# HELP {name} \S", text, re.M), name
        value = re.search(rf"^{name} (\S+)$", text, re.M)
        out[name] = (kind, float(value.group(1)) if value else None)
    return out


def test_the_metrics_page(broker):
    with broker.client("c") as client:
        client.publish("a", b"x", qos=1)
        page = api.want(broker, 200, "GET", "/prometheus/stats")
        found = families(page)
    gauges = [n for n, (kind, _) in found.items() if kind == "gauge"]
    counters = [n for n, (kind, _) in found.items() if kind == "counter"]
    assert len(gauges) == 28 and len(counters) >= 89
    for name in ("emqx_connections_count", "emqx_live_connections_max", "emqx_vm_cpu_use", "emqx_vm_total_memory",
                 "emqx_cluster_nodes_running", "emqx_packets_connect", "emqx_messages_dropped_expired",
                 "emqx_messages_retained", "emqx_authorization_matched_allow", "emqx_session_takenover",
                 "emqx_delivery_dropped_queue_full", "emqx_bytes_received"):
        assert name in found, name
    assert "emqx_channels_count" not in found
    assert found["emqx_messages_received"][1] >= 1


def test_counters_that_scripts_of_emqx_ask_for_are_there(broker):
    counters = api.want(broker, 200, "GET", "/metrics?aggregate=true")
    for name in ("rules.matched", "actions.success", "actions.failure", "messages.retained"):
        assert counters[name] == 0
    with broker.client("asks") as client:
        client.subscribe("t")
    counters = api.want(broker, 200, "GET", "/metrics?aggregate=true")
    assert counters["client.check_authz"] == counters["client.authorize"] > 0


def test_metrics_may_name_the_node(broker):
    node = api.want(broker, 200, "GET", "/nodes")[0]["node"]
    for mode in ("node", "all_nodes_aggregated"):
        assert re.search(r"^emqx_connections_count \d+$", api.want(broker, 200, "GET", f"/prometheus/stats?mode={mode}"), re.M)
    page = api.want(broker, 200, "GET", "/prometheus/stats?mode=all_nodes_unaggregated")
    assert f'emqx_connections_count{{node="{node}"}} 0' in page
    assert all(f'node="{node}"' in line for line in page.splitlines() if line and not line.startswith("#"))
    assert "mode" in api.want(broker, 400, "GET", "/prometheus/stats?mode=all")["message"]


def test_the_metrics_page_of_access_control(start_broker):
    builtin = {"mechanism": "password_based", "backend": "built_in_database", "user_id_type": "username"}
    broker = start_broker(authentication=[builtin, {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based",
                                                    "secret": "Metrics-of-nobody-1234567890abcdef", "enable": False}],
                          authorization={"no_match": "deny", "sources": [{"type": "file", "rules": '{allow, all, publish, ["a"]}.'}]})
    users = "/authentication/password_based:built_in_database/users"
    api.want(broker, 201, "POST", users, {"user_id": "joe", "password": "p"})
    api.want(broker, 200, "POST", "/banned", {"as": "peerhost_net", "who": "192.0.2.0/24"})
    with broker.client("c", username="joe", password="p") as client:
        client.publish("a", b"x", qos=1)
        client.publish("b", b"x", qos=1, code=0x87)
    with raw.Client(broker.port) as refused:
        refused.send(raw.connect("d", username="joe", password="q"))
        refused.expect(raw.CONNACK)
    page = api.want(broker, 200, "GET", "/prometheus/auth")
    families(page)
    for line in ('emqx_authn_enable{id="password_based:built_in_database"} 1', 'emqx_authn_enable{id="jwt"} 0',
                 'emqx_authn_status{id="password_based:built_in_database"} 1', 'emqx_authn_success{id="password_based:built_in_database"} 1',
                 'emqx_authn_failed{id="password_based:built_in_database"} 1', 'emqx_authn_total{id="password_based:built_in_database"} 2',
                 'emqx_authz_enable{type="file"} 1', 'emqx_authz_allow{type="file"} 1', 'emqx_authz_nomatch{type="file"} 1',
                 "emqx_banned_count 1", "emqx_authz_builtin_rules_count 0"):
        assert line in page.splitlines(), page
    assert 'emqx_banned_count{node="' in api.want(broker, 200, "GET", "/prometheus/auth?mode=all_nodes_unaggregated")


def test_families_of_the_process_can_be_switched_on(broker):
    collectors = {name: "enabled" for name in ("vm_memory", "vm_statistics", "vm_system_info", "vm_msacc", "mnesia",
                                               "vm_dist")}
    api.want(broker, 200, "PUT", "/prometheus", {"collectors": collectors})
    page = api.want(broker, 200, "GET", "/prometheus/stats")
    for name in ('signalbox_process_memory_bytes{kind="resident"}', 'signalbox_shard_load_ratio{shard="0"}',
                 "signalbox_process_threads", 'signalbox_process_cpu_seconds_total{mode="user"}',
                 'signalbox_store_records{table="retained"}'):
        assert name in page, name


def test_metrics_are_pushed(broker):
    got = []

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.append((self.path, self.headers["X-Who"], body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api.want(broker, 200, "PUT", "/prometheus", {"push_gateway": {
            "enable": True, "url": f"http://127.0.0.1:{server.server_port}", "interval": "1s",
            "headers": {"X-Who": "tests"}}})
        deadline = time.monotonic() + 10
        while not got:
            assert time.monotonic() < deadline, broker.log()
            time.sleep(0.05)
        path, who, body = got[0]
        assert path == "/metrics/job/signalbox/instance/signalbox~127.0.0.1" and who == "tests"
        assert "emqx_connections_count" in families(body)
        api.want(broker, 200, "PUT", "/prometheus", {"push_gateway": {"enable": False}})
    finally:
        server.shutdown()
        server.server_close()


def test_a_push_gateway_that_is_down_is_told_without_its_password(start_broker):
    broker = start_broker(prometheus={"push_gateway": {"enable": True, "interval": "1s",
                                                       "url": "http://joe:gateway-5ecret@127.0.0.1:1/?token=gateway-t0ken"}})
    deadline = time.monotonic() + 10
    while "push_gateway_failed" not in broker.log():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "url: http://joe:******@127.0.0.1:1/?token=******" in broker.log()


def test_a_node_alone(broker):
    me = "signalbox@127.0.0.1"
    assert api.want(broker, 200, "GET", "/cluster") == {"name": "emqxcl", "nodes": [me], "self": me}
    assert api.want(broker, 200, "GET", "/cluster/topology") == [{"core_node": me, "replicant_nodes": []}]
    for name in (me, "nonsense", "other@10.0.0.1"):
        api.want(broker, 400, "PUT", f"/cluster/{name}/invite")
        api.want(broker, 400, "PUT", f"/cluster/{name}/invite_async")
    assert api.want(broker, 200, "GET", "/cluster/invitation") == {"in_progress": [], "succeed": [], "failed": []}
    api.want(broker, 400, "DELETE", "/cluster/other@10.0.0.1/force_leave")
    assert api.want(broker, 200, "GET", "/load_rebalance/status") == {"status": "disabled"}
    assert api.want(broker, 200, "GET", "/load_rebalance/global_status") == \
        {"evacuations": [], "purges": [], "rebalances": []}
    assert api.want(broker, 200, "GET", "/load_rebalance/availability_check") == {}
    assert api.want(broker, 200, "GET", "/node_eviction/status") == {"status": "disabled"}
    for path in ("start", "stop", "evacuation/start", "evacuation/stop"):
        assert api.want(broker, 400, "POST", f"/load_rebalance/{me}/{path}", {})["code"] == "BAD_REQUEST"
        assert api.want(broker, 404, "POST", f"/load_rebalance/no@where/{path}", {})["code"] == "NOT_FOUND"
    api.want(broker, 400, "POST", f"/load_rebalance/{me}/evacuation/start", {"no_such": 1})


def test_error_codes(broker):
    codes = {row["code"] for row in api.want(broker, 200, "GET", "/error_codes")}
    assert {"BAD_REQUEST", "NOT_FOUND", "EXCEED_LIMIT", "UNAUTHORIZED_ROLE", "NOT_IMPLEMENTED"} <= codes
    assert api.want(broker, 200, "GET", "/error_codes/NOT_FOUND")["description"]
    api.want(broker, 400, "GET", "/error_codes/NOPE")
