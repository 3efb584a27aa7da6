"""TLS to every kind of back end (access-control 9.2): trust, name, client certificate, versions, suites, depth are in force,
or refused by name where the client library of that kind cannot do it.

Redis, MongoDB, LDAP and HTTP speak in the clear behind a TLS of the test's own, which tells what it was offered; PostgreSQL
and MariaDB begin in the clear, so their own servers judge.
"""
import json
import ssl as tls

import pytest

from . import api, backends, pki, servers, stored, tokens
from .conftest import Skip
from .test_authn_database import NOT_AUTHORIZED, OK, code_of

SECRET = stored.SECRET
V12, V13 = tls.TLSVersion.TLSv1_2, tls.TLSVersion.TLSv1_3
AES128, AES256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
DIRECT = [backends.Redis, backends.MongoDB, backends.LDAP, backends.HTTP]
# What the client library of a kind cannot do.
CANNOT = {"postgresql": {"ciphers", "mixed", "depth"}, "mysql": {"depth", "server_name_indication", "mixed"},
          "mongodb": set(),
          "ldap": set(), "redis": set(), "http": set()}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return pki.Pki(tmp_path_factory.mktemp("pki"))


# The key that a test is about.
ABOUT = {"test_ciphers": "ciphers", "test_depth": "depth", "test_server_ciphers": "ciphers",
         "test_server_name": "server_name_indication"}


def pytest_generate_tests(metafunc):
    """`direct` is a kind behind a TLS of the test's own, `server` one whose server has TLS itself."""
    if "any_kind" not in metafunc.fixturenames:
        return
    kinds = backends.ALL
    if {"direct", "server"} & set(metafunc.fixturenames):
        kinds = [kind for kind in kinds if (kind in DIRECT) == ("direct" in metafunc.fixturenames)]
    kinds = [kind for kind in kinds if ABOUT.get(metafunc.function.__name__) not in CANNOT[kind.name]]
    metafunc.parametrize("any_kind", kinds, ids=[kind.name for kind in kinds], indirect=True, scope="module")


@pytest.fixture(scope="module")
def any_kind(request, tmp_path_factory, authority):
    own = authority if request.param in (backends.PostgreSQL, backends.MySQL) else None
    with backends.running(request.param, tmp_path_factory.mktemp(request.param.name) / "server", Skip, own) as one:
        yield one


@pytest.fixture
def direct(any_kind):
    return any_kind


class Judge:
    """A broker whose authenticator is changed while it runs."""

    def __init__(self, start_broker, back_end):
        self.back_end, self.started, self.broker = back_end, False, start_broker()

    def __call__(self, port, works, **ssl):
        """Sets `ssl`; it must work, or not."""
        settings = self.back_end.authn(port, pool_size=1, ssl={"enable": True} | ssl)
        if self.started:
            api.want(self.broker, 204, "PUT", f"/authentication/{self.back_end.id}", settings)
        else:
            api.want(self.broker, 200, "POST", "/authentication", settings)
        self.started = True
        if works:
            stored.want_status(self.broker, self.back_end.id, "connected")
        # The refusal of a client's certificate by TLS 1.3 shows with the first question only.
        assert code_of(self.broker, "joe", SECRET) == (OK if works else NOT_AUTHORIZED), ssl
        if not works:
            stored.want_status(self.broker, self.back_end.id, "disconnected")

    def reason(self):
        return stored.want_status(self.broker, self.back_end.id, "disconnected")["node_error"][0]["reason"]


def peer(authority):
    return {"verify": "verify_peer", "cacertfile": authority.ca}


def test_trust_and_name(start_broker, direct, authority, tmp_path):
    judge, stranger = Judge(start_broker, direct), pki.Pki(tmp_path, "stranger")
    with servers.TlsProxy(direct.port, *authority.issue("server")) as proxy:
        judge(proxy.port, True, **peer(authority))
        judge(proxy.port, False, **peer(stranger))
        judge(proxy.port, True, verify="verify_none")
        assert set(proxy.names) == {None}, "an address is no name"
        for name, works in (("localhost", True), ("elsewhere.example.org", False)):
            proxy.names.clear()
            judge(proxy.port, works, server_name_indication=name, **peer(authority))
            assert set(proxy.names) == {name}
        proxy.names.clear()
        judge(proxy.port, True, server_name_indication="disable", **peer(authority))
        assert set(proxy.names) == {None}


def test_no_name_is_told(start_broker, direct, authority):
    """Where the server is known by name, it is told, and with `disable` it is not; the certificate is compared in any case."""
    named = type(direct).__new__(type(direct))
    named.server = direct.server
    named.settings = lambda port: {key: value.replace("127.0.0.1", "localhost") if key == "server" else value
                                   for key, value in direct.settings(port).items()}
    if direct.name == "http":
        named._with_url = lambda path, settings: {
            key: value.replace("127.0.0.1", "localhost") if key == "url" else value
            for key, value in backends.HTTP._with_url(path, settings).items()}
    judge = Judge(start_broker, named)
    with servers.TlsProxy(direct.port, *authority.issue("server", "DNS:localhost", "by-name")) as proxy:
        judge(proxy.port, True, **peer(authority))
        assert set(proxy.names) == {"localhost"}
        proxy.names.clear()
        judge(proxy.port, True, server_name_indication="disable", **peer(authority))
        assert set(proxy.names) == {None}
    with servers.TlsProxy(direct.port, *authority.issue("server", "DNS:elsewhere", "of-another")) as proxy:
        judge(proxy.port, False, **peer(authority))


def test_client_certificate(start_broker, direct, authority, tmp_path):
    judge, stranger = Judge(start_broker, direct), pki.Pki(tmp_path, "stranger")
    certificate, key = authority.issue("broker")
    with servers.TlsProxy(direct.port, *authority.issue("server"), authority=authority.ca) as proxy:
        judge(proxy.port, True, certfile=authority.joined(certificate, key), **peer(authority))
        judge(proxy.port, False, **peer(authority))
        judge(proxy.port, False, certfile=stranger.joined(*stranger.issue("broker")), **peer(authority))
        judge(proxy.port, True, certfile=certificate, keyfile=key, **peer(authority))
        judge(proxy.port, False, certfile=str(tmp_path / "nowhere.pem"), **peer(authority))
        locked = str(tmp_path / "locked.key")
        authority._run("pkey", "-in", key, "-aes256", "-passout", "pass:key-secret", "-out", locked)
        both = authority.joined(certificate, locked)
        judge(proxy.port, True, certfile=both, password="key-secret", **peer(authority))
        judge(proxy.port, False, certfile=both, password="another", **peer(authority))
        stored.no_secrets(judge.broker, "key-secret")


def test_versions(start_broker, direct, authority):
    judge, both = Judge(start_broker, direct), ["tlsv1.2", "tlsv1.3"]
    for only, good, bad in (((V12, V12), "tlsv1.2", "tlsv1.3"), ((V13, V13), "tlsv1.3", "tlsv1.2")):
        with servers.TlsProxy(direct.port, *authority.issue("server"), versions=only) as proxy:
            judge(proxy.port, True, versions=both, **peer(authority))
            judge(proxy.port, False, versions=[bad], **peer(authority))
            judge(proxy.port, True, versions=[good], **peer(authority))
            assert {version for version, _ in proxy.seen} == {only[0].name.replace("_", ".")}


def test_ciphers(start_broker, direct, authority):
    judge = Judge(start_broker, direct)
    with servers.TlsProxy(direct.port, *authority.issue("server"), versions=(V12, V12), ciphers=AES128) as proxy:
        judge(proxy.port, False, ciphers=[AES256], **peer(authority))
        judge(proxy.port, True, ciphers=[AES256, AES128], **peer(authority))
        judge(proxy.port, False, ciphers=["TLS_AES_128_GCM_SHA256"], **peer(authority))
    with servers.TlsProxy(direct.port, *authority.issue("server")) as proxy:
        judge(proxy.port, True, ciphers=["TLS_CHACHA20_POLY1305_SHA256"], **peer(authority))
        assert set(proxy.seen) == {("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256")}
    refused = direct.authn(ssl={"enable": True, "ciphers": ["NO-SUCH-SUITE"]})
    assert "NO-SUCH-SUITE" in api.want(judge.broker, 400, "PUT", f"/authentication/{direct.id}", refused)["message"]


def test_depth(start_broker, direct, authority):
    judge, lower = Judge(start_broker, direct), authority.below("lower")
    certificate, key = lower.issue("server")
    with servers.TlsProxy(direct.port, authority.joined(certificate, lower.ca), key) as proxy:
        judge(proxy.port, True, **peer(authority))
        judge(proxy.port, False, depth=0, **peer(authority))
        judge(proxy.port, True, depth=1, **peer(authority))


def test_what_cannot_be_done_is_refused(start_broker, any_kind, tmp_path):
    broker = start_broker()
    wanted = {"versions": {"versions": ["tlsv1.3"]}, "ciphers": {"ciphers": [AES128]}, "mixed": {"ciphers": [AES128, "TLS_AES_128_GCM_SHA256"]}, "depth": {"depth": 3},
              "server_name_indication": {"server_name_indication": "elsewhere"}, "disable": {"server_name_indication": "disable"},
              "keyfile": {"certfile": "/a.pem", "keyfile": "/a.key"}, "password": {"certfile": "/a.pem", "password": "x"}}
    for what, ssl in wanted.items():
        key = {"disable": "server_name_indication", "mixed": "ciphers"}.get(what, what)
        for path, settings in (("/authentication", any_kind.authn), ("/authorization/sources", any_kind.source)):
            status, answer = api.call(broker, "POST", path, settings(ssl={"enable": True} | ssl))
            if what in CANNOT[any_kind.name]:
                assert status == 400 and key in answer["message"], (what, answer)
            else:
                assert status in (200, 204), (what, answer)
                made = {"/authentication": f"/authentication/{any_kind.id}",
                        "/authorization/sources": f"/authorization/sources/{any_kind.name}"}[path]
                api.want(broker, 204, "DELETE", made)
    for ssl in ({"keyfile": "/a.key"}, {"versions": []}):
        assert api.call(broker, "POST", "/authentication", any_kind.authn(ssl={"enable": True} | ssl))[0] == 400


@pytest.fixture
def server(any_kind):
    """A server that begins in the clear, and is started anew with a test's own arguments."""
    yield any_kind
    any_kind.server.more = []
    any_kind.server.stop()
    any_kind.server.start()


def restarted(server, *arguments):
    server.server.stop()
    server.server.more = list(arguments)
    server.server.start()


def test_server_versions(start_broker, server, authority):
    only = {"postgresql": ["-c", "ssl_max_protocol_version=TLSv1.2"], "mysql": ["--tls-version=TLSv1.2"]}[server.name]
    restarted(server, *only)
    judge = Judge(start_broker, server)
    judge(server.port, True, **peer(authority))
    judge(server.port, False, versions=["tlsv1.3"], **peer(authority))
    judge(server.port, True, versions=["tlsv1.2"], **peer(authority))


def test_server_ciphers(start_broker, server, authority):
    restarted(server, "--tls-version=TLSv1.2", f"--ssl-cipher={AES128}")
    judge = Judge(start_broker, server)
    judge(server.port, False, ciphers=[AES256], **peer(authority))
    judge(server.port, True, ciphers=[AES256, AES128], **peer(authority))
    judge(server.port, False, ciphers=["TLS_AES_256_GCM_SHA384"], **peer(authority))
    restarted(server)
    judge(server.port, True, ciphers=["TLS_AES_256_GCM_SHA384"], **peer(authority))


def test_server_name(start_broker, server, authority):
    judge = Judge(start_broker, server)
    judge(server.port, True, server_name_indication="localhost", **peer(authority))
    judge(server.port, False, server_name_indication="elsewhere", **peer(authority))
    judge(server.port, True, server_name_indication="disable", **peer(authority))


def test_server_wants_a_certificate(start_broker, server, authority, tmp_path):
    certificate, key = authority.issue("broker")
    if server.name == "postgresql":
        rules = server.server.data / "pg_hba.conf"
        old = rules.read_text()
        ca = server.server.data / "ca.crt"
        ca.write_text(open(authority.ca).read())
        ca.chmod(0o644)
        rules.write_text("hostssl all broker 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n" + old)
        restarted(server, "-c", f"ssl_ca_file={ca}")
    else:
        server.server.sql("ALTER USER broker@'%' REQUIRE X509")
    try:
        judge = Judge(start_broker, server)
        judge(server.port, True, certfile=certificate, keyfile=key, **peer(authority))
        judge(server.port, False, **peer(authority))
        judge(server.port, True, certfile=authority.joined(certificate, key), **peer(authority))
    finally:
        if server.name == "postgresql":
            rules.write_text(old)
        else:
            server.server.sql("ALTER USER broker@'%' REQUIRE NONE")


def test_key_sets_are_fetched_by_tls(start_broker, authority, tmp_path):
    """JWKS: the same keys, the same force."""
    keys = json.dumps({"keys": [tokens.KeyPair(tmp_path, "EC").jwk()]})
    with tokens.Service(lambda _: (200, "application/json", keys)) as service:
        certificate, key = authority.issue("broker")
        with servers.TlsProxy(service.port, *authority.issue("server"), authority=authority.ca, versions=(V12, V12),
                              ciphers=AES128) as proxy:
            jwt = {"mechanism": "jwt", "use_jwks": True, "endpoint": f"https://127.0.0.1:{proxy.port}/keys"}
            good = {"enable": True, "certfile": certificate, "keyfile": key, "ciphers": [AES128]} | peer(authority)
            broker = start_broker(authentication=[jwt | {"ssl": good}])
            stored.want_status(broker, "jwt", "connected")
            for change in ({"ciphers": [AES256]}, {"versions": ["tlsv1.3"], "ciphers": []},
                           {"server_name_indication": "elsewhere"}):
                api.want(broker, 204, "PUT", "/authentication/jwt", jwt | {"ssl": good | change})
                # The keys that were fetched before stay.
                assert stored.want_status(broker, "jwt", "connecting")["node_error"][0]["reason"], change
                api.want(broker, 204, "PUT", "/authentication/jwt", jwt | {"ssl": good})
                stored.want_status(broker, "jwt", "connected")
