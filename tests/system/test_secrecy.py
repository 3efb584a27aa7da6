"""Secrets in logs: that the search of tests/system/secrecy.py finds what is there, and one node that is given a secret of its
own through every door, at level debug, with everything switched on that writes lines."""
import socket

import pytest

from . import api, node, raw, rest, secrecy, servers, tokens
from .pki import Pki

DEBUG = "log { console { enable = true, level = all }, file { enable = true, level = all }, audit { enable = true } }"
CHAIN = "/authentication"


def planted(folder, line):
    (folder / "data" / "log").mkdir(parents=True)
    (folder / "output.log").write_text("a line\n")
    (folder / "data" / "log" / "emqx.log.1").write_text("one\ntwo\n" + line + "\n")
    return secrecy.find(folder)


@pytest.mark.parametrize("form", ["{0}", "x{0}y", '{{"password": "{1}"}}', "{2}", "{3}", "{4}"])
def test_the_search_finds_what_is_there(tmp_path, form):
    """Plain, within JSON, hexadecimal, base64, in a URL; by file and line."""
    secret = 'Plant3d "one" of test_secrecy'
    secrecy.note(secret, "password")
    line = form.format(secret, 'Plant3d \\"one\\" of test_secrecy', secret.encode().hex(), "UGxhbnQzZCAib25lIiBvZiB0ZXN0X3NlY3JlY3k",
                       "Plant3d%20%22one%22%20of%20test_secrecy")
    found = planted(tmp_path, line)
    assert len(found) == 1 and f"{tmp_path}/data/log/emqx.log.1:3: password" in found[0]
    with pytest.raises(AssertionError, match="emqx.log.1:3"):
        secrecy.check(tmp_path)


@pytest.mark.parametrize("hand_over", [
    lambda s: raw.connect("c", password=s), lambda s: secrecy.note_text(f'jwt {{ secret = "{s}" }}'),
    lambda s: secrecy.note_text(f'{{"api_secret":"{s}"}}'), lambda s: secrecy.note_fields({"a": [{"token": s}]}),
    lambda s: secrecy.note_table(f"password,user_id\n{s},joe\n")], ids=["connect", "hocon", "json", "fields", "csv"])
def test_what_passes_by_is_noted(request, tmp_path, hand_over):
    secret = f"By-the-way-{request.node.callspec.id}"
    hand_over(secret)
    assert planted(tmp_path, f"user joe, {secret}, refused")


def test_a_node_that_tells_a_secret_fails(tmp_path):
    """What a password that is taken for a client id would do: the stop of the node names the line."""
    broker = node.Node(tmp_path, text=DEBUG, authentication=[{"mechanism": "scram", "backend": "built_in_database"}]).start()
    slip = "Sl1p-of-the-tongue"
    with raw.Client(broker.port) as c:
        c.send(raw.connect("Sl1p-of-the-t0ngue").replace(b"t0ngue", b"tongue"))  # unseen by what notes names
        c.expect(raw.CONNACK, code=0x87)
    secrecy.note(slip, "password")
    try:
        with pytest.raises(AssertionError, match="Sl1p-of-the-tongue"):
            broker.stop()
    finally:
        for path in secrecy.logs_of(tmp_path):  # or the end of the run would find it again
            path.unlink()


def back_ends(port):
    """Authenticators and sources whose servers take connections and answer rubbish, each with secrets of its own."""
    server = f"127.0.0.1:{port}"
    sql = {"server": server, "database": "mqtt", "username": "broker"}
    query = {"query": "SELECT password_hash FROM users WHERE username = ${username}"}
    rules = {"query": "SELECT permission, action, topic FROM acl WHERE username = ${username}"}
    ldap = {"server": server, "username": "cn=search", "base_dn": "dc=example", "request_timeout": "1s", "query_timeout": "1s"}
    http = {"method": "post", "url": f"http://{server}/a", "request_timeout": "1s"}
    mongo = {"mongo_type": "single", "server": server, "database": "mqtt", "collection": "users", "filter": {"u": "${username}"},
             "username": "broker", "topology": {"server_selection_timeout_ms": "1s", "connect_timeout_ms": "1s"}}
    chain = [
        {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "Tok3n-maker-secret"},
        {"backend": "mysql", "password": "MySql-account-1", **sql, **query},
        {"backend": "postgresql", "password": "PostgreSql-account-1", **sql, **query},
        {"backend": "redis", "password": "Redis-account-1", "username": "broker", "server": server,
         "cmd": "HGET u:${username} password_hash"},
        {"backend": "mongodb", "password": "MongoDb-account-1", **mongo},
        {"backend": "ldap", "password": "Ldap-account-1", "method": {"type": "bind"}, **ldap},
        {"backend": "http", "headers": {"authorization": secrecy.note("Bearer Http-account-1")},
         "body": {"username": "${username}", "password": "${password}", "key": secrecy.note("Http-body-key-1")}, **http},
        {"backend": "built_in_database"},
        {"mechanism": "scram", "backend": "built_in_database"},
    ]
    sources = [
        {"type": "mysql", "password": "MySql-account-2", **sql, **rules},
        {"type": "postgresql", "password": "PostgreSql-account-2", **sql, **rules},
        {"type": "redis", "password": "Redis-account-2", "server": server, "cmd": "HGETALL acl:${username}"},
        {"type": "mongodb", "password": "MongoDb-account-2", **mongo},
        {"type": "ldap", "password": "Ldap-account-2", **ldap},
        {"type": "http", "headers": {"authorization": secrecy.note("Bearer Http-account-2")},
         "body": {"topic": "${topic}", "key": secrecy.note("Http-body-key-2")}, **http},
    ]
    return [{"mechanism": "password_based"} | one for one in chain], sources


def connect(broker, username=None, password=None, **more):
    """Whatever comes of it."""
    try:
        with raw.Client(broker.port, timeout=30, version=more.get("version", 5)) as c:
            c.send(raw.connect("traced", username=username, password=password, **more))
            c.receive()
            if more.get("props"):
                c.receive()
    except AssertionError:
        pass  # closed without an answer is one


def test_clients_and_back_ends(start_broker, tmp_path):
    users = tmp_path / "users.csv"
    users.write_text("user_id,password\nboot," + secrecy.note("B00tstrap-user") + "\n")
    with servers.Scripted(b"Rubbish greeting\r\n", b"-ERR rubbish\r\n") as rubbish:
        chain, sources = back_ends(rubbish.port)
        chain[7]["bootstrap_file"] = str(users)
        broker = start_broker(authentication=chain, authorization={"no_match": "deny", "sources": sources}, text=DEBUG)
        api.want(broker, 200, "POST", "/trace", {"name": "t1", "type": "clientid", "clientid": "traced", "payload_encode": "text"})
        built_in, scram = (f"{CHAIN}/{name}:built_in_database/users" for name in ("password_based", "scram"))
        for place, word in ((built_in, "Bu1lt-in"), (scram, "Scr4m-user")):
            api.want(broker, 201, "POST", place, {"user_id": "joe", "password": word + "-first"})
            api.call(broker, "POST", place, {"user_id": "joe", "password": word + "-second"})
            api.want(broker, 200, "PUT", place + "/joe", {"password": word + "-third"})
            api.call(broker, "PUT", place + "/joe", {"password": word + "-fourth", "is_superuser": "Perhaps"})
        for name, content in (("u.csv", "user_id,password\nann,1mported-csv\n"), ("u.csv", "user_id,password\nann,1mported-bad,\n"),
                              ("u.json", '[{"user_id":"bob","password":"1mported-json"}]'), ("u.json", '[{"password":"1mported-odd"}]'),
                              ("u.json", '[{"user_id":"bob","password":"1mported-open')):
            secrecy.note_text(content)
            secrecy.note(content.partition("ann,")[2].strip(",\n"))
            answer = api.send_file(broker, f"{CHAIN}/password_based:built_in_database/import_users?type=plain", name, content)
            assert "1mported" not in str(answer)
        good = tokens.Secret(b"Tok3n-maker-secret").token({"sub": "joe"})
        for version in (3, 4, 5):
            for password in ("Bu1lt-in-third", "Wr0ng-password", good, good + "x", tokens.Secret(b"Another-maker").token({}),
                             "eyJhbGciOiJIUzI1NiJ9.bm90IGpzb24.bm90LXNpZ25lZA"):
                connect(broker, "joe", password, version=version)
                connect(broker, "nobody", password, version=version)
        for data in ("n,,n=joe,r=Cl1ent-nonce", "p=Ch4nnel-binding", "Nonsense-instead-of-scram"):
            connect(broker, props={"authentication_method": "SCRAM-SHA-256", "authentication_data": secrecy.note(data).encode()})
        whole = raw.connect("traced", username="joe", password="Tw0-times-connect")
        for malformed in (whole + whole, whole[:-3], raw.packet(raw.CONNECT, whole[2:] + b"more"),
                          raw.connect("traced", password="W1thout-a-user", connect_flags=0x42),
                          raw.connect("traced", username="joe", password="R3served-flag", connect_flags=0xC3)):
            with raw.Client(broker.port) as c:
                c.send(malformed)
                try:
                    while True:
                        c.receive(2)
                except (AssertionError, TimeoutError):
                    pass
        for id_ in ("password_based:mysql", "password_based:ldap", "password_based:mongodb", "jwt"):
            status = api.want(broker, 200, "GET", f"{CHAIN}/{id_}/status")
            assert id_ == "jwt" or status["status"] != "connected", "the rubbish was read"
        with broker.client("traced", username="joe", password=good) as c:
            c.publish("t", qos=1, code=0x87)
        broker.stop()
    assert any("/trace" in str(path) for path in secrecy.logs_of(broker.folder)) and "authenticator:" in everything(broker)


def everything(broker):
    return "".join(path.read_text(errors="replace") for path in secrecy.logs_of(broker.folder))


def test_management(start_broker, tmp_path):
    broker = start_broker(text=DEBUG + "\ndashboard.default_password = \"D4shboard-default\"")
    admin = rest.Rest(broker).login("admin", "D4shboard-default")
    for method, path, body in (
            ("POST", "/login", {"username": "admin", "password": "Wr0ng-login"}),
            ("POST", "/login", {"username": ["Odd-shape"], "password": {"password": "N3sted-login"}}),
            ("POST", "/users", {"username": "joe", "password": rest.PASSWORD}),
            ("POST", "/users", {"username": "a b", "password": "Ref0sed-user"}),
            ("POST", "/users/joe/change_pwd", {"old_pwd": rest.PASSWORD, "new_pwd": "Chang3d-one"}),
            ("POST", "/users/joe/change_pwd", {"old_pwd": "Wr0ng-old-one", "new_pwd": "Chang3d-two"}),
            ("POST", CHAIN, {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "Jwt-by-r3st"}),
            ("POST", CHAIN, {"mechanism": "jwt", "use_jwks": False, "algorithm": "odd", "secret": "Jwt-ref0sed"}),
            ("PUT", CHAIN + "/jwt", {"mechanism": "jwt", "secret": ["Jwt-in-a-l1st"], "use_jwks": False}),
            ("POST", CHAIN, {"mechanism": "password_based", "backend": "redis", "server": "127.0.0.1:1", "password": "Red1s-by-rest",
                             "cmd": "HGET u:${username} password_hash"}),
            ("POST", CHAIN, {"mechanism": "password_based", "backend": "redis", "password": "Red1s-ref0sed", "cmd": "KEYS *"}),
            ("POST", "/authorization/sources", {"type": "redis", "server": "127.0.0.1:1", "password": "Red1s-source", "cmd": "HGETALL k"})):
        secrecy.note_text(str(body).replace("'", '"'))
        admin.call(method, path, body)
    secrecy.note("Jwt-in-a-l1st")
    admin.raw("POST", "/users", b'{"username": "joe", "password": "' + secrecy.note(b"H4lf-a-body"), {"Content-Type": "application/json"})
    for text in ('dashboard.default_password = "C0nfigured-later"', 'dashboard { default_password = "Br0ken-text',
                 'authentication = [{ mechanism = jwt, secret = "L1st-of-one", use_jwks = maybe }]',
                 'listeners.ssl.default.ssl_options.password = "K3y-of-the-key"', 'no_such_root.password = "R00t-unknown"'):
        secrecy.note(text.rpartition('"')[0].rpartition('"')[2] or text.rpartition('"')[2])
        admin.call("PUT", "/configs", text.encode(), {"Content-Type": "text/plain"})
    key = admin.new_key("ci", "viewer")
    key.want(200, "GET", "/nodes")
    for header in ("Bearer " + secrecy.note("eyJhbGciOiJIUzI1NiJ9.e30.F0rged-signature"), "Basic " + secrecy.note("Zm9yZ2VkOmtleQ=="),
                   secrecy.note("N0thing-of-both")):
        admin.bare(header).call("GET", "/nodes")
    admin.call("GET", "/nodes?token=" + secrecy.note("T0ken-in-the-query"))
    for words in (("admins", "add", "eve", "Cl1-added-user"), ("admins", "passwd", "eve", "Cl1-changed-one"),
                  ("admins", "passwd", "nobody", "Cl1-for-nobody"), ("admins", "add", "eve", "Cl1-second-time")):
        secrecy.note(words[3])
        broker.ctl(*words, check=False)
    made = broker.ctl("api_keys", "add", "cli")
    for word in made.split():
        if len(word) > 30:
            secrecy.note(word, "secret of ctl")
    (tmp_path / "more.conf").write_text('dashboard.default_password = "' + secrecy.note("L0aded-by-ctl") + '"')
    broker.ctl("conf", "load", "--merge", str(tmp_path / "more.conf"), check=False)
    broker.stop()
    assert '"audit"' in everything(broker) or "/users" in everything(broker), "the audit log was written"


def test_keys_of_tls(start_broker, tmp_path):
    """Pre-shared keys, the password of a key file, a key as text in the configuration."""
    pki = Pki(tmp_path)
    certificate, key = pki.issue("localhost")
    locked = tmp_path / "locked.key"
    tokens.openssl("pkey", "-in", key, "-aes256", "-passout", "pass:Op3n-the-key", "-out", str(locked))
    (tmp_path / "keys.psk").write_text("dev-1:" + secrecy.note("Pr3-shared-one") + "\n")
    ports = [node.free_port() for _ in range(2)]
    broker = start_broker(
        psk_authentication={"enable": True, "init_file": str(tmp_path / "keys.psk")},
        listeners={"ssl": {
            "locked": {"bind": f"127.0.0.1:{ports[0]}", "ssl_options": {"certfile": certificate, "keyfile": str(locked),
                                                                      "password": "Op3n-the-key"}},
            "inline": {"bind": f"127.0.0.1:{ports[1]}", "ssl_options": {
                "certfile": open(certificate).read(), "keyfile": open(key).read()}}}}, text=DEBUG)
    for port in ports:
        with raw.Client(port, ssl=True) as c:
            c.connect("c", username="joe", password="Thr0ugh-tls-one")
    for text in ('psk_authentication.init_file = "/nowhere/Psk"',
                 f'listeners.ssl.locked.ssl_options.password = "{secrecy.note("Wr0ng-for-the-key")}"'):
        api.call(broker, "PUT", "/configs?mode=merge", text.encode(), content_type="text/plain")
    bad = tmp_path / "bad.psk"
    bad.write_text(secrecy.note("Pr3-shared-without-separator") + "\n")
    answer = api.want(broker, 400, "PUT", "/configs?mode=merge", f'psk_authentication.init_file = "{bad}"'.encode(),
                      content_type="text/plain")
    assert "Pr3-shared" not in str(answer)
    with socket.create_connection(("127.0.0.1", ports[0])) as plain:  # MQTT to a TLS port
        plain.sendall(raw.connect("c", username="joe", password="Pl4in-to-tls-port"))
        plain.recv(100)
    broker.stop()
    assert "Pr3" not in everything(broker)


def test_what_is_stored_is_not_for_everybody_on_the_machine(start_broker):
    """Whatever the umask of who starts it."""
    broker = start_broker()
    with broker.client("c") as client:
        client.publish("t", b"x", qos=1, retain=True)
    files = [path for path in (broker.data / "store").rglob("*")]
    assert any(path.is_file() for path in files)
    assert [str(path) for path in files if path.stat().st_mode & 0o007] == []
