"""What is wrong is answered with a clear 4xx, changes nothing and tells nothing, whichever operation it is sent to; and the
data path does not notice."""
import concurrent.futures
import json
import os
import socket
import threading
import time

import pytest

from . import api, raw, rest
from .test_api_coverage import coverage, document

JSON = {"Content-Type": "application/json"}
SECRET = "Tr1al-secret"
# What a refused request may change by itself, or what is not for the door that is tried.
STATE = ["/configs", "/users", "/api_key", "/banned", "/authentication", "/authorization/sources", "/listeners", "/trace",
         "/mqtt/topic_metrics", "/mqtt/topic_rewrite", "/mqtt/auto_subscribe", "/license"]


@pytest.fixture
def admin(broker):
    return rest.Rest(broker).login()


def state(admin):
    """What the node holds, as its own GET tells it."""
    return [admin.want(200, "GET", path, headers={"Accept": "*/*"}) for path in STATE]


@pytest.mark.parametrize("path, body", [
    ("/authentication", {"mechanism": "jwt", "use_jwks": False, "algorithm": "public-key", "public_key": "PIPE"}),
    ("/authentication", {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "file://PIPE"}),
    ("/authentication", {"mechanism": "password_based", "backend": "built_in_database", "bootstrap_file": "PIPE"}),
    ("/authentication", {"mechanism": "password_based", "backend": "http", "method": "get", "url": "https://127.0.0.1:1/",
                         "ssl": {"enable": True, "cacertfile": "PIPE"}}),
    ("/authentication", {"mechanism": "password_based", "backend": "http", "method": "get", "url": "http://127.0.0.1:1/",
                         "headers": {"key": "file://PIPE"}}),
    ("/listeners", {"type": "ssl", "name": "piped", "bind": "127.0.0.1:0", "ssl_options": {"certfile": "PIPE", "keyfile": "PIPE"}})],
    ids=["public_key", "secret", "bootstrap_file", "cacertfile", "header", "certfile"])
def test_a_pipe_in_place_of_a_file_holds_nobody_up(start_broker, tmp_path, path, body):
    os.mkfifo(tmp_path / "pipe")
    broker = start_broker()
    body = json.loads(json.dumps(body).replace("PIPE", str(tmp_path / "pipe")))
    status, answer = api.call(broker, "POST", path, body)
    assert 400 <= status < 500, answer
    assert "regular file" in json.dumps(answer), answer
    api.want(broker, 200, "GET", "/banned")


def with_json_body(broker):
    """(method, path with its parameters filled in) of every operation that takes JSON."""
    for path, operations in document(broker)["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content and coverage.succeeds(operation):
                parts = ["x" if part.startswith("{") else part for part in path.split("/")]
                yield method.upper(), "=" + "/".join(parts)


def test_malformed_bodies_of_every_operation(broker, admin):
    before = state(admin)
    tried = 0
    for method, path in with_json_body(broker):
        for body, headers in ((b'{"a":', JSON), (b"\xff\xfe\x00", JSON), (b"[" * 4000, JSON), (b'{"a":1}{', JSON),
                              (b'"text"', JSON), (b"7", JSON), (b"{}", {"Content-Type": "text/plain"}),
                              (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}), (b"{}", {})):
            status, answer = admin.call(method, path, body, headers)
            assert status in (400, 404), (method, path, body[:20], status, answer)
            assert answer["code"] and answer["message"] and len(str(answer)) < 4096
            tried += 1
    assert tried > 300
    assert state(admin) == before


def test_bodies_of_a_wrong_shape_name_the_field(broker, admin):
    before = state(admin)
    for method, path, body, named in (
            ("POST", "/publish", {"topic": "t", "payload": "x", "qos": 7}, "root.qos"),
            ("POST", "/publish", {"topic": "t", "payload": ["x"]}, "root.payload"),
            ("POST", "/banned", {"as": "clientid", "who": "w", "colour": 1}, "root.colour"),
            ("PUT", "/configs/alarm", {"no_such_key": 1}, "root.no_such_key"),
            ("PUT", "/configs/global_zone", {"mqtt": {"max_inflight": "many"}}, "root.mqtt.max_inflight"),
            ("PUT", "/mqtt/delayed", {"max_delayed_messages": "x"}, "root.max_delayed_messages"),
            ("POST", "/clients/kickout/bulk", [1, {}], "root.2"),
            ("POST", "/trace", {"name": "../../etc/x", "type": "topic", "topic": "a"}, "name"),
            ("POST", "/api_key", {"name": "a b"}, "name"),
            ("POST", "/users", {"username": "joe", "password": "short"}, "assword")):
        message = admin.refuses(400, admin.call(method, path, body)[1]["code"], method, path, body)
        assert named in message, (method, path, message)
    assert state(admin) == before


def test_refusals_tell_no_secrets(broker, admin):
    """Neither the answer nor the log repeats what was sent as a secret."""
    for method, path, body in (
            ("POST", "/login", {"username": "admin", "password": SECRET}),
            ("POST", "/users", {"username": "joe?", "password": SECRET}),
            ("POST", "/users/admin/change_pwd", {"old_pwd": SECRET, "new_pwd": SECRET + "1"}),
            ("POST", "/license", {"key": SECRET}),
            ("PUT", "/configs/dashboard", {"default_password": SECRET, "no_such_key": 1}),
            ("POST", "/authentication", {"mechanism": "password_based", "backend": "redis", "password": SECRET,
                                         "no_such_key": 1})):
        status, answer = admin.call(method, path, body)
        assert 400 <= status < 500, (method, path, status, answer)
        assert SECRET not in str(answer), (path, answer)
    text = b'dashboard { default_password = "' + SECRET.encode() + b'", no_such_key = 1 }'
    status, answer = admin.call("PUT", "/configs", text, {"Content-Type": "text/plain"})
    assert status == 400 and SECRET not in answer
    assert SECRET not in broker.log()


def test_a_page_of_another_origin_can_do_nothing(broker, admin):
    """What a browser sends without asking first carries no token: nothing but the header logs in, and no cookie is set."""
    before = state(admin)
    nobody = admin.bare()
    foreign = {"Origin": "http://evil.example", "Content-Type": "text/plain", "Cookie": "token=x; session=x"}
    for path in ("/banned", "/users", "/publish", "/data/export"):
        answer, _ = nobody.raw("POST", path, b"{}", foreign)
        assert answer.status == 401, path
        assert answer.getheader("Access-Control-Allow-Origin") is None
    answer, body = nobody.raw("POST", "/login", json.dumps({"username": "admin", "password": "public"}), JSON)
    assert answer.status == 200 and answer.getheader("Set-Cookie") is None
    token = json.loads(body)["token"]
    for where in ({"Cookie": "token=" + token}, {"X-Token": token}):
        assert nobody.call("GET", "/nodes", headers=where)[0] == 401
    assert nobody.call("GET", "/nodes?token=" + token)[0] == 401
    assert state(admin) == before


def test_paths_lead_nowhere_else(broker, admin):
    for path in ("=/../../../etc/passwd", "=/%2e%2e/%2e%2e/etc/passwd", "=/static/..%2f..%2fetc%2fpasswd",
                 "=/assets/../../../../etc/passwd", "=/api/v5/../../etc/passwd", "=//etc/passwd",
                 "/data/files/..%2F..%2Fsignalbox.conf", "/trace/..%2F..%2Fx/download", "/trace/..%2Fx/log",
                 "/schemas/..%2F..%2Fetc%2Fpasswd"):
        answer, body = admin.raw("GET", path)
        assert 400 <= answer.status < 500 or b"<html" in body[:500].lower(), (path, answer.status, body[:200])
        assert b"root:" not in body and b"data_dir" not in body, path


def chunked(method, path, authorization, pieces, content_type="application/json", end=b"0\r\n\r\n"):
    head = (f"{method} /api/v5{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nConnection: close\r\n"
            f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def status_of(answer):
    return int(answer.split(b" ")[1])


def test_chunked_bodies(broker, admin):  # RFC 9112, 7.1
    body = json.dumps({"as": "clientid", "who": "in pieces"}).encode()
    pieces = [body[i:i + 3] for i in range(0, len(body), 3)]
    answer = rest.talk(broker.api_port, chunked("POST", "/banned", admin.authorization, pieces))
    assert status_of(answer) == 200
    assert [ban["who"] for ban in admin.want(200, "GET", "/banned")["data"]] == ["in pieces"]
    # An upload, and one that is none.
    form = b'--b\r\nContent-Disposition: form-data; name="filename"; filename="a.tar.gz"\r\n\r\nnonsense\r\n--b--\r\n'
    answer = rest.talk(broker.api_port, chunked("POST", "/data/files", admin.authorization, [form[:40], form[40:]],
                                                "multipart/form-data; boundary=b"))
    assert status_of(answer) == 400 and b"gzip" in answer
    # More than is taken, in pieces that are small; a wrong size; by somebody who may not send any.
    large = [b"x" * 65536] * 200
    assert status_of(rest.talk(broker.api_port, chunked("POST", "/banned", admin.authorization, large))) == 413
    assert status_of(rest.talk(broker.api_port, chunked("POST", "/banned", "Bearer none", large))) == 401
    wrong = chunked("POST", "/banned", admin.authorization, [], end=b"zz\r\n")
    assert status_of(rest.talk(broker.api_port, wrong)) == 400
    assert admin.want(200, "GET", "/banned")["meta"]["count"] == 1


def test_edits_at_the_same_time(broker, admin):
    """Each of them is applied as a whole, one after the other; none is lost without its sender being told."""
    def edit(number):
        root = {"actions": ["log"], "size_limit": 1000 + number, "validity_period": f"{number + 1}h"}
        return number, admin.call("PUT", "/configs/alarm", root)[0]

    def ban(number):
        return admin.call("POST", "/banned", {"as": "clientid", "who": f"c{number % 10}"})[0]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        edits = list(pool.map(edit, range(24)))
        bans = list(pool.map(ban, range(40)))
    assert {status for _, status in edits} == {200}
    now = admin.want(200, "GET", "/configs/alarm")
    assert now["validity_period"] == f"{now['size_limit'] - 999}h", now
    assert sorted(set(bans)) == [200, 400] and bans.count(200) == 10
    assert admin.want(200, "GET", "/banned")["meta"]["count"] == 10
    broker.restart()
    assert rest.Rest(broker, authorization=admin.authorization).want(200, "GET", "/configs/alarm") == now


def test_hostile_clients_of_the_api_do_not_slow_messages(broker, admin):
    """Half-sent requests, bodies that trickle, refused uploads, lists without end: messages go on in milliseconds."""
    stop = threading.Event()

    def trickle():
        with socket.create_connection(("127.0.0.1", broker.api_port)) as s:
            s.sendall(b"POST /api/v5/login HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n")
            while not stop.wait(0.02):
                try:
                    s.sendall(b"1\r\nx\r\n")
                except OSError:
                    return

    def ask(method, path, body=None):
        while not stop.is_set():
            admin.call(method, path, body, JSON if body else None)

    work = [threading.Thread(target=trickle) for _ in range(20)]
    work += [threading.Thread(target=ask, args=arguments) for arguments in (
        ("GET", "/configs"), ("GET", "/clients?limit=10000&like_clientid=x"), ("POST", "/banned", b"x" * (1 << 20)),
        ("POST", "/banned", b"[" * 100000))]
    with broker.client("there") as there, broker.client("back") as back:
        back.subscribe("ping")
        for one in work:
            one.start()
        try:
            took = []
            for _ in range(300):
                begin = time.monotonic()
                there.publish("ping", b"x")
                back.expect(raw.PUBLISH, topic="ping")
                took.append(time.monotonic() - begin)
        finally:
            stop.set()
            for one in work:
                one.join()
    took.sort()
    assert took[150] < 0.02 and took[-3] < 0.5, took[-10:]
    assert api.want(broker, 200, "GET", "/status").startswith("Node")
