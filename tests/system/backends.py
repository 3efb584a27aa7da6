"""Every kind of back end that clients are judged by, with the same two things in it: the user "joe", whose password is
stored.SECRET, and a rule that lets him publish to "up/#". What differs between them is data here.
"""
import base64
import contextlib
import hashlib
import json

from . import directory, mongo, servers, stored, tokens

SECRET = stored.SECRET
DIGEST = stored.digest("sha256", SECRET)
PASSWORD = "db-secret-pw"


class BackEnd:
    """A subclass has `name` and gives `fill()`, `settings()`; the rest is tables.

    wrong_login     settings that the server does not let in
    wrong_query     of authentication, of authorization: what the server does not understand
    wrong_template  of both, and a word of the message: what the configuration refuses
    greetings       what a server says that is none of this kind
    """

    wrong_login = [{"password": "wrong-pw"}]
    wrong_query = ()
    wrong_template = ()
    greetings = [b"SSH-2.0-x\r\n", b"\0" * 64, b"\xff" * 300]

    @property
    def id(self):
        return f"password_based:{self.name}"

    @property
    def port(self):
        return self.server.port

    def authn(self, port=None, **more):
        return {"mechanism": "password_based", "backend": self.name, **self.settings(port or self.port),
                **self.question_authn} | more

    def source(self, port=None, **more):
        return {"type": self.name, **self.settings(port or self.port), **self.question_authz} | more

    def stop(self):
        self.server.stop()


class Sql(BackEnd):
    question_authn = {"query": "SELECT password_hash, salt, is_superuser FROM users WHERE username = ${username} LIMIT 1"}
    question_authz = {"query": "SELECT permission, action, topic FROM acl WHERE username = ${username}"}
    wrong_login = [{"password": "wrong-pw"}, {"username": "nobody"}, {"database": "nowhere"}]
    wrong_query = ({"query": "SELECT nothing FROM users WHERE username = ${username}"}, {"query": "SELECT topic FROM nowhere"})
    wrong_template = ({"query": "SELECT * FROM users WHERE username = ${user}"}, {"query": "SELECT * FROM acl WHERE a = '%${username}%'"},
                      "query")
    tables = (f"CREATE TABLE {{0}}users (username VARCHAR(100), password_hash TEXT, salt VARCHAR(100), is_superuser INT);"
              f"CREATE TABLE {{0}}acl (username VARCHAR(100), permission VARCHAR(9), action VARCHAR(9), topic VARCHAR(100));"
              f"INSERT INTO {{0}}users VALUES ('joe', '{DIGEST}', '', 0);"
              f"INSERT INTO {{0}}acl VALUES ('joe', 'allow', 'publish', 'up/#');")

    def settings(self, port):
        return {"server": f"127.0.0.1:{port}", "database": self.database, "username": "broker", "password": PASSWORD}


class PostgreSQL(Sql):
    name, database = "postgresql", "postgres"
    greetings = BackEnd.greetings + [b"R\0\0\0\x08\0\0\0\0Z\xff\xff\xff\xff", b"E\x7f\xff\xff\xffx"]

    def __init__(self, folder, skip, pki=None):
        self.server = servers.PostgreSQL(folder, skip, pki).start()
        self.server.sql(f"CREATE ROLE broker LOGIN PASSWORD '{PASSWORD}';" + self.tables.format("") +
                        "GRANT SELECT ON users, acl TO broker;")


class MySQL(Sql):
    name, database = "mysql", "mqtt"
    greetings = BackEnd.greetings + [b"\xff\xff\xff\0" + b"\xff" * 200, b"\x01\0\0\0\xff", b"\x05\0\0\0\x0a5.5\0"]

    def __init__(self, folder, skip, pki=None):
        self.server = servers.MariaDB(folder, skip, pki).start()
        self.server.sql("CREATE DATABASE mqtt CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
                        f"CREATE USER broker@'%' IDENTIFIED BY '{PASSWORD}';" + self.tables.format("mqtt.") +
                        "GRANT SELECT ON mqtt.* TO broker@'%';")


class Redis(BackEnd):
    name = "redis"
    question_authn = {"cmd": "HMGET u:${username} password_hash salt is_superuser"}
    question_authz = {"cmd": "HGETALL acl:${username}"}
    wrong_login = [{"password": "wrong-pw"}, {"username": "nobody"}, {"database": 999}]
    wrong_query = ({"cmd": "HMGET text password_hash"}, {"cmd": "HGETALL text"})
    wrong_template = ({"cmd": "HMGET u:${user} password_hash"}, {"cmd": "HGETALL ${user}"}, "cmd")
    greetings = BackEnd.greetings + [b"*2147483647\r\n", b"$999999999999\r\n", b"-ERR no\r\n"]

    def __init__(self, folder, skip, pki=None):
        self.server = servers.Redis(folder, skip, "--requirepass", "default-pw", "--user", "broker", "on", f">{PASSWORD}", "~*", "+@all",
                                    "--appendonly", "yes", pki=pki)
        self.server.login = ["-a", "default-pw", "--no-auth-warning"]
        self.server.start()
        self.server.call("HSET", "u:joe", "password_hash", DIGEST)
        self.server.call("HSET", "acl:joe", "up/#", "publish")
        self.server.call("SET", "text", "x")

    def settings(self, port):
        return {"server": f"127.0.0.1:{port}", "username": "broker", "password": PASSWORD}


class MongoDB(BackEnd):
    name = "mongodb"
    question_authn = {"collection": "users", "filter": {"username": "${username}"}}
    question_authz = {"collection": "acl", "filter": {"username": "${username}"}}
    wrong_login = []  # FerretDB of this version knows no users
    wrong_query = ({"filter": {"username": {"$nope": "${username}"}}},) * 2
    wrong_template = ({"filter": {"username": "${user}"}},) * 2 + ("filter",)
    greetings = BackEnd.greetings + [b"\x10\0\0\0" * 20, b"\xff\xff\xff\x7f" * 8]

    def __init__(self, folder, skip, pki=None):
        self.server = mongo.FerretDB(folder, skip)
        self.server.start()
        self.server.insert("mqtt", "users", {"username": "joe", "password_hash": DIGEST})
        self.server.insert("mqtt", "acl", {"username": "joe", "permission": "allow", "action": "publish", "topic": "up/#"})

    def settings(self, port):
        return {"mongo_type": "single", "server": f"127.0.0.1:{port}", "database": "mqtt"}


class LDAP(BackEnd):
    name = "ldap"
    question_authn = {"filter": "(&(objectClass=mqttUser)(uid=${username}))", "method": {"type": "hash"}}
    question_authz = {"filter": "(&(objectClass=mqttUser)(uid=${username}))"}
    wrong_login = [{"password": "wrong-pw"}, {"username": "cn=nobody,dc=example,dc=org"}]
    wrong_query = ({"base_dn": "no name at all"},) * 2
    wrong_template = ({"filter": "(uid=${user})"}, {"filter": "(uid=${username}"}, "filter")
    greetings = BackEnd.greetings + [b"\x30\x84\xff\xff\xff\xff garbage"]

    def __init__(self, folder, skip, pki=None):
        self.server = directory.Slapd(folder, skip, pki)
        self.server.start().fill()
        digest = base64.b64encode(hashlib.sha256(SECRET.encode()).digest()).decode()
        self.server.add_user("joe", "mqttPublishTopic: up/#", password="{SHA256}" + digest)

    def settings(self, port):
        return {"server": f"127.0.0.1:{port}", "username": "cn=search,dc=example,dc=org", "password": "search-pw-ldap",
                "base_dn": directory.BASE, "query_timeout": "2s", "request_timeout": "2s"}


class HTTP(BackEnd):
    name = "http"
    question_authn = {"body": {"username": "${username}", "password": "${password}"}}
    question_authz = {"body": {"username": "${username}", "topic": "${topic}"}}
    wrong_login = []  # a service that answers 401 has answered: it says nothing of the client
    wrong_template = ({"url": "http://${clientid}/auth"}, {"url": "http://${clientid}/acl"}, "url")

    class Service(tokens.Service):
        def stop(self):
            self.__exit__()

    def __init__(self, folder, skip, pki=None):
        del folder, skip, pki
        self.server = self.Service(self.answer).__enter__()

    @staticmethod
    def answer(request):
        asked = json.loads(request["body"]) if request["path"] in ("/auth", "/acl") else {}
        result = "ignore"
        if request["path"] == "/auth" and asked["username"] == "joe":
            result = "allow" if asked["password"] == SECRET else "deny"
        if request["path"] == "/acl" and asked["username"] == "joe" and asked["topic"].startswith("up/"):
            result = "allow"
        return (200, "application/json", json.dumps({"result": result})) if asked else (404, None, "")

    def settings(self, port):
        return {"method": "post", "request_timeout": "2s", "connect_timeout": "2s", "port": port}

    def authn(self, port=None, **more):
        return self._with_url("/auth", super().authn(port, **more))

    def source(self, port=None, **more):
        return self._with_url("/acl", super().source(port, **more))

    @staticmethod
    def _with_url(path, settings):
        port = settings.pop("port")
        scheme = "https" if settings.get("ssl", {}).get("enable") else "http"
        return {"url": f"{scheme}://127.0.0.1:{port}{path}"} | settings


ALL = [PostgreSQL, MySQL, Redis, MongoDB, LDAP, HTTP]


@contextlib.contextmanager
def running(kind, folder, skip, pki=None):
    one = kind(folder, skip, pki)
    try:
        yield one
    finally:
        one.stop()
