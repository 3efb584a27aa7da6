"""Real databases of the tests' own: each on a free port of the loopback, in a folder of its own, ended by its process id.

`kill` is a crash, `start` brings the same data back on the same port. Where a program is missing, the test is skipped by
its name. Servers that refuse to run as root run as the user of their package.
"""
import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import socket
import ssl as tls
import subprocess
import threading
import time

from .node import free_port

READY_SECONDS = 30


def _program(skip, peer, *places):
    for place in places:
        found = sorted(glob.glob(place))
        path = found[-1] if found else shutil.which(place)
        if path:
            return path
    skip.because(peer, "not installed")


class Server:
    """What the servers have in common; a subclass gives `command()` and `ready()`."""

    user = None  # whom it runs as when the tests run as root

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None
        self.more = []  # arguments of a test's own, from the next start on
        self.output = self.folder / "output.log"

    def as_user(self):
        if os.geteuid() != 0 or self.user is None:
            return {}
        entry = pwd.getpwnam(self.user)
        for parent in [self.folder, *self.folder.parents]:  # pytest's folders are for their owner only
            if parent == pathlib.Path("/tmp"):
                break
            if parent.stat().st_uid == 0:
                parent.chmod(parent.stat().st_mode | 0o711)
        os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def run(self, command, **more):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder,
                              timeout=120, **self.as_user(), **more)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self):
        who = self.as_user()
        with open(self.output, "ab") as out:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                            cwd=self.folder, **who)
        deadline = time.monotonic() + READY_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{type(self).__name__} is not ready\n{self.output.read_text(errors='replace')}")
            time.sleep(0.05)
        return self

    def ready(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


class PostgreSQL(Server):
    user = "postgres"

    def __init__(self, folder, skip, pki=None):
        super().__init__(folder)
        self.server = _program(skip, "postgresql", "/usr/lib/postgresql/*/bin/postgres", "postgres")
        self.tools = pathlib.Path(self.server).parent
        self.psql = _program(skip, "psql", str(self.tools / "psql"), "psql")
        self.data = self.folder / "data"
        self.tls = pki
        secret = self.folder / "password"
        secret.write_text("root-pw-postgres\n")
        secret.chmod(0o644)
        self.run([str(self.tools / "initdb"), "-D", str(self.data), "-U", "root", "-A", "scram-sha-256", "--no-sync",
                  "--locale=C.UTF-8", "-E", "UTF8", f"--pwfile={secret}"])
        if pki:
            for source, name in zip(pki.issue("postgres"), ("server.crt", "server.key")):
                shutil.copy(source, self.data / name)
                (self.data / name).chmod(0o600)
                shutil.chown(self.data / name, self.data.owner(), self.data.group())

    def command(self):
        # Dies at once and without children left: SIGTERM is a "smart" shutdown, which waits for clients.
        return [self.server, "-D", str(self.data), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off", "-c", f"ssl={'on' if self.tls else 'off'}",
                *self.more]

    def ready(self):
        return subprocess.run([str(self.tools / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              timeout=20).returncode == 0

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(2)  # "fast"
            self.process.wait(20)

    def kill(self):
        """SIGQUIT, "immediate": no shutdown, as after a crash, but without orphans that would hold the port's data."""
        self.process.send_signal(3)
        self.process.wait(20)

    def sql(self, text):
        done = subprocess.run([self.psql, "-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                               str(self.port), "-U", "root", "postgres"], input=text, text=True, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "PGPASSWORD": "root-pw-postgres"})
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()


class MariaDB(Server):
    user = "mysql"

    def __init__(self, folder, skip, pki=None):
        super().__init__(folder)
        self.server = _program(skip, "mariadb-server", "/usr/sbin/mariadbd", "mariadbd")
        self.client = _program(skip, "mariadb", "mariadb")
        install = _program(skip, "mariadb-install-db", "mariadb-install-db")
        self.data = self.folder / "data"
        self.socket = f"/tmp/sb-mariadb-{self.port}.sock"  # a path may have 107 characters
        self.tls = []
        if pki:
            self.tls = [f"--ssl-ca={self._own(pki.ca)}"]
            for source, key in zip(pki.issue("mariadb"), ("--ssl-cert", "--ssl-key")):
                self.tls.append(f"{key}={self._own(source)}")
        self.run([install, "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal",
                  "--skip-test-db"])

    def _own(self, source):
        copy = self.folder / pathlib.Path(source).name
        shutil.copy(source, copy)
        copy.chmod(0o644)
        return copy

    def command(self):
        return [self.server, "--no-defaults", f"--datadir={self.data}", f"--port={self.port}", f"--socket={self.socket}",
                f"--pid-file={self.folder}/pid", "--bind-address=127.0.0.1", "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=16M", *self.tls, *self.more]

    def ready(self):
        return subprocess.run([self.client, "--no-defaults", f"--socket={self.socket}", "-u", "root", "-e", "SELECT 1"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20).returncode == 0

    def sql(self, text):
        done = subprocess.run([self.client, "--no-defaults", f"--socket={self.socket}", "-u", "root", "-N", "-B",
                               "--default-character-set=utf8mb4"], input=text, text=True, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def stop(self):
        super().stop()
        pathlib.Path(self.socket).unlink(missing_ok=True)


class Redis(Server):
    """`arguments` go to redis-server; `sentinel` runs it as a sentinel with this configuration file text."""

    def __init__(self, folder, skip, *arguments, pki=None, sentinel=None):
        super().__init__(folder)
        self.server = _program(skip, "redis-server", "redis-server")
        self.client = _program(skip, "redis-cli", "redis-cli")
        self.arguments = list(arguments)
        self.sentinel = sentinel
        self.login = []
        self.tls_port = None
        if pki:
            self.tls_port = free_port()
            certificate, key = pki.issue("redis")
            self.arguments += ["--tls-port", str(self.tls_port), "--tls-cert-file", certificate, "--tls-key-file", key,
                               "--tls-ca-cert-file", pki.ca, "--tls-auth-clients", "no"]
        if sentinel is not None:
            (self.folder / "sentinel.conf").write_text(sentinel)

    def command(self):
        common = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), *self.arguments]
        if self.sentinel is not None:
            return [self.server, str(self.folder / "sentinel.conf"), "--sentinel", *common]
        return [self.server, *common, "--save", ""]

    def call(self, *words):
        done = subprocess.run([self.client, "-h", "127.0.0.1", "-p", str(self.port), *self.login, *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class Scripted:
    """Accepts connections and says `greeting` to each, `answer` to whatever comes; empty: nothing, for ever.

    `delay` seconds pass before it says anything.
    """

    def __init__(self, greeting=b"", answer=b"", delay=0, port=0):
        self.greeting, self.answer, self.delay = greeting, answer, delay
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.received = []
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            if self.delay:
                time.sleep(self.delay)
            if self.greeting:
                peer.sendall(self.greeting)
            while True:
                data = peer.recv(65536)
                if not data:
                    return
                self.received.append(data)
                if self.answer:
                    peer.sendall(self.answer)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for peer in self.open:
            peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Proxy:
    """Stands between a client and a server, and does to their connections what `be` says, to those that are open as well:

    well     passes on;  slow    passes answers on after `delay` seconds;  hung    takes everything, says nothing
    garbage  answers each piece with `noise`;  cut     passes on half of each answer and closes;  killed    nobody listens
    """

    def __init__(self, target, noise=b"\xff\x00 no answer of this protocol \r\n" * 8):
        self.target, self.noise, self.delay, self.mode = target, noise, 0.0, "well"
        self.port = free_port()
        self.pairs = set()
        self.listener = None
        self._listen()

    def be(self, mode, delay=0.0):
        self.mode, self.delay = mode, delay
        if mode == "killed":
            self.close()
        elif self.listener is None:
            self._listen()
        if mode == "well":  # what was swallowed is not answered any more
            self._drop()
        return self

    def _listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
                behind = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                if self.listener is not listener:
                    return
                continue
            behind.settimeout(None)
            self.pairs.add((peer, behind))
            for source, sink, answers in ((peer, behind, False), (behind, peer, True)):
                threading.Thread(target=self._pass, args=(source, sink, answers), daemon=True).start()

    def _pass(self, source, sink, answers):
        try:
            while data := source.recv(65536):
                mode = self.mode
                if mode == "hung":
                    continue
                if mode == "garbage":
                    if not answers:
                        source.sendall(self.noise)
                    continue
                if answers and mode == "slow":
                    time.sleep(self.delay)
                if answers and mode == "cut":
                    sink.sendall(data[:len(data) // 2])
                    break
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _drop(self):
        for pair in list(self.pairs):
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self.pairs.discard(pair)

    def close(self):
        listener, self.listener = self.listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._drop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class TlsProxy(Proxy):
    """TLS before a server that speaks in the clear. `names`: what clients told as server_name, None where they told none.

    `authority`: clients must show a certificate of it. `versions` and `ciphers` (up to TLS 1.2) are what is allowed.
    """

    def __init__(self, target, certificate, key, authority=None, versions=(tls.TLSVersion.TLSv1_2, tls.TLSVersion.TLSv1_3),
                 ciphers=None):
        self.names, self.seen = [], []
        self.context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.context.minimum_version, self.context.maximum_version = versions
        if ciphers:
            self.context.set_ciphers(ciphers)
        if authority:
            self.context.verify_mode = tls.CERT_REQUIRED
            self.context.load_verify_locations(authority)
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        super().__init__(target)

    def _accept(self, listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=(plain,), daemon=True).start()

    def _greet(self, plain):
        try:
            plain.settimeout(10)
            peer = self.context.wrap_socket(plain, server_side=True)
            self.seen.append((peer.version(), peer.cipher()[0]))
            behind = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            plain.close()
            return
        peer.settimeout(None)
        behind.settimeout(None)
        self.pairs.add((peer, behind))
        for source, sink in ((peer, behind), (behind, peer)):
            threading.Thread(target=self._pass, args=(source, sink, source is behind), daemon=True).start()
