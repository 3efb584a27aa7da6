"""scram:built_in_database over AUTH packets, by a client of RFC 5802 written here (access-control 2.3, 4.9)."""
import base64
import hashlib
import hmac

import pytest

from . import api, raw

ID = "scram:built_in_database"
USERS = f"/authentication/{ID}/users"


def chain(**more):
    return [{"mechanism": "scram", "backend": "built_in_database"} | more]


class Scram:
    def __init__(self, user, password, algorithm="sha256", header="n,,"):
        self.algorithm, self.password, self.header = algorithm, password.encode(), header
        self.method = {"sha256": "SCRAM-SHA-256", "sha512": "SCRAM-SHA-512"}[algorithm]
        self.bare = f"n={user},r=fyko+d2lbbFgONRv9qkxdawL"

    def props(self, data):
        return {"authentication_method": self.method, "authentication_data": data.encode()}

    def first(self):
        return self.props(self.header + self.bare)

    def mac(self, key, text):
        return hmac.digest(key, text.encode() if isinstance(text, str) else text, self.algorithm)

    def final(self, server_first):
        server_first = server_first.decode()
        fields = dict(f.split("=", 1) for f in server_first.split(","))
        assert fields["r"].startswith("fyko+d2lbbFgONRv9qkxdawL") and len(fields["r"]) > 24 + 18
        salted = hashlib.pbkdf2_hmac(self.algorithm, self.password, base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = self.mac(salted, "Client Key")
        stored = hashlib.new(self.algorithm, client_key).digest()
        without = f"c={base64.b64encode(self.header.encode()).decode()},r={fields['r']}"
        self.message = f"{self.bare},{server_first},{without}"
        proof = bytes(a ^ b for a, b in zip(client_key, self.mac(stored, self.message)))
        self.expected = b"v=" + base64.b64encode(self.mac(self.mac(salted, "Server Key"), self.message))
        return self.props(f"{without},p={base64.b64encode(proof).decode()}")

    def connect(self, client, client_id="c", code=0, **more):
        """Plays CONNECT through; the CONNACK."""
        client.send(raw.connect(client_id, props=self.first(), **more))
        step = client.expect(raw.AUTH, code=0x18)
        assert step.props["authentication_method"] == self.method
        client.send(raw.auth(0x18, props=self.final(step.props["authentication_data"])))
        return client.expect(raw.CONNACK, code=code)

    def again(self, client):
        """Re-authentication up to its answer."""
        client.send(raw.auth(0x19, props=self.first()))
        step = client.expect(raw.AUTH, code=0x18)
        client.send(raw.auth(0x18, props=self.final(step.props["authentication_data"])))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.statement("MQTT-4.12.0-2", "MQTT-4.12.0-5", "MQTT-4.12.0-6")
def test_let_in_and_again(start_broker, algorithm):
    broker = start_broker(authentication=chain(algorithm=algorithm))
    assert api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "pencil"}) == \
        {"user_id": "joe", "is_superuser": False}
    scram = Scram("joe", "pencil", algorithm)
    with broker.client() as c:
        connack = scram.connect(c, will=raw.Will("w", "x"))
        assert connack.props["authentication_method"] == scram.method
        assert connack.props["authentication_data"] == scram.expected, "the server proves that it knows the password"
        c.subscribe("t")
        c.publish("t", "before")
        c.expect(raw.PUBLISH, payload="before")
        scram.again(c)
        done = c.expect(raw.AUTH, code=0)
        assert done.props["authentication_data"] == scram.expected
        c.publish("t", "after")
        c.expect(raw.PUBLISH, payload="after")
        Scram("joe", "wrong", algorithm).again(c)
        c.expect_disconnect(0x87)
    broker.restart()
    with broker.client() as c:
        scram.connect(c)


def test_what_is_refused(start_broker):
    broker = start_broker(authentication=chain())
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "pencil"})
    for user, password in (("joe", "pen"), ("nobody", "pencil")):
        with broker.client() as c:
            Scram(user, password).connect(c, code=0x87)
            c.expect_closed()
    for props, code in (({"authentication_method": "SCRAM-SHA-1", "authentication_data": b"n,,n=joe,r=x"}, 0x87),
                        ({"authentication_method": "SCRAM-SHA-256", "authentication_data": b"p=tls-unique,,n=joe,r=x"}, 0x87),
                        ({"authentication_method": "SCRAM-SHA-256", "authentication_data": b"rubbish"}, 0x87),
                        ({"authentication_method": "SCRAM-SHA-256"}, 0x87), ({}, 0x87)):
        with broker.client() as c:
            c.connect("c", code=code, props=props)
            c.expect_closed()
    with broker.client() as c:  # the method changes on the way
        scram = Scram("joe", "pencil")
        c.send(raw.connect("c", props=scram.first()))
        step = c.expect(raw.AUTH)
        c.send(raw.auth(0x18, props=scram.final(step.props["authentication_data"]) | {"authentication_method": "other"}))
        c.expect(raw.CONNACK, code=0x8C)
    with broker.client() as c:  # a publish in the middle
        c.send(raw.connect("c", props=scram.first()))
        c.expect(raw.AUTH)
        c.send(raw.publish("t", "too early"))
        c.expect_closed()


def test_the_name_of_the_connect_is_the_proven_one(start_broker):
    broker = start_broker(authentication=chain())
    api.want(broker, 201, "POST", USERS, {"user_id": "joe", "password": "pencil"})
    with broker.client() as c:
        c.send(raw.connect("c", username="admin", props=Scram("joe", "pencil").first()))
        c.expect(raw.CONNACK, code=0x86)
    with broker.client() as c:
        Scram("joe", "pencil").connect(c, username="joe")


def test_without_a_name_in_connect_the_proven_one_counts(start_broker):
    """In lists, rules and bans: nobody hides a name by leaving it out of CONNECT."""
    rules = '{allow, {username, "joe"}, publish, ["u/${username}"]}. {deny, all}.'
    broker = start_broker(authentication=chain(), listeners={"tcp": {"default": {"mountpoint": "m/${username}/"}}},
                          authorization={"no_match": "deny", "sources": [{"type": "file", "rules": rules}]})
    for name in ("joe", "ann"):
        api.want(broker, 201, "POST", USERS, {"user_id": name, "password": "pencil", "is_superuser": name == "ann"})
    with broker.client() as c, broker.client() as watch:
        Scram("ann", "pencil").connect(watch, "watch")
        watch.subscribe("#")
        Scram("joe", "pencil").connect(c, will=raw.Will("u/joe", b"gone"))
        shown = api.want(broker, 200, "GET", "/clients/c")
        assert shown["username"] == "joe" and shown["mountpoint"] == "m/joe/"
        c.publish("u/joe", qos=1, code=0x10)
        c.publish("u/ann", qos=1, packet_id=2, code=0x87)
        Scram("joe", "pencil").again(c)
        c.expect(raw.AUTH, code=0)
        c.send(raw.auth(0x19, props=Scram("ann", "pencil").first()))
        c.expect_disconnect(0x86)
    api.want(broker, 200, "POST", "/banned", {"as": "username", "who": "joe"})
    with broker.client() as c:
        Scram("joe", "pencil").connect(c, code=0x8A)
    with broker.client() as c:
        Scram("ann", "pencil").connect(c, "ann")


def test_a_proven_name_does_not_lead_out_of_the_mountpoint(start_broker):
    broker = start_broker(authentication=chain(), listeners={"tcp": {"default": {"mountpoint": "m/${username}/"}}})
    for name in ("joe", "+", "joe/x"):
        api.want(broker, 201, "POST", USERS, {"user_id": name, "password": "pencil"})
    for name in ("+", "joe/x"):
        with broker.client() as c:
            Scram(name, "pencil").connect(c, code=0x87)
            c.expect_closed()
    with broker.client() as c:
        Scram("joe", "pencil").connect(c)


def test_a_name_that_nobody_has_stays_the_same_over_restarts(start_broker):
    broker = start_broker(authentication=chain())

    def salt():
        with broker.client() as c:
            c.send(raw.connect("c", props=Scram("nobody", "x").first()))
            return c.expect(raw.AUTH).props["authentication_data"].split(b",s=")[1]
    before = salt()
    broker.stop()
    broker.start()
    assert salt() == before


def test_no_reauthentication_without_authentication(start_broker):
    broker = start_broker(authentication=chain(enable=False))
    with broker.client("c") as c:
        c.send(raw.auth(0x19, props=Scram("joe", "pencil").first()))
        c.expect_disconnect(0x82)


def test_iterations_belong_to_the_user(start_broker):
    broker = start_broker(authentication=chain())
    api.want(broker, 201, "POST", USERS, {"user_id": "old", "password": "pencil"})
    api.want(broker, 204, "PUT", f"/authentication/{ID}", chain(iteration_count=6000)[0])
    api.want(broker, 201, "POST", USERS, {"user_id": "a,b=c", "password": "pencil"})
    for name in ("old", "a=2Cb=3Dc"):
        with broker.client() as c:
            Scram(name, "pencil").connect(c)
    with broker.client() as c:
        Scram("old", "pencil", header="y,,").connect(c)
    api.want(broker, 400, "PUT", f"/authentication/{ID}", chain(iteration_count=1000)[0])
