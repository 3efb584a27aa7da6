"""The authorization source http against a service of the test's own: answers, faults, templates (access-control 7.8)."""
import json
import socket
import ssl
import threading
import time
import urllib.parse

import pytest

from . import api, node, pki, raw, tokens
from .test_authn_http import UNWELL, active_alarms, said
from .test_authz_sources import authorization, may_publish, may_subscribe
from .test_ldap import wait_for

STATUS = "/authorization/sources/http/status"


def http(url, **more):
    return {"type": "http", "method": "post", "url": url + "/acl",
            "body": {"username": "${username}", "clientid": "${clientid}", "topic": "${topic}", "action": "${action}",
                     "qos": "${qos}", "retain": "${retain}", "access": "${access}"}} | more


def test_answers(start_broker):
    answer = {}
    allowed, denied, next_one = "allow", "deny", "nomatch"
    with tokens.Service(lambda _: answer["now"]) as service:
        # The file behind it tells "no opinion" from "deny": it allows.
        broker = start_broker(authorization=authorization(http(service.url), {"type": "file", "rules": "{allow, all}."},
                                                          cache={"enable": False}))
        expected = {"allow": 0, "deny": 0, "nomatch": 0, "total": 0}
        for service_answer, result in (
                (said(result="allow"), allowed), ((204, None, ""), allowed), (said(result="deny"), denied),
                (said(result="ignore"), "ignore"), (said(), next_one), (said(result=True), next_one), (said(result="x"), next_one),
                ((200, None, '{"result":"deny"}'), denied), ((200, "application/json", "["), next_one),
                ((200, "application/x-www-form-urlencoded", "result=deny"), denied),
                ((200, "text/html", '{"result":"deny"}'), next_one),
                ((401, None, ""), next_one), ((403, None, ""), next_one), ((500, None, ""), next_one), ((302, None, ""), next_one)):
            answer["now"] = service_answer
            assert may_publish(broker, "t") == (result != denied), service_answer
            expected["total"] += 1
            if result in expected:
                expected[result] += 1
        metrics = api.want(broker, 200, "GET", STATUS)["metrics"]
        assert {k: metrics[k] for k in expected} == expected


def test_what_is_asked(start_broker):
    evil = 'j"o,e\\ &x=1/../?#%'
    with tokens.Service(lambda _: said(result="allow")) as service:
        broker = start_broker(authorization=authorization(http(service.url)))
        assert may_publish(broker, 'a"/b&c', "dev", qos=1, retain=True, username=evil)
        assert json.loads(service.requests[-1]["body"]) == {"username": evil, "clientid": "dev", "topic": 'a"/b&c', "action": "publish",
                                                            "qos": "1", "retain": "true", "access": "2"}
        assert may_subscribe(broker, "$share/g/a/#", qos=2)
        asked = json.loads(service.requests[-1]["body"])
        assert (asked["topic"], asked["action"], asked["qos"], asked["access"]) == ("a/#", "subscribe", "2", "1")
        api.want(broker, 204, "PUT", "/authorization/sources/http",
                 http(service.url, method="get", body={}, headers={"x-topic": "${topic}"})
                 | {"url": service.url + "/${mountpoint}${proto_name}/${topic}?u=${username}"})
        assert may_publish(broker, "a/b c", username=evil)
        got = service.requests[-1]
        path, query = got["path"].split("?")
        assert path == "/MQTT/" + urllib.parse.quote("a/b c", safe="") and got["headers"]["x-topic"] == "a/b c"
        assert dict(urllib.parse.parse_qsl(query)) == {"u": evil}


def test_no_topic_leads_to_another_path(start_broker):
    """Denied, whatever comes after: a topic must not keep the service from being asked."""
    with tokens.Service(lambda request: (204, None, "")) as service:
        settings = http(service.url, method="get", body={}) | {"url": service.url + "/acl/${topic}/z"}
        broker = start_broker(authorization=authorization(settings, {"type": "file", "rules": "{allow, all}."}, no_match="allow"))
        assert may_publish(broker, "t") and service.requests[-1]["path"] == "/acl/t/z"
        asked = len(service.requests)
        for topic in ("..", ".", "a/../b", "../../public"):
            assert not may_publish(broker, topic) and not may_subscribe(broker, topic), topic
        assert len(service.requests) == asked


def test_wills_of_who_is_gone(start_broker, tmp_path):
    """All placeholders of the client are still known when its will is due, after a delay too."""
    authority = pki.Pki(tmp_path)
    certificate, key = authority.issue("device-7")
    own, own_key = authority.issue("server")
    port = node.free_port()
    body = {name: "${%s}" % name for name in ("topic", "cert_common_name", "cert_subject", "proto_name", "mountpoint", "peerhost",
                                              "username", "clientid")}
    with tokens.Service(lambda _: said(result="allow")) as service:
        broker = start_broker(
            authorization=authorization(http(service.url, body=body), cache={"enable": False}),
            listeners={"ssl": {"mine": {"bind": f"127.0.0.1:{port}", "mountpoint": "m/${clientid}/", "ssl_options": {
                "cacertfile": authority.ca, "certfile": own, "keyfile": own_key, "verify": "verify_peer",
                "fail_if_no_peer_cert": True}}}})
        context = ssl.create_default_context(cafile=authority.ca)
        context.load_cert_chain(certificate, key)
        for client_id, delay, restart in (("now", 0, False), ("later", 1, False), ("restarted", 3, True)):
            with broker.client("watch") as watch:
                watch.subscribe(("m/#", 0), codes=[0])
                dying = raw.Client(port, ssl=context)
                dying.send(raw.connect(client_id, username="joe", props={"session_expiry_interval": 60},
                                       will=raw.Will("w", b"gone", props={"will_delay_interval": delay})))
                dying.expect(raw.CONNACK, code=0)
                dying.close()
                if restart:
                    watch.close()
                    broker.restart()
                    watch = broker.client("watch")
                    watch.subscribe(("m/#", 0), codes=[0])
                assert watch.expect(raw.PUBLISH, timeout=10).topic == f"m/{client_id}/w"
                asked = json.loads(service.requests[-1]["body"])
                assert "device-7" in asked.pop("cert_subject")
                assert asked == {"topic": "w", "cert_common_name": "device-7", "proto_name": "MQTT", "peerhost": "127.0.0.1",
                                 "mountpoint": f"m/{client_id}/", "username": "joe", "clientid": client_id}


@pytest.mark.parametrize("no_match", ["allow", "deny"])
def test_wills_of_a_crash_are_judged_by_the_service(start_broker, no_match):
    """Not by what holds while the service is not connected yet."""
    kept = {"session_expiry_interval": 600}
    with tokens.Service(lambda asked: said(result="deny" if json.loads(asked["body"])["topic"] == "w/no" else "allow")) as service:
        broker = start_broker(authorization=authorization(http(service.url), no_match=no_match))
        with broker.client("watch", props=kept) as watch:
            watch.subscribe(("w/#", 1))
        dying = [broker.client(f"d{topic}", will=raw.Will(topic, b"gone", qos=1)) for topic in ("w/no", "w/yes")]
        broker.kill()
        for one in dying:
            one.close()
        broker.start()
        with broker.client("watch", clean_start=False, props=kept) as watch:
            assert watch.expect(raw.PUBLISH, timeout=10).topic == "w/yes"
            node.wait_until(lambda: "last_will_testament_publish_denied" in broker.log())
            watch.expect_nothing()
        asked = [json.loads(one["body"]) for one in service.requests]
        assert sorted(one["topic"] for one in asked if one["action"] == "publish") == ["w/no", "w/yes"]


def test_verdicts_are_kept_and_the_connection_alone_waits(start_broker):
    with tokens.Service(lambda request: (time.sleep(0.3), said(result="allow"))[1]) as service:
        broker = start_broker(authorization=authorization(http(service.url)))
        with broker.client("slow") as slow, broker.client("other") as other:
            slow.send(raw.publish("t", b"", qos=1, packet_id=1), raw.publish("t", b"", qos=1, packet_id=2), raw.pingreq())
            began = time.monotonic()
            other.ping()
            assert time.monotonic() - began < 0.25, "nobody else waits"
            assert slow.expect(raw.PUBACK).packet_id == 1
            assert slow.expect(raw.PUBACK).packet_id == 2
            slow.expect(raw.PINGRESP)
        assert len(service.requests) == 1, "the second publish takes the kept verdict"


@pytest.mark.parametrize("no_match", ["allow", "deny"])
@pytest.mark.parametrize("fault", ["dead", "hung", "garbage"])
def test_a_service_that_fails_is_no_answer(start_broker, fault, no_match):
    """The next source is asked, and in the end no_match: never a yes of the source itself."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    stop = []

    def garbage():
        while not stop:
            try:
                peer = server.accept()[0]
            except OSError:
                return
            with peer:
                peer.recv(65536)
                peer.sendall(b"\x00\xff\x01 not http\r\n\r\n")
    if fault == "dead":
        server.close()
    if fault == "garbage":
        threading.Thread(target=garbage, daemon=True).start()
    try:
        broker = start_broker(authorization=authorization(http(f"http://127.0.0.1:{port}", request_timeout="500ms"),
                                                          no_match=no_match, cache={"enable": False}))
        for _ in range(5):
            assert may_publish(broker, "t") == (no_match == "allow")
        wait_for(broker, STATUS, "disconnected")
        status = api.want(broker, 200, "GET", STATUS)
        assert status["node_error"] and status["resource_metrics"]["failed"] == 5
        assert status["metrics"]["total"] == 5 and status["metrics"]["allow"] == 0
        node.wait_until(lambda: "authorization:http" in active_alarms(broker))
        api.want(broker, 204, "DELETE", "/authorization/sources/http")
        deadline = time.monotonic() + 10
        while api.want(broker, 200, "GET", "/alarms?activated=true")["data"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        stop.append(True)
        server.close()


@pytest.mark.parametrize("answer, why", UNWELL)
def test_a_service_that_is_not_well_is_an_alarm_until_it_is(start_broker, answer, why):
    now = {"answer": answer}
    with tokens.Service(lambda _: now["answer"]) as service:
        broker = start_broker(authorization=authorization(http(service.url), cache={"enable": False}))
        may_publish(broker, "t")
        node.wait_until(lambda: why in active_alarms(broker).get("authorization:http:query", {}).get("message", ""))
        assert why in api.want(broker, 200, "GET", STATUS)["node_error"][0]["reason"]
        now["answer"] = said(result="deny")
        assert not may_publish(broker, "t")
        node.wait_until(lambda: "authorization:http:query" not in active_alarms(broker))


def test_stop_while_questions_are_out(start_broker):
    hung = socket.create_server(("127.0.0.1", 0))
    try:
        broker = start_broker(authorization=authorization(http(f"http://127.0.0.1:{hung.getsockname()[1]}",
                                                               request_timeout="30s")))
        clients = [broker.client(f"c{i}") for i in range(10)]
        for c in clients:
            c.send(raw.publish("t", b"", qos=1, packet_id=1))
        hung.settimeout(10)
        hung.accept()
        api.want(broker, 204, "DELETE", "/authorization/sources/http")
        began = time.monotonic()
        broker.stop()
        assert time.monotonic() - began < 10
        for c in clients:
            c.close()
    finally:
        hung.close()


def test_an_answer_that_was_asked_for_before_the_cache_was_cleared_is_not_kept(start_broker):
    asked, go = threading.Event(), threading.Event()
    result = {"now": "allow"}

    def answer(_):
        mine = result["now"]
        asked.set()
        assert go.wait(20)
        return said(result=mine)

    with tokens.Service(answer) as service:
        broker = start_broker(authorization=authorization(http(service.url, request_timeout="30s")))
        with broker.client("c") as c:
            c.send(raw.publish("t", b"", qos=1, packet_id=1))
            assert asked.wait(20)
            result["now"] = "deny"
            api.want(broker, 204, "DELETE", "/clients/c/authorization/cache")
            go.set()
            assert c.expect(raw.PUBACK).code == 0x10
            c.publish("t", qos=1, packet_id=2, code=0x87)
            assert len(service.requests) == 2
            c.publish("t", qos=1, packet_id=3, code=0x87)
            assert len(service.requests) == 2, "this one is kept"


def test_a_subscription_of_the_node_waits_for_the_answer(start_broker):
    go = threading.Event()
    with tokens.Service(lambda request: (go.wait(20), said(result="deny" if "no/" in request["body"] else "allow"))[1]) as service:
        broker = start_broker(authorization=authorization(http(service.url, request_timeout="30s")),
                              auto_subscribe={"topics": [{"topic": "to/${clientid}"}, {"topic": "no/${clientid}"}]})
        with broker.client("c") as c:
            c.ping()
            assert api.want(broker, 200, "GET", "/clients/c/subscriptions") == [], "the connection does not wait"
            go.set()
            node.wait_until(lambda: len(api.want(broker, 200, "GET", "/clients/c/subscriptions")) == 1
                     and api.want(broker, 200, "GET", "/metrics")[0]["authorization.deny"] == 1)
            assert [s["topic"] for s in api.want(broker, 200, "GET", "/clients/c/subscriptions")] == ["to/c"]
