"""docs/access-control.md: every example is run, with the real servers behind it. What stands in the configuration is tried
twice, from the file and by POST to the REST API, with a client that is let in and one that is not."""
import json
import os
import re
import stat
import subprocess
import sys
import time

import pytest

from . import api, backends, directory, mongo, node, raw, servers, tokens
from .pki import Pki
from .test_authn_database import OK, code_of
from .test_authn_scram import Scram
from .test_authz_sources import may_publish, may_subscribe

MANUAL = (node.ROOT / "docs" / "access-control.md").read_text()
FILLS = ("psql", "mariadb", "redis-cli", "ldapadd", "mongosh", "hash=$(printf 5a17secret | sha256sum | cut -d' ' -f1)\nmongosh", "rule=")
PASSWORD = "Manual-backend-pw"


def sections():
    """{heading: [block]}; a block is what is indented by four, up to a line that is not."""
    out, heading, block = {}, "", []
    for line in MANUAL.splitlines() + ["#"]:
        if line.startswith("    "):
            block.append(line[4:])
            continue
        if block:
            out.setdefault(heading, []).append("\n".join(block))
            block = []
        if line.startswith("#"):
            heading = line.lstrip("# ")
    return out


SECTIONS = sections()


class Manual:
    """The examples of one section, with the places of this test put in."""

    def __init__(self, folder, heading, **places):
        self.folder = folder
        for name in ("etc", "data", "secrets", "bin"):
            (folder / name).mkdir()
        for name in ("ldap-password", "db-password", "redis-password"):
            (folder / "secrets" / name).write_text("search-pw-ldap" if name == "ldap-password" else PASSWORD)
        (folder / "secrets" / "ldap-root-password").write_text(directory.ROOT_PASSWORD)
        self.places = {"/etc/signalbox/": f"{folder}/secrets/", '"etc/': f'"{folder}/etc/'} | places
        self.environment = dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}", PGPASSWORD="root-pw-postgres", LC_ALL="C.UTF-8")
        self.blocks = SECTIONS[heading]
        self.hocon = [self.put_in(b) for b in self.blocks if re.match(r"[a-z_.]+ (=|\{)|[a-z_.]+ = ", b)]
        self.other = [b for b in self.blocks if b.startswith("{")]
        self.scripts = [b for b in self.blocks if self.put_in(b) not in self.hocon and b not in self.other]
        self.fills = [b for b in self.scripts if b.startswith(FILLS)]

    def put_in(self, text):
        for old, new in self.places.items():
            text = text.replace(old, new)
        return text

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, script, broker=None):
        """What it prints; it must end well."""
        text = self.put_in(script)
        if broker:
            text = text.replace("data/ctl.sock", str(broker.data / "ctl.sock")).replace("-p 1883", f"-p {broker.port}")
            text = text.replace("signalbox ctl", f"{node.program()} ctl --config {broker.folder}/signalbox.conf")
        text = text.replace("curl ", "curl -sS --fail-with-body ")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=self.folder, env=self.environment, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{text}\n{done.stdout}"
        return done.stdout

    def fill(self):
        """Rows, entries and keys; clients come later."""
        for script in self.fills:
            self.run("\n".join(line for line in script.splitlines() if not line.startswith("mosquitto_pub")))

    def clients(self, broker):
        for script in self.scripts:
            lines = [line for line in script.splitlines() if line.startswith("mosquitto_pub")]
            if script in self.fills and lines:
                self.run("\n".join(lines), broker)
            elif script not in self.fills and not script.startswith("openssl genpkey"):
                self.run(script, broker)


def want_connected(broker, path, seconds=40):
    deadline = time.monotonic() + seconds
    while (answer := api.want(broker, 200, "GET", path + "/status"))["status"] != "connected":
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def unmasked(value, text):
    """An object as the API shows it, with the secrets that the configuration has; those that it leaves out are defaults."""
    if isinstance(value, list):
        return [unmasked(v, text) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, one in value.items():
        written = re.search(rf'\b{key} = "([^"]*)"', text)
        if one != "******":
            out[key] = unmasked(one, text)
        elif written:
            out[key] = written.group(1)
    return out


def both_ways(start_broker, text, check):
    """`check(broker)` of a node with this in its file, then of one that is told by REST."""
    first = start_broker(text=text)
    authenticators = api.want(first, 200, "GET", "/authentication")
    sources = api.want(first, 200, "GET", "/authorization/sources")["sources"]
    authorization = text.startswith("authorization")
    second = start_broker(text="authorization { no_match = deny, sources = [] }" if authorization else "")
    for broker in (first, second):
        if broker is second and authorization:
            for one in reversed(sources):
                api.want(broker, 204, "POST", "/authorization/sources", unmasked(one, text))
        elif broker is second:
            for one in authenticators:
                body = {k: v for k, v in unmasked(one, text).items() if k != "id"}
                assert api.want(broker, 200, "POST", "/authentication", body)["id"] == one["id"]
        for one in [] if authorization else authenticators:
            want_connected(broker, f"/authentication/{one['id']}")
        for one in sources if authorization else []:
            want_connected(broker, f"/authorization/sources/{one['type']}")
        check(broker)
        broker.stop()


def lets_in(broker, name="joe", good="secret"):
    assert code_of(broker, name, good) == OK
    assert code_of(broker, name, "Wr0ng-of-manual") != OK and code_of(broker, name) != OK and code_of(broker) != OK
    assert code_of(broker, "ann' OR '1'='1", good) != OK


@pytest.fixture
def at(tmp_path):
    """at(heading, **places): its examples in a folder of their own."""
    numbers = iter(range(9))

    def make(heading, places=()):
        folder = tmp_path / f"manual{next(numbers)}"
        folder.mkdir()
        return Manual(folder, heading, **dict(places))
    return make


@pytest.fixture
def run_server(tmp_path):
    started = []

    def run(server):
        started.append(server)
        return server.start()
    yield run
    for server in started:
        server.stop()


def test_the_first_command(start_broker, at):
    manual = at("Who may connect")
    broker = start_broker()
    assert code_of(broker) == OK
    assert json.loads(manual.run(manual.scripts[0], broker))["id"] == "password_based:built_in_database"
    assert code_of(broker) != OK


def test_built_in(start_broker, at):
    manual = at("Passwords in the built-in database")

    def check(broker):
        manual.clients(broker)
        for name in ("joe", "ann", "bob"):
            lets_in(broker, name)
    both_ways(start_broker, manual.hocon[0], check)


def test_tokens(start_broker, at):
    keys = {}
    with tokens.Service(lambda _: (200, "application/json", keys["set"])) as service:
        manual = at("JSON Web Tokens", {"127.0.0.1:8080": f"127.0.0.1:{service.port}"})
        shared, public, key_set = manual.hocon
        by_secret, make_keys, by_key, make_set = manual.scripts
        both_ways(start_broker, shared, lambda broker: (manual.run(by_secret, broker), lets_in(
            broker, good=tokens.Secret(b"a shared secret").token({"sub": "joe"}))))
        manual.run(make_keys)
        forged = tokens.KeyPair(manual.folder, "RSA", "forger").token({"sub": "joe"})

        def check(broker):
            manual.run(by_key, broker)
            assert code_of(broker, "joe", forged) != OK and code_of(broker) != OK
        both_ways(start_broker, public, check)
        manual.run(make_set)
        keys["set"] = (manual.folder / "keys.json").read_text()
        both_ways(start_broker, key_set, check)
    for claims in manual.other[0].splitlines():
        token = tokens.Secret(b"a shared secret").token({"sub": "joe"} | json.loads(claims))
        broker = start_broker(text=shared)
        assert may_publish(broker, "up/dev", "dev", username="joe", password=token)
        assert not may_publish(broker, "up/dev", "dev", qos=2, username="joe", password=token) or "pub" in claims
        broker.stop()


def test_scram(start_broker, at):
    manual = at("SCRAM (MQTT 5)")

    def check(broker):
        manual.clients(broker)
        with broker.client() as c:
            Scram("joe", "secret").connect(c)
        with broker.client() as c:
            Scram("joe", "wrong").connect(c, code=0x87)
    both_ways(start_broker, manual.hocon[0], check)


def test_http(start_broker, at):
    def answer(request):
        good = json.loads(request["body"]) == {"username": "joe", "password": "secret"} and request["path"] == "/auth/c"
        return 200, "application/json", json.dumps({"result": "allow" if good or request["path"] == "/auth/c1" else "deny"})
    with tokens.Service(answer) as service:
        manual = at("An HTTP service", {"127.0.0.1:8080": f"127.0.0.1:{service.port}"})
        assert json.loads(manual.run(manual.scripts[0])) == {"result": "allow"}
        both_ways(start_broker, manual.hocon[0], lets_in)


@pytest.fixture
def slapd(tmp_path, skip, run_server):
    (tmp_path / "pki").mkdir()
    pki = Pki(tmp_path / "pki")
    server = run_server(directory.Slapd(tmp_path / "slapd", skip, pki)).fill()
    server.places = {"127.0.0.1:389": f"127.0.0.1:{server.port}", "127.0.0.1:636": f"127.0.0.1:{server.tls_port}",
                     "/etc/ssl/directory.pem": pki.ca}
    return server


def test_ldap(start_broker, at, slapd, skip):
    skip.need("ldapsearch")
    manual = at("An LDAP directory", slapd.places)
    script = manual.scripts[0].splitlines()
    manual.run("\n".join(script[:script.index("LDIF") + 1]))
    seen = manual.run("\n".join(line for line in script[script.index("LDIF") + 1:] if not line.startswith("mosquitto_pub")))
    assert "uid: joe" in seen and "userPassword" in seen
    for chain in manual.hocon:
        both_ways(start_broker, chain, lambda broker: (manual.run(script[-1], broker), lets_in(broker)))
    rules = at("Rules in an LDAP directory", slapd.places)
    assert "mqttPublishTopic: up/${clientid}/#" in rules.run(rules.scripts[0])
    both_ways(start_broker, rules.hocon[0], joe_may("up/c/1"))


def joe_may(topic, other="down/1"):
    def check(broker):
        assert may_publish(broker, topic, username="joe") and not may_publish(broker, other, username="joe")
        assert not may_publish(broker, topic, username="ann") and not may_subscribe(broker, "#", username="joe")
    return check


@pytest.fixture
def ferretdb(tmp_path, skip, run_server):
    return run_server(mongo.FerretDB(tmp_path / "mongo", skip))


MONGOSH = """#!{python}
# mongosh URL --eval 'db.COLLECTION.insertOne(DOCUMENT)', by the tests' own client
import re, sys, types
sys.path.insert(0, {root!r})
from tests.system import mongo
port, database = re.match("mongodb://127.0.0.1:([0-9]+)/(.+)", sys.argv[1]).groups()
collection, document = re.fullmatch(r"db[.](\\w+)[.]insertOne[(](.*)[)]", sys.argv[3]).groups()
document = eval(re.sub(r"(\\w+):", r"'\\1':", document), {{}})
mongo.FerretDB.insert(types.SimpleNamespace(port=int(port)), database, collection, document)
"""


def test_mongodb(start_broker, at, ferretdb):
    places = {"127.0.0.1:27017": f"127.0.0.1:{ferretdb.port}"}
    for heading, check in (("MongoDB", lets_in), ("Rules in MongoDB", joe_may("up/1"))):
        manual = at(heading, places)
        manual.program("mongosh", MONGOSH.format(python=sys.executable, root=str(node.ROOT)))
        manual.fill()
        both_ways(start_broker, manual.hocon[0], check)


@pytest.fixture
def sql(tmp_path, skip, run_server):
    postgres, maria = run_server(servers.PostgreSQL(tmp_path / "pg", skip)), run_server(servers.MariaDB(tmp_path / "maria", skip))
    postgres.sql(f"CREATE DATABASE mqtt; CREATE ROLE broker LOGIN PASSWORD '{PASSWORD}';")
    maria.sql(f"CREATE DATABASE mqtt; CREATE USER broker@'%' IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON mqtt.* TO broker@'%'")
    return {"127.0.0.1:5432": f"127.0.0.1:{postgres.port}", "-p 5432": f"-p {postgres.port}",
            "127.0.0.1:3306": f"127.0.0.1:{maria.port}", "-P 3306": f"-P {maria.port}"}


@pytest.fixture
def redis(tmp_path, skip, run_server):
    server = run_server(servers.Redis(tmp_path / "redis", skip))
    server.call("ACL", "SETUSER", "broker", "on", f">{PASSWORD}", "~*", "+@all")
    return {"127.0.0.1:6379": f"127.0.0.1:{server.port}", "-p 6379": f"-p {server.port}"}


def test_sql(start_broker, at, sql):
    manual = at("PostgreSQL, MySQL and MariaDB", sql)
    manual.fill()
    assert len(manual.hocon) == 2
    for chain in manual.hocon:
        both_ways(start_broker, chain, lambda broker: (manual.clients(broker), lets_in(broker)))


def test_redis(start_broker, at, redis):
    manual = at("Redis", redis)
    manual.fill()
    both_ways(start_broker, manual.hocon[0], lambda broker: (manual.clients(broker), lets_in(broker)))


def test_rules_of_databases(start_broker, at, sql, redis):
    manual = at("Rules in PostgreSQL, MySQL and Redis", sql | redis)
    manual.fill()
    both, mysql = manual.hocon

    def check(broker):
        joe_may("up/1")(broker)
        assert not may_publish(broker, "up/secret", username="joe") and may_subscribe(broker, "down/1", username="joe")
        assert may_publish(broker, "up/c", qos=2, username="joe"), "by Redis, which comes second"
    both_ways(start_broker, both, check)
    both_ways(start_broker, mysql, joe_may("up/1"))


def test_rules_of_an_http_service(start_broker, at):
    def answer(request):
        asked = json.loads(request["body"])
        good = asked["username"] == "joe" and asked["topic"] == "up/1" and asked["action"] == "publish"
        return 200, "application/json", json.dumps({"result": "allow" if good else "deny"})
    with tokens.Service(answer) as service:
        manual = at("Rules from an HTTP service", {"127.0.0.1:8080": f"127.0.0.1:{service.port}"})
        assert json.loads(manual.run(manual.scripts[0])) == {"result": "allow"}
        both_ways(start_broker, manual.hocon[0], joe_may("up/1"))


def test_settings_and_rules_of_the_node(start_broker, at):
    settings, file, built_in = at("What a client may do"), at("Rules in a file"), at("Rules in the built-in database")
    (settings.folder / "etc" / "acl.conf").write_text(file.other[0] + "\n")
    broker = start_broker(text=settings.hocon[0])
    assert may_publish(broker, "anything") and may_subscribe(broker, "#"), "the second rule: from this machine"
    file.run(file.scripts[0], broker)
    assert may_publish(broker, "t/1") and not may_publish(broker, "u/1")
    built_in.run(built_in.scripts[0], broker)
    assert may_publish(broker, "up/dev/1", "dev", username="joe") and not may_publish(broker, "up/dev/1", "dev", username="ann")
    assert may_subscribe(broker, "down/1", username="joe") and not may_publish(broker, "up/dev/1", "dev", username="joe", retain=True)


def test_guessing_bans_and_flapping(start_broker, at):
    manual = at("Guessing")
    broker = start_broker(text=manual.hocon[0], authentication=[{"mechanism": "password_based", "backend": "built_in_database"}])
    for _ in range(100):
        assert code_of(broker, "joe", "Gu3ss-of-manual") == 0x87
    assert code_of(broker, "joe", "Gu3ss-of-manual") == 0x9F
    broker.stop()
    manual = at("Bans")
    broker = start_broker()
    with broker.client("meter-07") as c:
        printed = manual.run(manual.scripts[0], broker)
        c.expect_disconnect(0x98)
    assert '"meter-07"' in printed and api.want(broker, 404, "DELETE", "/banned/peerhost/192.0.2.7")
    assert code_of(broker, client_id="meter-07") == 0x8A and code_of(broker, client_id="meter-08") == OK
    broker.stop()
    manual = at("Clients that come and go")
    broker = start_broker(text=manual.hocon[0])
    assert [code_of(broker, client_id="flapper") for _ in range(16)] == [OK] * 15 + [0x8A]
    row = api.want(broker, 200, "GET", "/banned")["data"][0]
    assert (row["as"], row["who"], row["by"]) == ("clientid", "flapper", "flapping detector")


def test_pre_shared_keys(start_broker, at, skip):
    skip.need("mosquitto_pub")
    port = node.free_port()
    manual = at("Pre-shared keys", {"0.0.0.0:8884": f"127.0.0.1:{port}", "-p 8884": f"-p {port}"})
    make, publish = manual.scripts[0].splitlines()
    manual.run(make)
    certs = manual.folder / "etc" / "certs"
    certs.mkdir()
    for made, name in zip(Pki(certs).issue("localhost"), ("cert.pem", "key.pem")):
        os.rename(made, certs / name)
    start_broker(text=manual.hocon[0], env={"SIGNALBOX_ETC_DIR": str(manual.folder / "etc")})
    manual.run(publish)
    with pytest.raises(AssertionError):
        manual.run(publish.replace("secret-one", "secret-two"))


def test_certificates(start_broker, at, tmp_path, skip):
    skip.need("mosquitto_pub")
    port, responder = node.free_port(), node.free_port()
    manual = at("Certificates of clients", {"0.0.0.0:8885": f"127.0.0.1:{port}", "8885": str(port), "127.0.0.1:8081": f"127.0.0.1:{responder}"})
    certs = manual.folder / "etc" / "certs"
    certs.mkdir()
    pki = Pki(certs, "cacert")
    for name, file in (("localhost", "node"), ("dev-1", "dev-1")):
        pki.issue(name, file=file)
    for old, new in (("node.pem", "cert.pem"), ("node.key", "key.pem")):
        (certs / old).rename(certs / new)
    index = certs / "index.txt"
    serial = tokens.openssl("x509", "-in", str(certs / "cert.pem"), "-noout", "-serial").decode().strip().split("=")[1]
    index.write_text(f"V\t491231235959Z\t\t{serial}\tunknown\t/O=Test/CN=localhost\n")
    ocsp = subprocess.Popen(["openssl", "ocsp", "-port", str(responder), "-index", str(index), "-CA", pki.ca, "-rsigner", pki.ca,
                             "-rkey", pki.ca_key, "-ndays", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        broker = start_broker(text=manual.hocon[0] + "\nauthorization { no_match = deny, sources = [{type = built_in_database}] }")
        api.want(broker, 204, "POST", "/authorization/sources/built_in_database/rules/users", [
            {"username": "dev-1", "rules": [{"topic": "t/1", "permission": "allow", "action": "publish"}]}])
        publish, *look = manual.scripts[0].splitlines()
        manual.run(publish)
        deadline = time.monotonic() + 20
        while "OCSP Response Status: successful" not in (seen := manual.run("\n".join(look) + " || true")):
            assert time.monotonic() < deadline, seen
            time.sleep(0.2)
        allowed = [one["metrics"]["allow"] for one in [api.want(broker, 200, "GET", "/authorization/sources/built_in_database/status")]]
        assert allowed == [1], "the name in the certificate is the username"
        with pytest.raises(AssertionError):
            manual.run(re.sub(r"--cert \S+ --key \S+", "", publish))
    finally:
        ocsp.kill()
        ocsp.wait()


def test_tls_to_a_back_end(start_broker, at, tmp_path, skip):
    pki = Pki(tmp_path)
    certificate, key = pki.issue("broker")
    with backends.running(backends.PostgreSQL, tmp_path / "server", skip, pki) as db:
        manual = at("TLS to a database, directory or service", {
            "/etc/ssl/db-ca.pem": pki.ca, "/etc/ssl/broker.pem": certificate, "/etc/ssl/broker.key": str(tmp_path / "locked.key"),
            "db:5432": f"127.0.0.1:{db.port}"})
        (manual.folder / "secrets" / "key-password").write_text("key-secret-of-manual")
        tokens.openssl("pkey", "-in", key, "-aes256", "-passout", "pass:key-secret-of-manual", "-out", str(tmp_path / "locked.key"))
        with_tls = f"authentication = [{json.dumps(db.authn())} {{ {manual.hocon[0]} }}]"
        from_file, by_rest = start_broker(text=with_tls), start_broker()
        api.want(by_rest, 200, "POST", "/authentication", db.authn(ssl={
            "enable": True, "verify": "verify_peer", "cacertfile": pki.ca, "certfile": certificate, "versions": ["tlsv1.3"],
            "keyfile": str(tmp_path / "locked.key"), "password": "key-secret-of-manual"}))
        for broker in (from_file, by_rest):
            want_connected(broker, f"/authentication/{db.id}")
            lets_in(broker, good=backends.SECRET)
            broker.stop()
        manual.clients(None)
        db.server.stop()
        db.server.more = ["-c", "ssl_max_protocol_version=TLSv1.2"]
        db.server.start()
        broker = start_broker(text=with_tls)
        assert code_of(broker, "joe", backends.SECRET) != OK, "an older version than those allowed"


def test_nothing_was_left_out():
    """Every heading with examples is one that a test above names, and every example there is of a kind that is run."""
    named = set(re.findall(r'(?:at\(|for heading, check in \(\()"([^"]+)"|\("([^"]+)", joe_may', open(__file__).read()))
    named = {a or b for a, b in named}
    assert set(SECTIONS) == named, set(SECTIONS) ^ named
