"""Who is kept out: bans and flapping over REST and MQTT, guessing, revocation lists and OCSP with the openssl program and
with servers that fail (access-control 8, 9; broker.md 11)."""
import base64
import datetime
import hashlib
import socket
import ssl
import subprocess
import time
import urllib.parse

import pytest

from . import api, node, raw, servers, tokens
from .node import wait_until
from .pki import Pki
from .test_authn_database import BUILT_IN, OK, USERS, code_of

BANNED, TOO_OFTEN = 0x8A, 0x9F


def until(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- names in mountpoints -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version, bad_id, bad_name", [(5, 0x85, 0x87), (4, 2, 5), (3, 2, 5)])
def test_a_name_does_not_lead_out_of_the_mountpoint(start_broker, version, bad_id, bad_name):
    """A placeholder stands for one level: else a client + would hear everybody, and a client # name topics that are none."""
    by_name, at_front, of_both, plain = (node.free_port() for _ in range(4))
    broker = start_broker(listeners={"tcp": {
        "default": {"mountpoint": "dev/${clientid}/"}, "name": {"bind": f"127.0.0.1:{by_name}", "mountpoint": "u/${username}/"},
        "front": {"bind": f"127.0.0.1:{at_front}", "mountpoint": "${clientid}/"},
        "both": {"bind": f"127.0.0.1:{of_both}", "mountpoint": "m/${clientid}/${username}/"},
        "plain": {"bind": f"127.0.0.1:{plain}"}}})

    def code(port, client_id, username=None):
        with raw.Client(port, version=version) as c:
            c.send(raw.connect(client_id, version=version, username=username))
            return c.expect(raw.CONNACK).code

    for wide in ("+", "#", "a/#", "victim/x", "a+", "/"):
        assert code(broker.port, wide) == bad_id, wide
        assert code(by_name, "c", wide) == bad_name, wide
        assert code(by_name, wide, "joe") == OK and code(plain, wide, wide) == OK, "the mountpoint does not hold it"
        node.wait_until(lambda: "mountpoint_refused" in broker.log())  # lines are written behind the answer
    assert code(at_front, "$SYS", "joe") == bad_id and code(at_front, "c", "$SYS") == OK
    assert code(broker.port, "$SYS") == OK and code(by_name, "c") == OK
    with raw.Client(of_both, version=version) as c:  # what is put in is not looked at again
        c.connect("${username}", username="victim")
        assert api.want(broker, 200, "GET", "/clients/$%7Busername%7D")["mountpoint"] == "m/${username}/victim/"


# ---- bans -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, who, client", [
    ("clientid", "c", {}), ("username", "joe", {"username": "joe"}), ("peerhost", "127.0.0.1", {}),
    ("clientid_re", "^c$", {}), ("username_re", "^j", {"username": "joe"}), ("peerhost_net", "127.0.0.0/8", {})])
@pytest.mark.parametrize("version, code", [(5, BANNED), (4, 5), (3, 5)])
def test_ban(shared, uid, kind, who, client, version, code):
    """8A, 5.0's word for it, 5 in 3.x; before authentication; only by the exact value; lifted at once."""
    broker = shared(authentication=[BUILT_IN | {"enable": False}])
    row = api.want(broker, 200, "POST", "/banned", {"as": kind, "who": who, "reason": uid})
    try:
        assert row["by"] == "mgmt_api" and row["reason"] == uid
        assert code_of(broker, client_id="c", version=version, **client) == code
        if not kind.startswith("peerhost"):
            assert code_of(broker, client_id="cc", version=version) == OK
        refused = api.want(broker, 400, "POST", "/banned", {"as": kind, "who": who})
        assert refused["code"] == "ALREADY_EXISTS"
        assert [r["who"] for r in api.want(broker, 200, "GET", "/banned")["data"]] == [who]
    finally:
        path = f"/banned/{kind}/{urllib.parse.quote(who, safe='')}"
        api.want(broker, 204, "DELETE", path)
    assert code_of(broker, client_id="c", version=version, **client) == OK
    api.want(broker, 404, "DELETE", path)


@pytest.mark.parametrize("row", [
    {"as": "clientid"}, {"who": "c"}, {"as": "colour", "who": "red"}, {"as": "clientid", "who": ""},
    {"as": "peerhost", "who": "300.1.1.1"}, {"as": "peerhost", "who": "host.example"},
    {"as": "clientid_re", "who": "["}, {"as": "username_re", "who": "(?<x"}, {"as": "peerhost_net", "who": "10.0.0.0/40"},
    {"as": "peerhost_net", "who": "ten/8"},
    {"as": "clientid", "who": "c", "until": "2001-01-01T00:00:00Z"}, {"as": "clientid", "who": "c", "until": "tomorrow"},
    {"as": "clientid", "who": "c", "at": "2099-01-02T00:00:00Z", "until": "2099-01-01T00:00:00Z"},
    {"as": "clientid", "who": "c", "at": "never"}, {"as": "clientid", "who": ["c"]}], ids=lambda row: "-".join(map(str, row.values())))
def test_rows_that_are_refused(shared, row):
    broker = shared(authentication=[BUILT_IN | {"enable": False}])
    assert api.want(broker, 400, "POST", "/banned", row)["code"] == "BAD_REQUEST"
    assert api.want(broker, 200, "GET", "/banned")["data"] == []


def test_bans_are_found_by_filters(start_broker):
    broker = start_broker()
    for kind, who in (("clientid", "meter-1"), ("clientid", "meter-2"), ("username", "meter-1"), ("peerhost", "192.0.2.7"),
                      ("peerhost_net", "192.0.2.0/24")):
        api.want(broker, 200, "POST", "/banned", {"as": kind, "who": who})

    def found(query):
        answer = api.want(broker, 200, "GET", "/banned?" + query)
        assert answer["meta"]["count"] >= len(answer["data"])
        return [(row["as"], row["who"]) for row in answer["data"]]

    assert found("clientid=meter-1") == [("clientid", "meter-1")]
    assert found("like_clientid=meter") == [("clientid", "meter-1"), ("clientid", "meter-2")]
    assert found("like_username=1") == [("username", "meter-1")]
    assert found("like_peerhost=192.0&limit=1") == [("peerhost", "192.0.2.7")]
    assert found("peerhost_net=192.0.2.0/24") == [("peerhost_net", "192.0.2.0/24")]
    assert found("peerhost_net=192.0.2.9/24") == [("peerhost_net", "192.0.2.0/24")]
    assert found("peerhost=::ffff:192.0.2.7") == [("peerhost", "192.0.2.7")], "in any way of writing"
    assert found("clientid=meter-1&username=meter-1") == [] and found("clientid=x") == []
    broker.kill()
    broker.start()
    assert len(found("limit=10")) == 5
    assert api.want(broker, 200, "GET", "/banned?like_clientid=meter&limit=1")["meta"] == {"page": 1, "limit": 1, "count": 2, "hasnext": True}


def test_a_ban_of_an_id_ends_its_connection_and_outlives_kill(start_broker):
    broker = start_broker(authentication=[BUILT_IN | {"enable": False}])
    with broker.client("c", props={"session_expiry_interval": 100}) as c, broker.client("d", username="joe") as d:
        api.want(broker, 200, "POST", "/banned", {"as": "clientid", "who": "c"})
        c.expect_disconnect(0x98)  # administrative action
        api.want(broker, 200, "POST", "/banned", {"as": "username", "who": "joe", "until": until(3600)})
        d.ping()
    broker.kill()
    broker.start()
    assert code_of(broker, client_id="c") == BANNED and code_of(broker, "joe", client_id="d") == BANNED
    rows = api.want(broker, 200, "GET", "/banned")["data"]
    assert [(r["as"], r["who"]) for r in rows] == [("clientid", "c"), ("username", "joe")]
    api.want(broker, 204, "DELETE", "/banned")
    assert code_of(broker, client_id="c") == OK


def test_a_ban_ends_by_itself(start_broker):
    broker = start_broker()
    api.want(broker, 200, "POST", "/banned", {"as": "clientid", "who": "c", "until": until(3)})
    assert code_of(broker, client_id="c") == BANNED
    wait_until(lambda: code_of(broker, client_id="c") == OK, 8)
    api.want(broker, 200, "POST", "/banned", {"as": "clientid", "who": "c", "until": until(60)})  # the old one is none


def test_a_ban_goes_before_the_password(start_broker):
    broker = start_broker(authentication=[BUILT_IN])
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "R1ght-of-banned"})
    api.want(broker, 200, "POST", "/banned", {"as": "username", "who": "joe"})
    assert code_of(broker, "joe", "R1ght-of-banned") == BANNED and code_of(broker, "joe", "Wr0ng-of-banned") == BANNED
    metrics = api.want(broker, 200, "GET", "/authentication/password_based:built_in_database/status")["metrics"]
    assert metrics["total"] == 0, "nobody was asked"


# ---- flapping -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("max_count", [1, 3])
def test_flapping(start_broker, max_count):
    broker = start_broker(flapping_detect={"enable": True, "max_count": max_count, "window_time": "1m", "ban_time": "3s"})
    assert [code_of(broker, client_id="f") for _ in range(max_count + 1)] == [OK] * max_count + [BANNED]
    assert code_of(broker, client_id="other") == OK
    row = api.want(broker, 200, "GET", "/banned")["data"][0]
    assert (row["as"], row["who"], row["by"]) == ("clientid", "f", "flapping detector")
    wait_until(lambda: code_of(broker, client_id="f") == OK, 8)


def test_flapping_counts_within_its_window_and_is_off_by_default(start_broker):
    broker = start_broker(flapping_detect={"enable": True, "max_count": 3, "window_time": "1s"})
    for _ in range(4):
        assert code_of(broker, client_id="slow") == OK
        time.sleep(0.6)
    broker.stop()
    broker = start_broker()
    assert [code_of(broker, client_id="f") for _ in range(40)] == [OK] * 40


def test_flapping_by_wrong_passwords(start_broker):
    """Attempts count, not only connections."""
    broker = start_broker(authentication=[BUILT_IN], flapping_detect={"enable": True, "max_count": 5})
    codes = [code_of(broker, "joe", "Gu3ss-of-flapping", client_id="f") for _ in range(6)]
    assert codes == [0x87] * 5 + [BANNED]


# ---- guessing -------------------------------------------------------------------------------------------------------

def test_guessing_at_its_defaults(start_broker):
    """Off; and switched on: a hundred a minute, 9F for a minute, counted; a success in between forgives nothing."""
    broker = start_broker(authentication=[BUILT_IN])

    def switch(on):
        api.want(broker, 200, "PUT", "/configs?mode=merge", f"authentication_failure_limit.enable = {on}".encode(),
                 content_type="text/plain")

    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "R1ght-of-guessing"})
    shown = broker.ctl("conf", "show", "authentication_failure_limit")
    for setting in ("enable = false", "max_failures = 100", "window = 1m", "block_time = 1m"):
        assert setting in shown.replace('"', ""), shown
    switch("true")
    for _ in range(99):
        assert code_of(broker, "joe", "Gu3ss-at-it") == 0x86
    assert code_of(broker, "joe", "R1ght-of-guessing") == OK
    assert code_of(broker, "joe", "Gu3ss-at-it") == 0x86
    for _ in range(3):
        assert code_of(broker, "joe", "R1ght-of-guessing") == TOO_OFTEN
    assert code_of(broker, "joe", "R1ght-of-guessing", version=4) == 3
    assert api.want(broker, 200, "GET", "/metrics")[0]["authentication.failure.limited"] == 4
    switch("false")
    assert code_of(broker, "joe", "R1ght-of-guessing") == OK, "switched off at run time"


# ---- certificates ---------------------------------------------------------------------------------------------------

class Lists:
    """A CA whose certificates name their revocation list; the openssl program makes the list."""

    def __init__(self, folder, url):
        self.pki, self.folder = Pki(folder), folder
        self.url = url
        (folder / "index.txt").write_text("")
        (folder / "number").write_text("01\n")
        (folder / "ca.cnf").write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index.txt\ncrlnumber={folder}/number\n"
                                       "default_md=sha256\ndefault_crl_days=1\n")

    def client(self, name):
        return self.pki.issue(name, names=f"DNS:{name}\ncrlDistributionPoints=URI:{self.url}")

    def revoke(self, certificate):
        self._ca("-revoke", certificate)

    def made(self, *more):
        self._ca("-gencrl", "-out", str(self.folder / "list.pem"), *more)
        return (self.folder / "list.pem").read_bytes()

    def _ca(self, *arguments):
        tokens.openssl("ca", "-config", str(self.folder / "ca.cnf"), "-cert", self.pki.ca, "-keyfile", self.pki.ca_key, *arguments)


def let_in(port, pki, identity):
    context = ssl.create_default_context(cafile=pki.ca)
    context.load_cert_chain(*identity)
    try:
        with raw.Client(port, ssl=context) as c:
            c.connect("c")
            return True
    except (ssl.SSLError, ConnectionError, raw.Closed):
        return False


@pytest.fixture
def crl_broker(start_broker, tmp_path):
    """(node, port of its TLS listener) that checks lists."""
    def start(lists, **more):
        port = node.free_port()
        certificate, key = lists.pki.issue("localhost")
        options = {"certfile": certificate, "keyfile": key, "cacertfile": lists.pki.ca, "verify": "verify_peer",
                   "fail_if_no_peer_cert": True, "enable_crl_check": True}
        return start_broker(listeners={"ssl": {"mutual": {"bind": f"127.0.0.1:{port}", "ssl_options": options}}},
                            crl_cache={"http_timeout": "1s"} | more), port
    return start


def test_revoked_certificates(crl_broker, tmp_path):
    listed = {}
    with tokens.Service(lambda _: (200, "application/pkix-crl", listed["now"])) as service:
        lists = Lists(tmp_path, service.url + "/list.crl")
        good, bad = lists.client("good"), lists.client("bad")
        lists.revoke(bad[0])
        listed["now"] = lists.made()
        broker, port = crl_broker(lists)
        assert not let_in(port, lists.pki, good), "its list is not here yet"
        wait_until(lambda: let_in(port, lists.pki, good))
        assert not let_in(port, lists.pki, bad)
        stranger = Pki(tmp_path, "stranger").issue("good")
        assert not let_in(port, lists.pki, stranger)
    assert let_in(port, lists.pki, good), "the server is gone, the list holds"
    assert not let_in(port, lists.pki, bad)


@pytest.mark.parametrize("fault", ["dead", "hung", "garbage", "404", "foreign", "expired"])
def test_a_list_that_cannot_be_had_lets_nobody_in(crl_broker, tmp_path, fault):
    hung = servers.Scripted()
    answer = {}
    with tokens.Service(lambda _: answer["now"]) as service:
        url = {"dead": f"http://127.0.0.1:{node.free_port()}", "hung": f"http://127.0.0.1:{hung.port}"}.get(fault, service.url)
        lists = Lists(tmp_path, url + "/list.crl")
        answer["now"] = (404, None, "") if fault == "404" else (200, "application/pkix-crl", b"\x30\x82garbage")
        if fault == "foreign":
            (tmp_path / "other").mkdir()
            other = Lists(tmp_path / "other", url)
            answer["now"] = (200, "application/pkix-crl", other.made())
        if fault == "expired":
            answer["now"] = (200, "application/pkix-crl", lists.made("-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z"))
        client = lists.client("good")
        broker, port = crl_broker(lists)
        for _ in range(3):
            began = time.monotonic()
            assert not let_in(port, lists.pki, client)
            assert time.monotonic() - began < 1, "the handshake does not wait for the server of lists"
            time.sleep(0.4)
        with broker.client("c") as c:
            c.ping()
        if fault in ("dead", "hung", "garbage", "404"):
            wait_until(lambda: "crl_not_fetched" in broker.log())
        began = time.monotonic()
        broker.stop()
        assert time.monotonic() - began < 10
    hung.close()


def listening(port):
    """Without a connection: the responder serves one at a time, and waits long for what it asks."""
    fields = [line.split() for file in ("/proc/net/tcp", "/proc/net/tcp6") for line in open(file)]
    return any(one[1].endswith(f":{port:04X}") and one[3] == "0A" for one in fields)


def stapled(port, pki):
    done = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{port}", "-CAfile", pki.ca, "-status"], text=True,
                          input="", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    assert "Verify return code: 0" in done.stdout or "verify return:1" in done.stdout, done.stdout
    return "OCSP Response Status: successful" in done.stdout


@pytest.mark.parametrize("fault", [None, "dead", "hung", "garbage", "revoked"])
def test_stapling(start_broker, tmp_path, fault):
    """A good answer is stapled; without one the listener serves as before, and says so."""
    pki, port, responder = Pki(tmp_path), node.free_port(), node.free_port()
    certificate, key = pki.issue("localhost")
    serial = tokens.openssl("x509", "-in", certificate, "-noout", "-serial").decode().strip().split("=")[1]
    state = "R\t491231235959Z\t250101000000Z" if fault == "revoked" else "V\t491231235959Z\t"
    (tmp_path / "index.txt").write_text(f"{state}\t{serial}\tunknown\t/O=Test/CN=localhost\n")
    process = scripted = None
    if fault in (None, "revoked"):
        process = subprocess.Popen(["openssl", "ocsp", "-port", str(responder), "-index", str(tmp_path / "index.txt"), "-CA", pki.ca,
                                    "-rsigner", pki.ca, "-rkey", pki.ca_key, "-ndays", "1"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
    elif fault in ("hung", "garbage"):
        scripted = servers.Scripted(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage" if fault == "garbage" else b"", port=responder)
    try:
        if process:
            wait_until(lambda: listening(responder))
        url = f"http://127.0.0.1:{responder}"
        if fault not in (None, "revoked"):  # and what it says of it shows no secret
            url = f"http://joe:ocsp-5ecret@127.0.0.1:{responder}/?token=ocsp-t0ken"
        broker = start_broker(listeners={"ssl": {"stapling": {"bind": f"127.0.0.1:{port}", "ssl_options": {
            "certfile": certificate, "keyfile": key, "ocsp": {"enable_ocsp_stapling": True, "issuer_pem": pki.ca,
                                                              "refresh_http_timeout": "1s", "responder_url": url}}}}})
        if fault is None:
            wait_until(lambda: stapled(port, pki))
        else:
            wait_until(lambda: "ocsp_answer_not_usable" in broker.log())
            assert not stapled(port, pki)
        with raw.Client(port, ssl=True) as c:
            c.connect("c")
    finally:
        if process:
            process.kill()
            process.wait()
        if scripted:
            scripted.close()


@pytest.mark.parametrize("form", ["cn", "dn", "md5", "crt", "pem"])
@pytest.mark.parametrize("place", ["username", "clientid"])
def test_identity_from_a_certificate(start_broker, tmp_path, form, place):
    pki, port = Pki(tmp_path), node.free_port()
    certificate, key = pki.issue("localhost")
    identity = pki.issue("dev-1")
    broker = start_broker(mqtt={f"peer_cert_as_{place}": form}, listeners={"ssl": {"mutual": {
        "bind": f"127.0.0.1:{port}", "ssl_options": {"certfile": certificate, "keyfile": key, "cacertfile": pki.ca,
                                                     "verify": "verify_peer", "fail_if_no_peer_cert": True}}}})
    context = ssl.create_default_context(cafile=pki.ca)
    context.load_cert_chain(*identity)
    der = tokens.openssl("x509", "-in", identity[0], "-outform", "DER")
    with raw.Client(port, ssl=context) as c:
        c.connect("told", username="told")
        rows = api.want(broker, 200, "GET", "/clients")["data"]
        assert len(rows) == 1
        shown = rows[0][place]
    wanted = {"cn": "dev-1", "md5": hashlib.md5(der).hexdigest(), "pem": base64.b64encode(der).decode()}
    if form in wanted:
        assert shown == wanted[form]
    elif form == "dn":
        assert "dev-1" in shown and "Test" in shown
    else:
        assert shown.encode() != der and "\ufffd" in shown, "bytes that are no text are shown as such"
