#!/usr/bin/python3
"""Connections a second, and processor time a connection, by authentication mechanism.

    bench/authn.py [--runs 5] [--count 6000] [--seconds 4] [--case none,built_in,jwt_hs256,...] [--report]

Starts a broker with one shard on a processor of its own, and the back end of each case, on free ports of the loopback.
`signalbox bench conn` on the other processor, which the back end shares, connects clients as fast as it can until `count`
are in or `seconds` are over. What counts is what the broker counted: `authentication.success` over the time, and its own
processor time (the back end's and the client's are not in it). Printed: the median of the runs, and their range; then what
authorization costs a PUBLISH, by `authorization_bench`. `--report` fills docs/performance.md.
"""
import argparse
import base64
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tests.system import api, directory, node, servers, stored, tokens  # noqa: E402

USER, PASSWORD, SALT = "joe", "secret", "5a17"
DIGEST = hashlib.sha256((SALT + PASSWORD).encode()).hexdigest()
QUERY = "SELECT password_hash, salt, is_superuser FROM users WHERE username = ${username} LIMIT 1"
ROW = f"INSERT INTO users VALUES ('{USER}', '{DIGEST}', '{SALT}', false)"
TABLE = "CREATE TABLE users (username VARCHAR(100) PRIMARY KEY, password_hash TEXT, salt TEXT, is_superuser BOOLEAN)"


class Missing(Exception):
    """Takes the place of a test's skip."""

    @staticmethod
    def because(peer, reason):
        raise Missing(f"{peer}: {reason}")


class Case:
    """What a back end brings: the server to stop, the chain, and what clients send as a password."""

    def __init__(self, chain, server=None, password=PASSWORD):
        self.chain, self.server, self.password = chain, server, password

    def stop(self):
        if self.server:
            self.server.stop()


def none(_folder):
    return Case([])


def built_in(_folder):
    return Case([{"mechanism": "password_based", "backend": "built_in_database"}])


def jwt_hs256(_folder):
    return Case([{"mechanism": "jwt", "use_jwks": False, "algorithm": "hmac-based", "secret": "a shared secret of 32 bytes.."}],
                password=tokens.Secret(b"a shared secret of 32 bytes..").token({"sub": USER, "exp": int(time.time()) + 3600}))


def jwt_rs256(folder):
    pair = tokens.KeyPair(folder, "RSA", "k1")
    return Case([{"mechanism": "jwt", "use_jwks": False, "algorithm": "public-key", "public_key": str(pair.public)}],
                password=pair.token({"sub": USER, "exp": int(time.time()) + 3600}))


def ldap_bind(folder):
    server = directory.Slapd(folder / "slapd", Missing)
    server.start().fill().add_user(USER, password="{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode())
    return Case([{"mechanism": "password_based", "backend": "ldap", "server": f"127.0.0.1:{server.port}",
                  "username": "cn=search,dc=example,dc=org", "password": "search-pw-ldap", "base_dn": directory.BASE,
                  "filter": "(uid=${username})", "method": {"type": "bind"}}], server)


class Allowing:
    """An HTTP service that says 204 to everything, in a process of its own."""

    PROGRAM = """
import asyncio
async def serve(reader, writer):
    while True:
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        size = [int(l.split(b":")[1]) for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length:")]
        if size and size[0]:
            await reader.readexactly(size[0])
        writer.write(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", self.PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()


def http(_folder):
    server = Allowing()
    return Case([{"mechanism": "password_based", "backend": "http", "method": "post", "url": f"http://127.0.0.1:{server.port}/auth",
                  "body": {"username": "${username}", "password": "${password}"}}], server)


def postgresql(folder):
    server = servers.PostgreSQL(folder / "postgres", Missing).start()
    server.sql(f"{TABLE}; {ROW}")
    return Case([{"mechanism": "password_based", "backend": "postgresql", "server": f"127.0.0.1:{server.port}",
                  "database": "postgres", "username": "root", "password": "root-pw-postgres", "query": QUERY}], server)


def mysql(folder):
    server = servers.MariaDB(folder / "mariadb", Missing).start()
    server.sql(f"CREATE DATABASE mqtt; USE mqtt; {TABLE}; {ROW}; CREATE USER broker@'%' IDENTIFIED BY 'db-secret-pw'; "
               "GRANT SELECT ON mqtt.* TO broker@'%'")
    return Case([{"mechanism": "password_based", "backend": "mysql", "server": f"127.0.0.1:{server.port}", "database": "mqtt",
                  "username": "broker", "password": "db-secret-pw", "query": QUERY}], server)


def redis(folder):
    server = servers.Redis(folder / "redis", Missing).start()
    server.call("HSET", f"u:{USER}", "password_hash", DIGEST, "salt", SALT)
    return Case([{"mechanism": "password_based", "backend": "redis", "server": f"127.0.0.1:{server.port}",
                  "cmd": "HMGET u:${username} password_hash salt is_superuser"}], server)


CASES = {case.__name__: case for case in (none, built_in, jwt_hs256, jwt_rs256, postgresql, mysql, redis, ldap_bind, http)}


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def successes(broker):
    return api.want(broker, 200, "GET", "/metrics?aggregate=true")["authentication.success"]


def one_run(broker, case, number, options):
    """(connections a second, microseconds of the broker's processor a connection)"""
    before, used, began = successes(broker), processor_seconds(broker.process.pid), time.monotonic()
    # Whom it asks shares its processor, and must not wait for the turns of who only waits for answers.
    client = subprocess.Popen(["nice", "-n", "19", node.program(), "bench", "conn", "-p", str(broker.port), "-c", str(options.count), "-R", "1000000",
                               "-u", USER, "-P", case.password, "--prefix", f"r{number}-"], stdout=subprocess.DEVNULL)
    os.sched_setaffinity(client.pid, options.others)
    try:
        while True:
            time.sleep(0.05)
            count, took = successes(broker) - before, time.monotonic() - began
            if count >= options.count or took > options.seconds:
                break
        used = processor_seconds(broker.process.pid) - used
    finally:
        client.kill()
        client.wait()
    deadline = time.monotonic() + 20
    while api.want(broker, 200, "GET", "/stats?aggregate=true")["live_connections.count"] and time.monotonic() < deadline:
        time.sleep(0.05)
    return count / took, 1e6 * used / max(count, 1)


def measure(name, options):
    with tempfile.TemporaryDirectory(prefix="sb-authn-") as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o711)
        os.sched_setaffinity(0, options.others)  # what is started from here on
        case = CASES[name](folder)
        broker = node.Node(folder / "node", **({"authentication": case.chain} if case.chain else {}), text="log.file.enable = false")
        try:
            broker.start()
            for task in pathlib.Path(f"/proc/{broker.process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), options.own)
            if name == "built_in":
                api.want(broker, 201, "POST", "/authentication/password_based:built_in_database/users",
                         {"user_id": USER, "password": PASSWORD})
            for one in api.want(broker, 200, "GET", "/authentication"):
                stored.want_status(broker, one["id"], "connected")
            runs = [one_run(broker, case, number, options) for number in range(options.runs)]
            rates, costs = zip(*runs)
            return (f"| {name} | {statistics.median(rates):,.0f} | {statistics.median(costs):.0f} | "
                    f"{min(rates):,.0f} to {max(rates):,.0f} |")
        finally:
            broker.stop()
            case.stop()


def authorization(options):
    """Rows of the micro-benchmark: the median of its repetitions, on one processor."""
    program = node.ROOT / "build" / "release" / "bin" / "authorization_bench"
    done = subprocess.run(["taskset", "-c", str(min(options.own)), str(program), f"--benchmark_repetitions={options.runs}",
                           "--benchmark_min_time=0.3", "--benchmark_format=json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True)
    for one in json.loads(done.stdout)["benchmarks"]:
        if one.get("aggregate_name") == "median":
            yield f"| {one['run_name']} | {one['cpu_time']:.1f} |"


TABLES = {
    "authn": "| mechanism | connections a second | broker, us of processor each | range |\n| --- | --- | --- | --- |",
    "authorization": "| case | ns of processor |\n| --- | --- |",
}


def fill(name, lines):
    """Between its marks in docs/performance.md."""
    path = node.ROOT / "docs" / "performance.md"
    begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
    head, _, rest = path.read_text().partition(begin)
    path.write_text(head + begin + "\n".join([TABLES[name], *lines]) + "\n" + end + rest.partition(end)[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--case", default=",".join(CASES))
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    processors = sorted(os.sched_getaffinity(0))
    options.own, options.others = {processors[0]}, set(processors[1:]) or {processors[0]}

    def connects():
        for name in filter(None, options.case.split(",")):
            try:
                yield measure(name, options)
            except Missing as missing:
                yield f"| {name} | SKIP {missing} | | |"

    for table, rows in (("authorization", authorization(options)), ("authn", connects())):
        print(TABLES[table])
        lines = []
        for line in rows:
            print(line, flush=True)
            lines.append(line)
        if options.report:
            fill(table, lines)


if __name__ == "__main__":
    main()
