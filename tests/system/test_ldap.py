"""password_based:ldap by both methods and the authorization source ldap, against slapd (access-control 4.7, 7.9)."""
import base64
import hashlib
import time

import pytest

from . import api, directory, node, stored
from .conftest import Skip
from .pki import Pki
from .test_authn_database import NOT_AUTHORIZED, OK, code_of
from .test_authz_sources import authorization, may_publish, may_subscribe

ID = "password_based:ldap"
STATUS = f"/authentication/{ID}/status"
BAD_PASSWORD, UNSPECIFIED = 0x86, 0x80


def digest(name, password, salt=b""):
    return base64.b64encode(hashlib.new(name, password.encode() + salt).digest() + salt).decode()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def slapd(tmp_path_factory, pki):
    server = directory.Slapd(tmp_path_factory.mktemp("ldap"), Skip, pki)
    server.start().fill()
    for name in ("md5", "sha1", "sha256", "sha384", "sha512"):
        label = "{" + name.replace("sha1", "sha").upper() + "}"
        server.add_user(name, password=label + digest(name, "right-pw"))
    server.add_user("ssha", password="{SSHA}" + digest("sha1", "right-pw", b"\x00\xffsalt"))
    server.add_user("root", "isSuperuser: TRUE", password="{SHA}" + digest("sha1", "right-pw"))
    server.add_user("off", "isEnabled: FALSE", password="{SHA}" + digest("sha1", "right-pw"))
    server.add_user("on", "isEnabled: TRUE", password="{SHA}" + digest("sha1", "right-pw"))
    server.add_user("none")
    server.add_user("odd", password="{CRYPT}xxxx")
    server.add_user("a\\,b", password="{SHA}" + digest("sha1", "right-pw"))
    server.add_user("rules", "mqttPublishTopic: up/${clientid}/#", "mqttPublishTopic: eq x/y", "mqttSubscriptionTopic: down/#",
                "mqttPubSubTopic: both/${username}", "mqttPubSubTopic: bad/#/x")
    yield server
    server.stop()


def ldap(server, method="hash", **more):
    return {"mechanism": "password_based", "backend": "ldap", "server": f"127.0.0.1:{server.port}",
            "username": "cn=search,dc=example,dc=org", "password": "search-pw-ldap", "base_dn": directory.BASE,
            "filter": "(&(objectClass=mqttUser)(uid=${username}))", "method": {"type": method}} | more


def ldap_source(server, **more):
    out = ldap(server) | {"type": "ldap"} | more
    for key in ("mechanism", "backend", "method"):
        del out[key]
    return out


def wait_for(broker, path, status, seconds=20):
    deadline = time.monotonic() + seconds
    while api.want(broker, 200, "GET", path)["status"] != status:
        assert time.monotonic() < deadline, api.want(broker, 200, "GET", path)
        time.sleep(0.05)


def test_hashes(start_broker, slapd):
    broker = start_broker(authentication=[ldap(slapd)], authorization={"no_match": "deny", "sources": []})
    wait_for(broker, STATUS, "connected")
    for name in ("md5", "sha1", "sha256", "sha384", "sha512", "ssha", "on", "a,b"):
        assert code_of(broker, name, "right-pw") == OK, name
        assert code_of(broker, name, "wrong") == BAD_PASSWORD, name
    assert code_of(broker, "nobody", "right-pw") == NOT_AUTHORIZED, "left to the end of the chain"
    assert code_of(broker, "sha1") == BAD_PASSWORD and code_of(broker, "sha1", "") == BAD_PASSWORD
    for name in ("off", "none", "odd"):
        assert code_of(broker, name, "right-pw") == UNSPECIFIED, name
    with broker.client("c", username="root", password="right-pw") as c:
        c.publish("t", qos=1, code=0x10)
    with broker.client("c", username="sha1", password="right-pw") as c:
        c.publish("t", qos=1, code=0x87)
    metrics = api.want(broker, 200, "GET", STATUS)["metrics"]
    assert metrics["nomatch"] == 1 and metrics["success"] >= 10 and metrics["failed"] >= 10


def test_bind(start_broker, slapd):
    broker = start_broker(authentication=[ldap(slapd, "bind")], authorization={"no_match": "deny", "sources": []})
    wait_for(broker, STATUS, "connected")
    for name in ("ssha", "sha1", "a,b"):
        assert code_of(broker, name, "right-pw") == OK, name
        assert code_of(broker, name, "wrong") == BAD_PASSWORD, name
    assert code_of(broker, "nobody", "right-pw") == NOT_AUTHORIZED
    for empty in (None, ""):
        assert code_of(broker, "sha1", empty) == BAD_PASSWORD, "never an anonymous bind"
    assert code_of(broker, "none", "right-pw") == BAD_PASSWORD
    with broker.client("c", username="root", password="right-pw") as c:
        c.publish("t", qos=1, code=0x87)  # a bind never makes a superuser
    # The searches go on as the service account, whoever was bound meanwhile.
    for _ in range(20):
        assert code_of(broker, "sha1", "right-pw") == OK
    api.want(broker, 204, "PUT", f"/authentication/{ID}",
             ldap(slapd, "bind") | {"method": {"type": "bind", "bind_password": "right-pw"}})
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "sha1", "anything") == OK, "the template says what is bound with"


@pytest.mark.parametrize("name", ["*", "sha*", "u*)(uid=*", "sha1)(objectClass=*", "*)(|(uid=sha1", "\\73ha1", "sha1\\", "(sha1)",
                                  "sha1,ou=devices", "#sha1", "sha1+x=y", "\u0161ha1"], ids=lambda name: name.encode().hex())
@pytest.mark.parametrize("method", ["hash", "bind"])
def test_injection(shared_broker, slapd, method, name):
    """What a client calls itself is a value, in the filter and in the base."""
    broker = shared_broker[method]
    for client_id, username in (("c", name), (name, "x")):
        assert code_of(broker, username, "right-pw", client_id) == NOT_AUTHORIZED
    assert code_of(broker, "sha1", "right-pw") == OK


@pytest.fixture(scope="module")
def shared_broker(tmp_path_factory, slapd):
    out = {}
    for method in ("hash", "bind"):
        # By name in the filter, and by client id in the base: nobody is called "x".
        out[method] = node.Node(tmp_path_factory.mktemp(method), authentication=[
            ldap(slapd, method, filter="(&(objectClass=mqttUser)(uid=${username}))")]).start()
        wait_for(out[method], STATUS, "connected")
    yield out
    for broker in out.values():
        broker.stop()


def test_names_in_the_base(start_broker, slapd):
    broker = start_broker(authentication=[ldap(slapd, base_dn="uid=${clientid}," + directory.BASE, filter="(objectClass=mqttUser)")])
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "u", "right-pw", "sha1") == OK
    assert code_of(broker, "u", "right-pw", "a,b") == OK
    for evil in ("sha1,ou=devices", "x+uid=sha1", "*", "sha1\\"):
        assert code_of(broker, "u", "right-pw", evil) == NOT_AUTHORIZED, evil
    assert code_of(broker, "u", "right-pw", "nobody") == NOT_AUTHORIZED, "a base that does not exist holds nobody"


def test_two_entries_are_none(start_broker, slapd):
    broker = start_broker(authentication=[ldap(slapd, filter="(objectClass=mqttUser)")])
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "sha1", "right-pw") == NOT_AUTHORIZED


@pytest.mark.parametrize("way", ["ldaps", "start_tls"])
def test_tls(start_broker, slapd, pki, way, tmp_path):
    ssl = {"enable": True, "verify": "verify_peer", "cacertfile": pki.ca}
    how = {"server": f"localhost:{slapd.tls_port}"} if way == "ldaps" else {"server": f"localhost:{slapd.port}", "start_tls": True}
    broker = start_broker(authentication=[ldap(slapd, "bind", ssl=ssl) | how])
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "sha1", "right-pw") == OK and code_of(broker, "sha1", "wrong") == BAD_PASSWORD
    folder = tmp_path / "other"
    folder.mkdir()
    stranger = Pki(folder, "other")
    api.want(broker, 204, "PUT", f"/authentication/{ID}", ldap(slapd, "bind", ssl=ssl | {"cacertfile": stranger.ca}) | how)
    wait_for(broker, STATUS, "disconnected")
    assert code_of(broker, "sha1", "right-pw") == NOT_AUTHORIZED, "a certificate of a stranger"
    node.wait_until(lambda: "the certificate is not trusted" in broker.log())
    for name, status in (("127.0.0.1", "connected"), ("elsewhere.example.org", "disconnected"), ("localhost", "connected"),
                         ("ldap", "disconnected")):
        named = ssl | {"server_name_indication": name}
        api.want(broker, 204, "PUT", f"/authentication/{ID}", ldap(slapd, "bind", ssl=named) | how)
        wait_for(broker, STATUS, status)
        assert code_of(broker, "sha1", "right-pw") == (OK if status == "connected" else NOT_AUTHORIZED), name
        said = f"the certificate is not for {name}"
        if status == "disconnected":
            node.wait_until(lambda: said in broker.log())
        assert (said in broker.log()) == (status == "disconnected"), name
    api.want(broker, 204, "PUT", f"/authentication/{ID}", ldap(slapd, "bind", ssl={"enable": True, "verify": "verify_none"}) | how)
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "sha1", "right-pw") == OK


def test_rules_of_an_entry(start_broker, slapd):
    broker = start_broker(authorization=authorization(ldap_source(slapd)))
    wait_for(broker, "/authorization/sources/ldap/status", "connected")
    me = {"client_id": "dev", "username": "rules"}
    assert may_publish(broker, "up/dev/1", **me) and not may_publish(broker, "up/other/1", **me)
    assert may_publish(broker, "x/y", **me) and not may_publish(broker, "x/z", **me)
    assert may_subscribe(broker, "down/+", **me) and not may_publish(broker, "down/1", **me)
    assert may_publish(broker, "both/rules", **me) and may_subscribe(broker, "both/rules", **me)
    assert not may_publish(broker, "t", "dev", username="nobody") and not may_publish(broker, "t", "dev", username="*")
    assert not may_publish(broker, "bad/1/x", **me), "a filter that is none is skipped"
    metrics = api.want(broker, 200, "GET", "/authorization/sources/ldap/status")["metrics"]
    assert metrics["deny"] == 0 and metrics["allow"] == 5 and metrics["total"] == metrics["allow"] + metrics["nomatch"]


@pytest.mark.parametrize("bad", [{"filter": "(uid=${username}"}, {"filter": "uid=x"}, {"filter": "(uid${username}=x)"}, {"base_dn": "uid=${user}"}, {"server": "a:b:c"},
                                 {"start_tls": True}, {"method": {"type": "guess"}}, {"query_timeout": "never"}],
                         ids=lambda b: next(iter(b)))
def test_settings_that_are_refused(start_broker, slapd, bad):
    broker = start_broker()
    said = api.want(broker, 400, "POST", "/authentication", ldap(slapd) | bad)
    assert next(iter(bad)) in said["message"]
    old = ldap(slapd) | {"password_attribute": "userPassword", "is_superuser_attribute": "isSuperuser"}
    del old["method"]
    assert api.want(broker, 200, "POST", "/authentication", old)["method"]["password_attribute"] == "userPassword"
    shown = api.want(broker, 200, "GET", f"/authentication/{ID}")
    assert shown["password"] == "******"


def alarms(broker):
    return [a["name"] for a in api.want(broker, 200, "GET", "/alarms?activated=true")["data"]]


def test_a_directory_that_dies_and_comes_back(start_broker, tmp_path, skip):
    server = directory.Slapd(tmp_path / "own", skip)
    server.start().fill().add_user("joe", password="{SHA}" + digest("sha1", "right-pw"))
    try:
        broker = start_broker(authentication=[ldap(server, "bind")],
                              authorization=authorization(ldap_source(server), cache={"enable": False}))
        wait_for(broker, STATUS, "connected")
        with broker.client("c", username="joe", password="right-pw") as c:
            server.kill()
            began = time.monotonic()
            for _ in range(5):
                assert code_of(broker, "joe", "right-pw") in (NOT_AUTHORIZED, BAD_PASSWORD)
            c.publish("t", qos=1, code=0x87)
            assert time.monotonic() - began < 15
            wait_for(broker, STATUS, "disconnected")
            wait_for(broker, "/authorization/sources/ldap/status", "disconnected")
            stored.want_alarm(broker, ID)
            stored.want_alarm_named(broker, "authorization:ldap")
            began = time.monotonic()
            assert code_of(broker, "joe", "right-pw") == NOT_AUTHORIZED
            assert time.monotonic() - began < 0.5, "refused at once"
            server.start()
            wait_for(broker, STATUS, "connected", 45)
            deadline = time.monotonic() + 20
            while code_of(broker, "joe", "right-pw") != OK:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            wait_for(broker, "/authorization/sources/ldap/status", "connected", 45)
            assert not alarms(broker)
    finally:
        server.stop()


def test_secrets_are_not_logged(start_broker, slapd):
    broker = start_broker(authentication=[ldap(slapd, "bind")], text="log.file.default.level = debug")
    wait_for(broker, STATUS, "connected")
    assert code_of(broker, "sha1", "right-pw") == OK
    assert code_of(broker, "sha1", "wr0ng-pw") == BAD_PASSWORD
    broker.stop()
    text = broker.log() + "".join(p.read_text(errors="replace") for p in (broker.data / "log").glob("*") if p.is_file())
    for secret in ("search-pw-ldap", "right-pw", "wr0ng-pw"):
        assert secret not in text
