"""jwt with tokens that openssl signed: secrets, public keys, key sets, claims, rules, expiry (access-control 4.8)."""
import base64
import json
import time

import pytest

from . import api, raw, servers, stored, tokens
from .node import wait_until
from .test_authn_database import BAD, BUILT_IN, NOT_AUTHORIZED, OK, code_of

SECRET = tokens.Secret(b"a shared secret")


def jwt(**more):
    return {"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "a shared secret"} | more


def test_shared_secret(start_broker):
    broker = start_broker(authentication=[jwt(verify_claims={"sub": "${username}"})])
    now = int(time.time())
    assert code_of(broker, "joe", SECRET.token({"sub": "joe", "exp": now + 60})) == OK
    assert code_of(broker, "joe", SECRET.token({"sub": "joe"}, "HS512")) == OK
    assert code_of(broker, "joe", SECRET.token({"sub": "joe"}), version=4) == 0
    for claims in ({"sub": "ann"}, {}, {"sub": "joe", "exp": now - 1}, {"sub": "joe", "nbf": now + 60},
                   {"sub": "joe", "iat": now + 60}, {"sub": "joe", "exp": "never"}):
        assert code_of(broker, "joe", SECRET.token(claims)) == BAD, claims
    good = SECRET.token({"sub": "joe"})
    unsigned = tokens.head("none", None, {}) + "." + good.split(".")[1] + "."
    for other in (tokens.Secret(b"another secret").token({"sub": "joe"}), good[:-4] + "AAAA", unsigned, "password", "", None):
        assert code_of(broker, "joe", other) == NOT_AUTHORIZED, other


def test_bad_signature_asks_the_next(start_broker):
    broker = start_broker(authentication=[jwt(), BUILT_IN])
    api.want(broker, 201, "POST", "/authentication/password_based:built_in_database/users",
             {"user_id": "joe", "password": "plain password"})
    assert code_of(broker, "joe", "plain password") == OK
    assert code_of(broker, "joe", SECRET.token({})) == OK
    assert code_of(broker, "joe", SECRET.token({"exp": 1})) == BAD, "expired is final"
    assert code_of(broker, "joe", tokens.Secret(b"x").token({})) == BAD, "the database refuses it as a password"


def test_secrets_in_other_forms(start_broker, tmp_path):
    file = tmp_path / "secret"
    file.write_text("a shared secret\n")
    for settings in (jwt(secret=base64.b64encode(b"a shared secret").decode(), secret_base64_encoded=True),
                     jwt(secret=f"file://{file}")):
        broker = start_broker(authentication=[settings])
        assert code_of(broker, "joe", SECRET.token({})) == OK
        if settings["secret"].startswith("file"):
            file.write_text("another secret")
            assert code_of(broker, "joe", SECRET.token({})) == OK
            api.want(broker, 204, "PUT", "/authentication/jwt", settings)
            assert code_of(broker, "joe", tokens.Secret(b"another secret").token({})) == OK
            file.unlink()
            api.want(broker, 400, "PUT", "/authentication/jwt", settings)
            api.want(broker, 200, "PUT", "/configs", b"mqtt.max_qos_allowed = 1", content_type="text/plain")
            assert code_of(broker, "joe", tokens.Secret(b"another secret").token({})) == OK
        broker.stop()
    broker = start_broker(authentication=[jwt(**{"from": "username"})])
    assert code_of(broker, SECRET.token({}), None) == OK
    assert code_of(broker, "joe", SECRET.token({})) == NOT_AUTHORIZED


@pytest.mark.parametrize("kind,algorithm", [("RSA", "RS256"), ("RSA", "RS512"), ("RSA", "PS256"), ("EC", "ES256"),
                                            ("ED25519", "EdDSA")])
def test_public_key(start_broker, tmp_path, kind, algorithm):
    key = tokens.KeyPair(tmp_path, kind, "mine")
    forger = tokens.KeyPair(tmp_path, kind, "other")
    broker = start_broker(authentication=[{"mechanism": "jwt", "use_jwks": False, "algorithm": "public-key",
                                           "public_key": str(key.public)}])
    assert code_of(broker, "joe", key.token({"exp": int(time.time()) + 60}, algorithm)) == OK
    assert code_of(broker, "joe", key.token({"exp": 1}, algorithm)) == BAD
    assert code_of(broker, "joe", forger.token({}, algorithm)) == NOT_AUTHORIZED
    pem = key.public.read_bytes()
    assert code_of(broker, "joe", tokens.Secret(pem).token({})) == NOT_AUTHORIZED, "the key's text is no shared secret"
    api.want(broker, 204, "PUT", "/authentication/jwt", {
        "mechanism": "jwt", "use_jwks": False, "algorithm": "public-key", "public_key": forger.public.read_text()})
    assert code_of(broker, "joe", forger.token({}, algorithm)) == OK, "PEM text in place of a path"


def test_key_set_is_fetched_and_refreshed(start_broker, tmp_path):
    first, second = tokens.KeyPair(tmp_path, "RSA", "k1"), tokens.KeyPair(tmp_path, "EC", "k2")
    served = [first]
    with tokens.Service(lambda _: (200, "application/json", json.dumps({"keys": [k.jwk() for k in served]}))) as service:
        broker = start_broker(authentication=[{"mechanism": "jwt", "use_jwks": True, "endpoint": service.url + "/keys"}])
        wait_until(lambda: code_of(broker, "joe", first.token({})) == OK)
        assert api.want(broker, 200, "GET", "/authentication/jwt/status")["status"] == "connected"
        assert code_of(broker, "joe", second.token({})) == NOT_AUTHORIZED
        served[:] = [second]
        # The unknown kid asks for a new set, ten seconds after the last one at the earliest.
        wait_until(lambda: code_of(broker, "joe", second.token({})) == OK, 20)
        assert code_of(broker, "joe", first.token({})) == NOT_AUTHORIZED
        assert len(service.requests) <= 3
    assert code_of(broker, "joe", second.token({})) == OK, "the last good set stays"


@pytest.mark.parametrize("claims", ["sub", 5, True, ["sub"], [{"name": "sub"}], {"exp": "1"}], ids=str)
def test_claims_of_a_wrong_shape(start_broker, claims):
    broker = start_broker(authentication=[BUILT_IN])
    assert "verify_claims" in api.want(broker, 400, "POST", "/authentication", jwt(verify_claims=claims))["message"]


def test_a_change_keeps_the_key_set(start_broker, tmp_path):
    key, up = tokens.KeyPair(tmp_path, "RSA", "k"), [True]
    with tokens.Service(lambda _: (200, "application/json", json.dumps({"keys": [key.jwk()]})) if up[0] else (500, None, "")) \
            as service:
        settings = {"mechanism": "jwt", "use_jwks": True, "endpoint": service.url + "/keys"}
        broker = start_broker(authentication=[settings])
        wait_until(lambda: code_of(broker, "joe", key.token({})) == OK)
        up[0] = False
        api.want(broker, 204, "PUT", "/authentication/jwt", settings | {"verify_claims": {"sub": "joe"}})
        assert code_of(broker, "joe", key.token({"sub": "joe"})) == OK
        assert code_of(broker, "joe", key.token({"sub": "ann"})) == BAD
        api.want(broker, 204, "PUT", "/authentication/jwt", settings | {"endpoint": service.url + "/others"})
        assert code_of(broker, "joe", key.token({"sub": "joe"})) == NOT_AUTHORIZED, "keys of another place"


def test_a_disabled_one_may_name_no_file(start_broker, tmp_path):
    settings = {"mechanism": "jwt", "use_jwks": False, "algorithm": "public-key", "public_key": str(tmp_path / "gone.pem")}
    broker = start_broker(authentication=[settings | {"enable": False}])
    assert code_of(broker) == OK
    assert "gone.pem" in api.want(broker, 400, "PUT", "/authentication/jwt", settings)["message"]


def test_key_set_that_cannot_be_had(start_broker, tmp_path):
    with tokens.Service(lambda _: (500, None, "no")) as service:
        broker = start_broker(authentication=[{"mechanism": "jwt", "use_jwks": True, "endpoint": service.url}])
        wait_until(lambda: api.want(broker, 200, "GET", "/authentication/jwt/status")["status"] == "disconnected")
        assert code_of(broker, "joe", SECRET.token({})) == NOT_AUTHORIZED
        wait_until(lambda: "authenticator:jwt:mqtt:global" in
                   [a["name"] for a in api.want(broker, 200, "GET", "/alarms?activated=true")["data"]])
        api.want(broker, 204, "DELETE", "/authentication/jwt")
        wait_until(lambda: "authenticator:jwt:mqtt:global" not in
                   [a["name"] for a in api.want(broker, 200, "GET", "/alarms?activated=true")["data"]])


NO_SETS = {"nothing": "", "html": "<html>login</html>", "no object": "[]", "no keys": "{}", "keys that are none": '{"keys": 5}',
           "half": '{"keys": [{"kty": "RSA"', "nonsense": '{"keys": [{"kty": "RSA", "n": "!", "e": 7}]}'}


@pytest.mark.parametrize("fault", ["killed", "hung", "garbage", "cut", 404, 302, *NO_SETS])
def test_an_endpoint_that_is_not_well_lets_nobody_in_until_it_is(start_broker, tmp_path, fault):
    key = tokens.KeyPair(tmp_path, "RSA", "k")
    good = 200, "application/json", json.dumps({"keys": [key.jwk()]})
    ill = [True]

    def answer(_):
        if not ill[0] or fault in ("killed", "hung", "garbage", "cut"):
            return good
        return (fault, None, "") if isinstance(fault, int) else (200, "application/json", NO_SETS[fault])

    def alarmed():
        return "authenticator:jwt:mqtt:global" in [a["name"] for a in api.want(broker, 200, "GET", "/alarms?activated=true")["data"]]

    with tokens.Service(answer) as service, servers.Proxy(service.port) as proxy:
        if fault in ("killed", "hung", "garbage", "cut"):
            proxy.be(fault)
        broker = start_broker(authentication=[{"mechanism": "jwt", "use_jwks": True, "endpoint": f"http://127.0.0.1:{proxy.port}/keys"}])
        for token in (key.token({}), SECRET.token({})):
            assert code_of(broker, "joe", token) == NOT_AUTHORIZED, "at once, also while it is being asked"
        status = stored.want_status(broker, "jwt", "disconnected")
        assert status["node_error"][0]["reason"] and status["metrics"]["nomatch"] == 2
        wait_until(alarmed)
        assert code_of(broker, "joe", key.token({})) == NOT_AUTHORIZED
        ill[0] = False
        proxy.be("well")
        stored.want_status(broker, "jwt", "connected", 30)
        assert code_of(broker, "joe", key.token({})) == OK
        wait_until(lambda: not alarmed())


def test_rules_of_the_token(start_broker):
    broker = start_broker(authentication=[jwt()])
    acl = {"pub": ["p/${clientid}"], "sub": ["s/+"], "all": ["a/#", "eq lit/+"]}
    will = raw.Will("forbidden", "x", qos=1)
    with broker.client("watch", username="w", password=SECRET.token({})) as watch, \
            broker.client("dev", username="joe", password=SECRET.token({"acl": acl}), will=will) as c:
        watch.subscribe("forbidden")
        c.publish("p/dev", qos=1, code=0x10)
        c.publish("p/other", qos=1, code=0x87)
        c.publish("s/1", qos=2, code=0x87)
        c.subscribe("s/1", ("a/b/#", 1), "lit/+", "lit/x", "s/#", "#", packet_id=2, codes=[0, 1, 0, 0x87, 0x87, 0x87])
        c.publish("a/x", "mine", qos=1, code=0x10)
        c.close()
        watch.expect_nothing()
    with broker.client("list", username="joe", password=SECRET.token({"acl": [
            {"permission": "deny", "action": "publish", "topic": "no/#"},
            {"permission": "allow", "action": "all", "topic": "yes"}]})) as c:
        c.publish("no/1", qos=1, code=0x87)
        c.publish("yes", qos=1, code=0x10)
        c.publish("whatever", qos=1, code=0x10)
    with broker.client("root", username="joe", password=SECRET.token({"is_superuser": True, "acl": {}})) as c:
        c.publish("anything", qos=1, code=0x10)


def test_rights_end_with_the_token(start_broker):
    broker = start_broker(authentication=[jwt()])
    end = int(time.time()) + 3
    with broker.client("c", username="joe", password=SECRET.token({"exp": end, "acl": {"all": ["t"]}})) as c, \
            broker.client("root", username="r", password=SECRET.token({"exp": end, "is_superuser": True, "acl": {}})) as root:
        c.publish("t", qos=1, code=0x10)
        root.publish("t", qos=1, code=0x10)
        wait_until(lambda: time.time() > end + 0.2)
        c.publish("t", qos=1, code=0x87)
        c.subscribe("t", packet_id=2, codes=[0x87])
        root.publish("t", qos=1, code=0x87)
        c.ping()


@pytest.mark.parametrize("how", ["delayed", "crash", "crash of who had a session"])
def test_a_will_does_not_outlive_the_rules_that_allowed_it(start_broker, how):
    broker = start_broker(authentication=[jwt()])
    kept = {"session_expiry_interval": 600}
    with broker.client("watch", username="w", password=SECRET.token({}), props=kept) as watch:
        watch.subscribe(("w/#", 1))
    end = int(time.time()) + 5
    dying = []
    for name, claims in (("short", {"exp": end}), ("long", {})):
        will = raw.Will(f"w/{name}", b"gone", qos=1, props={"will_delay_interval": 7})
        dying.append(broker.client(name, username="joe", password=SECRET.token(claims | {"acl": {"pub": ["w/#"]}}), will=will,
                                   props=None if how == "crash" else kept))
    if how != "delayed":
        broker.kill()
    for one in dying:
        one.close()
    assert time.time() < end
    wait_until(lambda: time.time() > end + 0.2)
    if how != "delayed":
        broker.start()
    with broker.client("watch", clean_start=False, username="w", password=SECRET.token({}), props=kept) as watch:
        assert watch.expect(raw.PUBLISH, timeout=15).topic == "w/long"
        watch.expect_nothing(1)


@pytest.mark.parametrize("version", [4, 5])
def test_connection_ends_with_the_token(start_broker, version):
    broker = start_broker(authentication=[jwt(disconnect_after_expire=True)])
    end = int(time.time()) + 2
    with broker.client("c", version=version, username="joe", password=SECRET.token({"exp": end})) as c, \
            broker.client("d", version=version, username="joe", password=SECRET.token({})) as stays:
        c.ping()
        c.expect_disconnect(0x87, timeout=10)
        assert time.time() >= end
        stays.ping()
