"""password_based:http against a service of the test's own: answers, faults, templates (access-control 4.6)."""
import json
import socket
import threading
import time
import urllib.parse

import pytest

from . import api, raw, servers, stored, tokens
from .node import wait_until
from .test_authn_database import NOT_AUTHORIZED, OK, code_of

ID = "password_based:http"


def http(url, **more):
    return {"mechanism": "password_based", "backend": "http", "method": "post", "url": url + "/auth",
            "body": {"username": "${username}", "password": "${password}", "clientid": "${clientid}", "n": 5}} | more


def said(**fields):
    return 200, "application/json", json.dumps(fields)


def test_answers(start_broker):
    answer = {}
    with tokens.Service(lambda _: answer["now"]) as service:
        broker = start_broker(authentication=[http(service.url)], text='authorization { no_match = deny, sources = [] }')
        for service_answer, code in ((said(result="allow"), OK), (said(result="deny"), NOT_AUTHORIZED), ((204, None, ""), OK),
                          (said(result="ignore"), NOT_AUTHORIZED), (said(), NOT_AUTHORIZED), (said(result=True), NOT_AUTHORIZED),
                          (said(result="ALLOW"), NOT_AUTHORIZED), ((200, "application/json", "{"), NOT_AUTHORIZED),
                          ((200, "application/json", "[]"), NOT_AUTHORIZED), ((200, None, "result=allow"), NOT_AUTHORIZED),
                          ((200, "text/plain", '{"result":"allow"}'), NOT_AUTHORIZED),
                          ((200, "application/x-www-form-urlencoded", "result=allow&is_superuser=true"), OK),
                          ((401, None, ""), NOT_AUTHORIZED), ((302, None, ""), NOT_AUTHORIZED), ((500, None, ""), NOT_AUTHORIZED),
                          (said(result="allow", expire_at=1), NOT_AUTHORIZED),
                          (said(result="allow", expire_at=1.5), NOT_AUTHORIZED), (said(result="allow", expire_at="soon"), NOT_AUTHORIZED),
                          (said(result="allow", expire_at=None), NOT_AUTHORIZED), (said(result="allow", expire_at=[9e9]), NOT_AUTHORIZED),
                          (said(result="allow", expire_at=9e9 + 0.5), OK),
                          ((200, "Application/JSON; charset=utf-8", '{"result":"allow"}'), OK)):
            answer["now"] = service_answer
            assert code_of(broker, "joe", "p") == code, service_answer
        assert all(r["path"] == "/auth" for r in service.requests), "redirects are not followed"
        for superuser in (True, False):
            answer["now"] = said(result="allow", is_superuser=superuser)
            with broker.client("c", username="joe", password="p") as c:
                c.publish("t", qos=1, code=0x10 if superuser else 0x87)
        answer["now"] = said(result="allow", expire_at=int(time.time()) + 2)
        with broker.client("c", username="joe", password="p") as c:
            c.expect_disconnect(0x87, timeout=10)


def test_only_deny_ends_the_chain(start_broker):
    answer = {}
    with tokens.Service(lambda _: answer["now"]) as service:
        broker = start_broker(authentication=[http(service.url), {"mechanism": "password_based",
                                                                  "backend": "built_in_database"}])
        api.want(broker, 201, "POST", "/authentication/password_based:built_in_database/users",
                 {"user_id": "joe", "password": "p"})
        for service_answer, code in ((said(result="deny"), NOT_AUTHORIZED), ((401, None, ""), OK), ((503, None, ""), OK)):
            answer["now"] = service_answer
            assert code_of(broker, "joe", "p") == code
        metrics = api.want(broker, 200, "GET", f"/authentication/{ID}/status")["metrics"]
        assert {k: metrics[k] for k in ("total", "failed", "nomatch")} == {"total": 3, "failed": 1, "nomatch": 2}


def test_requests_are_made_of_templates(start_broker):
    evil = 'j"o,e\\ &x=1/../?#%'
    with tokens.Service(lambda _: said(result="allow")) as service:
        broker = start_broker(authentication=[http(service.url, headers={"X-Who": "${clientid}", "Accept": "text/html"})])
        assert code_of(broker, evil, "pä\u20ac", "dev-1") == OK
        got = service.requests[-1]
        assert got["method"] == "POST" and json.loads(got["body"]) == \
            {"username": evil, "password": "pä\u20ac", "clientid": "dev-1", "n": 5}
        assert got["headers"]["x-who"] == "dev-1" and got["headers"]["accept"] == "text/html"
        assert got["headers"]["content-type"] == "application/json"
        assert code_of(broker, "joe", None, "dev-1") == OK, "a client without a password is the service's to judge"
        assert json.loads(service.requests[-1]["body"])["password"] == ""
        api.want(broker, 204, "PUT", f"/authentication/{ID}",
                 http(service.url, headers={"content-type": "application/x-www-form-urlencoded"}))
        assert code_of(broker, evil, "p&q=r") == OK
        assert dict(urllib.parse.parse_qsl(service.requests[-1]["body"]))["username"] == evil
        assert dict(urllib.parse.parse_qsl(service.requests[-1]["body"]))["password"] == "p&q=r"
        get = http(service.url, method="get") | {"url": service.url + "/u/${username}?x=${clientid}&y=z"}
        api.want(broker, 204, "PUT", f"/authentication/{ID}", get)
        evil = evil.replace("..", "a")  # or it would not be asked
        assert code_of(broker, evil, "p", "a/b") == OK
        got = service.requests[-1]
        path, query = got["path"].split("?")
        assert got["method"] == "GET" and path == "/u/" + urllib.parse.quote(evil, safe="")
        assert dict(urllib.parse.parse_qsl(query)) == {"x": "a/b", "y": "z", "username": evil, "password": "p",
                                                       "clientid": "a/b", "n": "5"}


def test_no_name_leads_to_another_path(start_broker):
    """Neither by the dots of libcurl nor by those of a server that goes up by itself."""
    def answer(request):
        return (204, None, "") if request["path"].startswith("/public") else said(result="deny")

    with tokens.Service(answer) as service:
        settings = http(service.url, method="get", body={}) | {"url": service.url + "/x/../tenants/${clientid}/public"}
        broker = start_broker(authentication=[settings])
        assert code_of(broker, "joe", "p", "c1") == NOT_AUTHORIZED
        assert service.requests[-1]["path"] == "/x/../tenants/c1/public", "the path of the settings is asked as it stands"
        asked = len(service.requests)
        for name in ("..", ".", "../..", "a/../../..", "..\\..", "%2e%2e", "..%2f.."):
            assert code_of(broker, "joe", "p", name) == NOT_AUTHORIZED, name
        assert len(service.requests) == asked, "a path that leads elsewhere is not asked for"


@pytest.mark.parametrize("bad", [
    {"url": "http://${clientid}/auth"}, {"url": "ftp://h/"}, {"url": "https://127.0.0.1/"}, {"method": "put"},
    {"method": "get", "headers": {"content-type": "application/json"}}, {"headers": {"content-type": "text/plain"}},
    {"headers": {"a": "b\r\nc: d"}}, {"headers": "x"}, {"headers": ["a"]}, {"body": True}, {"body": 5},
    {"url": "http:///x"}, {"url": "http://h:99999/"}, {"url": "http://h:0/"}, {"url": "http://h:/"}, {"request_timeout": "never"}], ids=lambda b: next(iter(b)))
def test_settings_that_are_refused(start_broker, bad):
    broker = start_broker()
    api.want(broker, 400, "POST", "/authentication", http("http://127.0.0.1:1") | bad)
    assert code_of(broker) == OK


def test_secrets_in_files(start_broker, tmp_path):
    for name in ("header", "body"):
        (tmp_path / name).write_text(f"${{username}} of-{name}\n")
    with tokens.Service(lambda _: said(result="allow")) as service:
        broker = start_broker(authentication=[http(service.url, headers={"X-Key": f"file://{tmp_path}/header"},
                                                   body={"key": f"file://{tmp_path}/body", "u": "${username}"})])
        assert code_of(broker, "joe", "p") == OK
        got = service.requests[-1]
        assert {k.lower(): v for k, v in got["headers"].items()}["x-key"] == "${username} of-header", "it is no template"
        assert json.loads(got["body"]) == {"key": "${username} of-body", "u": "joe"}


def test_a_service_that_hangs_holds_nobody_else_up(start_broker):
    hung = socket.create_server(("127.0.0.1", 0))  # accepts in the kernel, never answers
    try:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}"
        broker = start_broker(authentication=[http(url, request_timeout="1s")])
        waiting = [raw.Client(broker.port) for _ in range(20)]
        began = time.monotonic()
        for i, c in enumerate(waiting):
            c.send(raw.connect(f"c{i}", username="joe", password="p"))
        gone = raw.Client(broker.port)
        gone.send(raw.connect("gone", username="joe", password="p"))
        gone.close()
        assert api.want(broker, 200, "GET", "/authentication")[0]["id"] == ID, "management answers"
        for c in waiting:
            c.expect(raw.CONNACK, timeout=10, code=NOT_AUTHORIZED)
            c.close()
        assert 0.8 < time.monotonic() - began < 6
        assert stored.want_status(broker, ID, "disconnected")["node_error"][0]["reason"]
        began = time.monotonic()
        assert code_of(broker, "joe", "p") == NOT_AUTHORIZED
        assert time.monotonic() - began < 0.5, "left alone: refused at once"
        stored.want_alarm(broker, ID)
    finally:
        hung.close()


def test_a_service_that_comes_back(start_broker):
    place = socket.create_server(("127.0.0.1", 0))
    port = place.getsockname()[1]
    place.close()
    broker = start_broker(authentication=[http(f"http://127.0.0.1:{port}")])
    for _ in range(5):
        assert code_of(broker, "joe", "p") == NOT_AUTHORIZED
    server = socket.create_server(("127.0.0.1", port))

    def serve():
        while True:
            try:
                peer = server.accept()[0]
            except OSError:
                return
            with peer:
                if peer.recv(65536):
                    peer.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    threading.Thread(target=serve, daemon=True).start()
    try:
        deadline = time.monotonic() + 15
        while code_of(broker, "joe", "p") != OK:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert api.want(broker, 200, "GET", f"/authentication/{ID}/status")["status"] == "connected"
    finally:
        server.close()


def test_stop_while_questions_are_out(start_broker):
    hung = socket.create_server(("127.0.0.1", 0))
    try:
        broker = start_broker(authentication=[http(f"http://127.0.0.1:{hung.getsockname()[1]}", request_timeout="30s")])
        clients = [raw.Client(broker.port) for _ in range(10)]
        for i, c in enumerate(clients):
            c.send(raw.connect(f"c{i}", username="joe", password="p"))
        hung.settimeout(10)
        hung.accept()
        began = time.monotonic()
        broker.stop()
        assert time.monotonic() - began < 10
        for c in clients:
            c.close()
    finally:
        hung.close()


def test_a_slow_service_is_waited_for(start_broker):
    def answer(_):
        time.sleep(0.7)
        return said(result="allow")
    with tokens.Service(answer) as service:
        broker = start_broker(authentication=[http(service.url, request_timeout="3s")])
        began = time.monotonic()
        waiting = [raw.Client(broker.port) for _ in range(8)]
        for i, c in enumerate(waiting):
            c.send(raw.connect(f"c{i}", username="joe", password="Sl0w-service"))
        for c in waiting:
            c.expect(raw.CONNACK, timeout=10, code=OK)
            c.close()
        assert 0.6 < time.monotonic() - began < 4, "side by side"


@pytest.mark.parametrize("garbage", [b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                                     b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{", b"HTTP/1.1 999 x\r\n\r\n" + b"h: v\r\n" * 9000])
def test_garbage_is_no_answer(start_broker, garbage):
    with servers.Scripted(answer=garbage) as rubbish:
        broker = start_broker(authentication=[http(f"http://127.0.0.1:{rubbish.port}", request_timeout="1s")])
        for _ in range(4):
            began = time.monotonic()
            assert code_of(broker, "joe", "G4rbage-service") == NOT_AUTHORIZED
            assert time.monotonic() - began < 4
        metrics = api.want(broker, 200, "GET", f"/authentication/{ID}/status")["metrics"]
        assert metrics["nomatch"] == metrics["total"] == 4
        broker.stop()


UNWELL = [((500, None, ""), "answers 500"), ((200, "application/json", "{"), "answers what is no JSON object"),
          ((200, "text/html", "<p>"), "answers neither JSON nor a form"), (said(), "answers without a result"),
          (said(result="maybe"), "answers a result that is not allow, deny or ignore")]


def active_alarms(broker):
    return {one["name"]: one for one in api.want(broker, 200, "GET", "/alarms?activated=true")["data"]}


@pytest.mark.parametrize("answer, why", UNWELL)
def test_a_service_that_is_not_well_is_an_alarm_until_it_is(start_broker, answer, why):
    now = {"answer": answer}
    name = f"authenticator:{ID}:mqtt:global:query"
    with tokens.Service(lambda _: now["answer"]) as service:
        broker = start_broker(authentication=[http(service.url)])
        assert code_of(broker, "joe", "Unwell-service") == NOT_AUTHORIZED
        alarm = stored.want_alarm_named(broker, name)
        assert why in alarm["message"] and alarm["details"]["reason"] == "query_failed"
        status = api.want(broker, 200, "GET", f"/authentication/{ID}/status")
        assert status["status"] == "connected" and why in status["node_error"][0]["reason"]
        now["answer"] = (401, None, "")  # an answer as any other: it does not know the client
        assert code_of(broker, "joe", "Unwell-service") == NOT_AUTHORIZED
        wait_until(lambda: name not in active_alarms(broker))
