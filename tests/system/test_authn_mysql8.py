"""password_based:mysql and the source mysql where the log-in is caching_sha2_password, MySQL 8's own (access-control 4.2)."""
import pytest

from . import api, backends, gomysql, pki, stored
from .conftest import Skip
from .test_authn_database import BAD, NOT_AUTHORIZED, OK, code_of
from .test_authz_sources import authorization, may_publish

ID = "password_based:mysql"
ADMIN_PASSWORD = "Sha2-c4ching"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gomysql")
    authority = pki.Pki(folder)
    one = gomysql.GoMySQL(folder / "server", Skip, authority, [
        f"CREATE USER broker@'%' IDENTIFIED WITH caching_sha2_password BY '{ADMIN_PASSWORD}'", "GRANT SELECT ON mqtt.* TO broker@'%'",
        *backends.Sql.tables.format("").replace("TEXT", "VARCHAR(200)").rstrip(";").split(";")])
    one.authority = authority
    one.start()
    yield one
    one.stop()


def settings(server, **more):
    return {"server": f"127.0.0.1:{server.port}", "database": "mqtt", "username": "broker", "password": ADMIN_PASSWORD,
            "ssl": {"enable": True, "verify": "verify_peer", "cacertfile": str(server.authority.ca)}} | more


def authn(server, **more):
    return {"mechanism": "password_based", "backend": "mysql", **backends.Sql.question_authn, **settings(server, **more)}


def test_clients_are_judged(start_broker, server):
    broker = start_broker(authentication=[authn(server)], log={"console": {"enable": True, "level": "debug"}})
    stored.want_status(broker, ID, "connected")
    assert code_of(broker, "joe", stored.SECRET) == OK
    assert code_of(broker, "joe", "wrong") == BAD
    assert code_of(broker, "nobody", stored.SECRET) == NOT_AUTHORIZED
    for wrong in ({"password": "wrong-pw"}, {"username": "nobody"}, {"ssl": {"enable": False}}):  # no TLS, no such log-in
        api.want(broker, 204, "PUT", f"/authentication/{ID}", authn(server, **wrong))
        assert stored.want_status(broker, ID, "disconnected")["node_error"][0]["reason"], wrong
        stored.want_alarm(broker, ID)
        assert code_of(broker, "joe", stored.SECRET) == NOT_AUTHORIZED
    api.want(broker, 204, "PUT", f"/authentication/{ID}", authn(server))
    stored.want_status(broker, ID, "connected")
    assert code_of(broker, "joe", stored.SECRET) == OK
    stored.no_secrets(broker, ADMIN_PASSWORD, "wrong-pw", stored.SECRET)


def test_rules(start_broker, server):
    broker = start_broker(authorization=authorization({"type": "mysql", **backends.Sql.question_authz, **settings(server)}))
    assert may_publish(broker, "up/1", username="joe")
    assert not may_publish(broker, "down/1", username="joe") and not may_publish(broker, "up/1", username="ann")
