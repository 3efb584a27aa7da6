"""Listeners of the management interface: addresses, TLS, what else they serve, bad and slow peers (management)."""
import concurrent.futures
import http.client
import json
import re
import select
import socket
import ssl
import time

import pytest

from . import node, pki, rest


@pytest.fixture
def admin(broker):
    return rest.Rest(broker).login()


def test_paths_beside_the_api(broker):
    nobody = rest.Rest(broker)
    assert "is running" in nobody.want(200, "GET", "=/status")
    assert "is running" in nobody.want(200, "GET", "/status")
    answer, page = nobody.raw("GET", "=/api-docs")
    assert answer.status == 200 and answer.getheader("Content-Type").startswith("text/html")
    assert b"http://" not in page and b"https://" not in page  # works without the internet
    document = nobody.want(200, "GET", "=/api-docs/swagger.json")
    assert document["openapi"].startswith("3.0") and set(document["components"]["securitySchemes"]) == {
        "basicAuth", "bearerAuth"}
    answer, page = nobody.raw("GET", "/nothing")
    assert answer.status == 404 and b"404 - NOT FOUND" in page
    assert nobody.call("GET", "/nothing", headers={"Accept": "application/json"}) == (
        404, {"code": "NOT_FOUND", "message": "Request Path Not Found"})
    assert nobody.call("GET", "/nothing", headers={"Accept": "text/plain"}) == (404, "404 - NOT FOUND")
    for method in ("HEAD", "OPTIONS", "PATCH", "PUT"):
        answer, body = nobody.raw(method, "/nodes")  # before any log-in
        assert answer.status == 405 and body == b"" and answer.getheader("allow") == "GET"
    for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS"):  # a probe may ask as it likes
        answer, body = nobody.raw(method, "=/status")
        assert answer.status == 200 and (body == b"" if method == "HEAD" else b"is running" in body)
        assert int(answer.getheader("content-length")) > 20
    for path in ("/status", "/nodes", "/nothing", "=/api-docs/swagger.json"):
        answer, _ = nobody.raw("GET", path)
        assert answer.getheader("x-content-type-options") == "nosniff", path
        assert path == "/nothing" or answer.getheader("cache-control") == "no-store", path
    page, _ = nobody.raw("GET", "=/")
    policy = page.getheader("content-security-policy") or ""
    # A build with a sanitizer has no dashboard in it.
    assert page.status == 404 or "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    for path in ("=/../etc/passwd", "=/static/..%2f..%2fetc/passwd", "=/%2e%2e/%2e%2e/etc/passwd"):
        assert nobody.raw("GET", path)[0].status == 404


def test_documentation_can_be_switched_off(start_broker):
    broker = start_broker(text="dashboard.swagger_support = false")
    nobody = rest.Rest(broker)
    assert nobody.raw("GET", "=/api-docs")[0].status == 404
    assert nobody.raw("GET", "=/api-docs/swagger.json")[0].status == 404
    rest.Rest(broker).login().configure("dashboard.swagger_support = true")
    assert nobody.raw("GET", "=/api-docs")[0].status == 200


def test_other_origins(broker, admin):
    origin = {"Origin": "https://elsewhere.example"}
    assert admin.raw("GET", "/nodes", headers=origin)[0].getheader("access-control-allow-origin") is None
    admin.configure("dashboard.cors = true")
    assert admin.raw("GET", "/nodes", headers=origin)[0].getheader("access-control-allow-origin") == "*"
    assert admin.raw("GET", "/nodes")[0].getheader("access-control-allow-origin") is None
    answer, _ = admin.raw("OPTIONS", "/nodes", headers={**origin, "Access-Control-Request-Method": "GET"})
    assert answer.status == 204
    assert {"authorization", "content-type", "if-match"} <= set(answer.getheader("access-control-allow-headers").split(", "))
    answer, _ = admin.raw("GET", "/configs/alarm", headers=origin)
    assert answer.getheader("etag") and answer.getheader("access-control-expose-headers") == "etag"
    assert "credentials" not in str(answer.getheaders()).lower()


def test_listeners_move_while_the_node_runs(broker, admin):
    port = node.free_port()
    # The answer comes over the listener that is given up.
    admin.configure(f'dashboard.listeners.http.bind = "127.0.0.1:{port}"')
    moved = rest.Rest(port=port, authorization=admin.authorization)
    moved.want(200, "GET", "/nodes")
    with pytest.raises(ConnectionRefusedError):
        admin.connection(1).request("GET", "/")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = taken.getsockname()[1]
        answer = moved.configure(f'dashboard.listeners.http.bind = "127.0.0.1:{other}"', 400)
        assert "dashboard.listeners.http.bind" in str(answer)
    moved.want(200, "GET", "/nodes")
    moved.configure("dashboard.listeners.http.max_connections = 7")
    moved.want(200, "GET", "/nodes")
    moved.configure("dashboard.listeners.http.bind = 0")
    time.sleep(0.2)
    with pytest.raises(OSError):
        moved.connection(1).request("GET", "/")
    broker.ctl("status")


def test_a_taken_port(start_broker, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        broker = node.Node(tmp_path, text=f'dashboard.listeners.http.bind = "127.0.0.1:{port}"')
        broker.start(wait=False)
        assert broker.process.wait(30) == 1
        assert "dashboard.listeners.http.bind" in broker.log()


@pytest.mark.parametrize("text, key", [
    ('dashboard.listeners.https { bind = 1, certfile = "/no/cert" }', "dashboard.listeners.https.ssl_options.certfile"),
    ('dashboard.default_password = "file:///no/secret"', "dashboard.default_password"),
    ('listeners.ssl.mine { bind = 1, ssl_options.dhfile = "/no/dh" }', "listeners.ssl.mine.ssl_options"),
    ('rewrite = [{action = publish, source_topic = "a/#/b", dest_topic = z, re = "^a"}]', "rewrite.1.source_topic")])
def test_the_start_names_the_place_of_what_it_refuses(tmp_path, text, key):
    broker = node.Node(tmp_path, text=text)
    broker.start(wait=False)
    assert broker.process.wait(30) == 1
    assert "cannot start" not in broker.log()
    assert re.search(r"signalbox\.conf:\d+: " + re.escape(key), broker.log()), broker.log()


def served_certificate(port):
    return ssl.get_server_certificate(("127.0.0.1", port))


def test_tls_and_new_certificates(start_broker, tmp_path):
    authority = pki.Pki(tmp_path)
    certificate, key = authority.issue("one", file="server")
    port = node.free_port()
    broker = start_broker(text=f"""
        dashboard.listeners.https {{ bind = "127.0.0.1:{port}", ssl_options {{
            cacertfile = "{authority.ca}", certfile = "{certificate}", keyfile = "{key}" }} }}""")
    secure = rest.Rest(port=port, host="localhost", tls=rest.trusting(authority.ca))
    admin = secure.login()
    admin.want(200, "GET", "/nodes")
    first = served_certificate(port)
    authority.issue("two", file="server")  # in the place of the first
    broker.ctl("pem_cache", "clean", "all")
    assert served_certificate(port) != first
    admin.want(200, "GET", "/nodes")
    # What speaks no TLS is turned away, and nothing is left behind.
    assert not rest.talk(port, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").startswith(b"HTTP")
    refused = admin.configure(f'dashboard.listeners.https.ssl_options.certfile = "{tmp_path}/none.pem"', 400)
    assert "dashboard.listeners.https.ssl_options.certfile" in str(refused)
    admin.want(200, "GET", "/nodes")


def test_bad_requests(broker, admin):
    for body in (b"{", b"[1,", b"nonsense", b"\xff\xfe", b'{"as":"clientid","who":1}{'):
        message = admin.refuses(400, "BAD_REQUEST", "POST", "/banned", body, {"Content-Type": "application/json"})
        assert message == "Invalid json message received"
    for body in ({"as": "clientid"}, {"as": "color", "who": "x"}, {"as": "clientid", "who": "x", "extra": 1}, [], "x",
                 {"as": ["clientid"], "who": "x"}, {"as": "clientid", "who": {}}):
        admin.refuses(400, "BAD_REQUEST", "POST", "/banned", body)
    deep = b'{"as":' + b"[" * 5000 + b"]" * 5000 + b"}"
    admin.refuses(400, "BAD_REQUEST", "POST", "/banned", deep, {"Content-Type": "application/json"})
    admin.refuses(400, "BAD_REQUEST", "GET", "/clients?page=%zz")
    assert admin.want(200, "GET", "/banned")["meta"]["count"] == 0
    for request, status in [(b"GET /api/v5/nodes HTTP/9.9\r\n\r\n", b"505"), (b"nonsense\r\n\r\n", b"400"),
                            (b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 20000 + b"\r\n\r\n", b"431"),
                            (b"POST /api/v5/login HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999\r\n\r\n", b"413"),
                            (b"POST /api/v5/login HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", b"400"),
                            (b"POST /api/v5/login HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n\r\n", b"501"),
                            (b"POST /api/v5/login HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nxyz", b"400")]:
        answer = rest.talk(broker.api_port, request)
        assert answer.startswith(b"HTTP/1.1 " + status), (request[:80], answer[:200])


def test_large_bodies(broker, admin):
    huge = b'{"as":"clientid","who":"' + b"x" * (9 << 20) + b'"}'
    status, _ = admin.call("POST", "/banned", huge, {"Content-Type": "application/json"})
    assert status == 413
    # Who may not send it is told so before it comes.
    status, _ = admin.bare().call("POST", "/banned", huge[:1 << 20], {"Content-Type": "application/json"})
    assert status == 401
    status, _ = admin.bare().call("POST", "/login", huge[:1 << 20], {"Content-Type": "application/json"})
    assert status == 413


def test_slow_and_many_peers_harm_nobody(start_broker):
    broker = start_broker(text="dashboard.listeners.http.max_connections = 40")
    admin = rest.Rest(broker).login()
    idle = [socket.create_connection(("127.0.0.1", broker.api_port)) for _ in range(30)]
    for s in idle:
        s.sendall(b"POST /api/v5/login HTTP/1.1\r\nhost: h\r\ncontent-length: 50\r\n\r\n{")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: admin.call("GET", "/nodes")[0], range(40))) == {200}
    more = [socket.create_connection(("127.0.0.1", broker.api_port)) for _ in range(30)]
    time.sleep(0.3)
    closed = sum(1 for s in more if readable(s) and s.recv(1) == b"")
    assert closed >= 20
    client = broker.client("data")  # the data path does not care
    client.close()
    for s in idle + more:
        s.close()
    time.sleep(0.2)
    admin.want(200, "GET", "/nodes")


def readable(s):
    return bool(select.select([s], [], [], 0)[0])


def test_one_connection_many_requests(broker, admin):
    connection = http.client.HTTPConnection("127.0.0.1", broker.api_port, timeout=20)
    for _ in range(50):
        connection.request("GET", "/api/v5/nodes", headers={"Authorization": admin.authorization})
        answer = connection.getresponse()
        assert answer.status == 200 and json.loads(answer.read())
    connection.close()
