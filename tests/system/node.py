"""One broker process on free ports of the loopback, in a folder of its own."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from . import raw, secrecy
from .ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error: ")
PLAIN_KEY = re.compile(r"[\w.-]+$")
START_SECONDS = 30
STOP_SECONDS = 30


def program():
    """SIGNALBOX_BIN, else the release build, else the dev build."""
    choices = [os.environ.get("SIGNALBOX_BIN"), ROOT / "build/release/bin/signalbox", ROOT / "build/dev/bin/signalbox"]
    for path in choices:
        if path and os.access(path, os.X_OK):
            return str(path)
    raise FileNotFoundError(f"no program at {', '.join(str(c) for c in choices if c)}; run ./dev build")


def wait_until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def hocon(value):
    """A Python value as configuration text; a str is quoted, Raw is taken as it is."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k if PLAIN_KEY.match(k) else hocon(k)} = {hocon(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(hocon(v) for v in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value)


class Raw:
    def __init__(self, text):
        self.text = text


class Node:
    """Node(folder, mqtt={"max_packet_size": "1KB"}, text="..."): keywords become top-level keys, merged over defaults.

    `port` is the TCP listener, `api_port` the REST API; TLS and WebSocket listeners are off until the configuration says otherwise.
    `env` is added to the environment, `text` to the end of the configuration.
    """

    def __init__(self, folder, *, text="", env=None, shards=1, **config):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log_path = self.folder / "output.log"
        self.port = free_port()
        self.api_port = free_port()
        self.text, self.env, self.config, self.shards = text, env or {}, config, shards
        self.process, self.starts = None, 0
        secrecy.watch(self.folder)

    def config_text(self):
        lines = [
            f"node {{ name = \"signalbox@127.0.0.1\", data_dir = {hocon(str(self.data))}, shards = {self.shards} }}",
            f"listeners.tcp.default.bind = \"127.0.0.1:{self.port}\"",
            "listeners.ssl.default.enable = false",
            "listeners.ws.default.enable = false",
            "listeners.wss.default.enable = false",
            "license.key = community",  # the trial ends at 25 connections
            f"dashboard.listeners.http.bind = \"127.0.0.1:{self.api_port}\"",
        ]
        if not self.chooses_logs():
            lines.append('log { file { enable = true, level = debug }, audit { enable = true } }')
        lines += [f"{key} = {hocon(value)}" for key, value in self.config.items()]
        return "\n".join(lines + [self.text]) + "\n"

    def chooses_logs(self):
        """Whether the test says what is logged; the others write all that can be, for `secrecy` to search."""
        return any(re.search(r"\blog\b", text) for text in [self.text, *self.config]) or any("LOG" in name for name in self.env)

    def start(self, wait=True):
        secrecy.note_fields(self.config)
        secrecy.note_text(self.text)
        self.data.mkdir(parents=True, exist_ok=True)
        config = self.folder / "signalbox.conf"
        config.write_text(self.config_text())
        self.starts += 1
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([program(), "start", "--config", str(config)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **self.env})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        """Until clients are served, and then `ctl`: management opens last."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the broker ended with {self.process.returncode} at start\n{self.log()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                with socket.socket(socket.AF_UNIX) as local:
                    local.connect(str(self.data / "ctl.sock"))
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise AssertionError(f"not ready after {START_SECONDS} s\n{self.log()}") from None
                time.sleep(0.02)

    def stop(self):
        """SIGTERM; exit code 0 and a clean log are part of every test."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"still running {STOP_SECONDS} s after SIGTERM\n{self.log()}") from None
        assert code == 0, f"exit code {code}\n{self.log()}"
        self.check_log()

    def kill(self):
        """kill -9: a crash."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def ctl(self, *arguments, check=True):
        """What `signalbox ctl` prints about this node."""
        done = subprocess.run([program(), "ctl", "--config", str(self.folder / "signalbox.conf"), *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        assert done.returncode == 0 or not check, done.stdout
        return done.stdout

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def check_log(self):
        found = SANITIZER.search(self.log())
        assert not found, f"sanitizer report\n{self.log()}"
        secrecy.check(self.folder)

    def client(self, client_id=None, *, version=5, **connect_arguments):
        """A raw client; connected if an id is given."""
        client = raw.Client(self.port, version=version)
        if client_id is not None:
            client.connect(client_id, **connect_arguments)
        return client
