"""What clients call themselves never becomes part of a question (access-control 2.4, 4.7): statements, commands, filters and
requests with names and passwords that would end a literal, widen a filter or add a member. Every kind of back end,
for authentication and authorization, by username and by client id, against the real servers.
"""
import json

import pytest

from . import api, backends, raw, stored
from .conftest import Skip
from .test_authn_database import OK, code_of

SECRET = stored.SECRET
EVIL = [
    "joe' OR '1'='1", "' OR 1=1 -- ", "joe'/*", "joe\\' OR 1=1 #", "joe\\", "'; DROP TABLE users; --", "joe\" OR \"\"=\"", "$1", "?", "%", "jo_",
    "*", "j*", "joe)(uid=*", "*)(|(uid=joe", "\\6aoe", "joe)(objectClass=*", "joe,ou=devices",
    '{"$ne": ""}', '{"$gt":""}', '{"$regex":"."}', "[$ne]", "joe\u2028",
    "joe password_hash x", "joe\r\nHGET u:joe password_hash", "u:joe", "joe\n", "\r\n\r\n",
    'joe","password":"x', 'x","username":"joe', "joe&result=allow", "joe?username=joe", "../joe", "joe%00", "joe%20", "joe#", "${username}",
    "${clientid}", "${$}{username}",
]


@pytest.fixture(scope="module", params=backends.ALL, ids=[kind.name for kind in backends.ALL])
def back_end(request, tmp_path_factory):
    with backends.running(request.param, tmp_path_factory.mktemp(request.param.name) / "server", Skip) as one:
        yield one


def asking_by(placeholder, settings):
    return json.loads(json.dumps(settings).replace("${username}", "${%s}" % placeholder))


def names(placeholder, name):
    """As arguments of CONNECT."""
    return {"username": name} if placeholder == "username" else {"username": "whoever", "client_id": name}


@pytest.mark.parametrize("placeholder", ["username", "clientid"])
def test_authentication(start_broker, back_end, placeholder):
    broker = start_broker(authentication=[asking_by(placeholder, back_end.authn())])
    stored.want_status(broker, back_end.id, "connected", 30)
    joe = names(placeholder, "joe")
    assert code_of(broker, password=SECRET, **joe) == OK
    for evil in EVIL:
        assert code_of(broker, password=SECRET, **names(placeholder, evil)) != OK, evil
        assert code_of(broker, password=f"pw {evil} pw", **joe) != OK, evil
    assert code_of(broker, password=SECRET, **joe) == OK, "and nothing was harmed"
    assert api.want(broker, 200, "GET", f"/authentication/{back_end.id}/status")["metrics"]["success"] == 2


@pytest.mark.parametrize("placeholder", ["username", "clientid"])
def test_authorization(start_broker, back_end, placeholder):
    broker = start_broker(authorization={"no_match": "deny", "sources": [asking_by(placeholder, back_end.source())]})

    def may(name):
        connect = names(placeholder, name)
        with broker.client(connect.pop("client_id", "c"), **connect) as client:
            client.send(raw.publish("up/1", b"", qos=1, packet_id=1))
            return client.expect(raw.PUBACK, timeout=10).code == 0x10

    assert may("joe")
    for evil in EVIL:
        assert not may(evil), evil
    assert may("joe"), "and nothing was harmed"
