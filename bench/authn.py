#!/usr/bin/python3
"""Connections a second, and processor time a connection, by authentication mechanism.

    bench/authn.py [--seconds 5] [--case none,built_in,postgresql,...] [--client COMMAND]

Starts a broker with one shard, and the database of each case, on free ports of the loopback. COMMAND connects and
disconnects clients as fast as it can; {port}, {user}, {password} and {seconds} in it are filled in. What counts is what the
broker counted: `authentication.success` over the wall time, and its own processor time (the database's and the client's are
not in it).
"""
import argparse
import hashlib
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tests.system import api, node, raw, servers, stored  # noqa: E402

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


def none(_folder):
    return None, []


def built_in(_folder):
    return None, [{"mechanism": "password_based", "backend": "built_in_database"}]


def postgresql(folder):
    server = servers.PostgreSQL(folder / "postgres", Missing).start()
    server.sql(f"{TABLE}; {ROW}")
    return server, [{"mechanism": "password_based", "backend": "postgresql", "server": f"127.0.0.1:{server.port}",
                     "database": "postgres", "username": "root", "password": "root-pw-postgres", "query": QUERY}]


def mysql(folder):
    server = servers.MariaDB(folder / "mariadb", Missing).start()
    server.sql(f"CREATE DATABASE mqtt; USE mqtt; {TABLE}; {ROW}; CREATE USER broker@'%' IDENTIFIED BY 'db-secret-pw'; "
               "GRANT SELECT ON mqtt.* TO broker@'%'")
    return server, [{"mechanism": "password_based", "backend": "mysql", "server": f"127.0.0.1:{server.port}", "database": "mqtt",
                     "username": "broker", "password": "db-secret-pw", "query": QUERY}]


def redis(folder):
    server = servers.Redis(folder / "redis", Missing).start()
    server.call("HSET", f"u:{USER}", "password_hash", DIGEST, "salt", SALT)
    return server, [{"mechanism": "password_based", "backend": "redis", "server": f"127.0.0.1:{server.port}",
                     "cmd": "HMGET u:${username} password_hash salt is_superuser"}]


CASES = {case.__name__: case for case in (none, built_in, postgresql, mysql, redis)}


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_client(port, seconds, connections=32):
    """Without --client: threads of Python, good for a few thousand a second."""
    end = time.monotonic() + seconds

    def work(number):
        count = 0
        while time.monotonic() < end:
            with raw.Client(port) as client:
                client.connect(f"c{number}-{count}", username=USER, password=PASSWORD)
            count += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def successes(broker):
    metrics = api.want(broker, 200, "GET", "/metrics?aggregate=true")
    return metrics["authentication.success"]


def measure(name, options):
    with tempfile.TemporaryDirectory(prefix="sb-authn-") as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o711)
        server, chain = CASES[name](folder)
        broker = node.Node(folder / "node", authentication=chain) if chain else node.Node(folder / "node")
        try:
            broker.start()
            if name == "built_in":
                api.want(broker, 201, "POST", "/authentication/password_based:built_in_database/users",
                         {"user_id": USER, "password": PASSWORD})
            elif chain:
                stored.want_status(broker, f"password_based:{name}", "connected")
            before, began, used = successes(broker), time.monotonic(), processor_seconds(broker.process.pid)
            if options.client:
                command = options.client.format(port=broker.port, user=USER, password=PASSWORD, seconds=options.seconds)
                subprocess.run(shlex.split(command), check=True, stdout=subprocess.DEVNULL)
            else:
                own_client(broker.port, options.seconds)
            took = time.monotonic() - began
            count = successes(broker) - before
            used = processor_seconds(broker.process.pid) - used
            print(f"{name:12} {count / took:10.0f} {1e6 * used / max(count, 1):14.0f}", flush=True)
        finally:
            broker.stop()
            if server:
                server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--case", default=",".join(CASES))
    parser.add_argument("--client")
    options = parser.parse_args()
    print(f"{'mechanism':12} {'connects/s':>10} {'us of processor':>14}")
    for name in options.case.split(","):
        try:
            measure(name, options)
        except Missing as missing:
            print(f"{name:12} SKIP {missing}")


if __name__ == "__main__":
    main()
