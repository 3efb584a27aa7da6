"""Starts one broker, pinned, with the configuration of a case: limits open, no log, the same for all."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import cases

START_SECONDS = 20
STOP_SECONDS = 15

MOSQUITTO = """per_listener_settings false
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
persistence false
log_type none
listener {tcp} 127.0.0.1
listener {tls} 127.0.0.1
certfile {folder}/cert.pem
keyfile {folder}/key.pem
"""

FLASHMQ = """allow_anonymous true
thread_count {threads}
log_level none
quiet true
max_qos_msg_pending_per_client 65535
max_qos_bytes_pending_per_client 1000000000
client_max_write_buffer_size 100000000
shared_subscription_targeting round_robin
listen {{
  protocol mqtt
  inet4_bind_address 127.0.0.1
  port {tcp}
}}
listen {{
  protocol mqtt
  inet4_bind_address 127.0.0.1
  port {tls}
  fullchain {folder}/cert.pem
  privkey {folder}/key.pem
}}
"""


def free_ports(count):
    """Different ports, free a moment ago."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    (folder / "key.pem").chmod(0o644)  # a peer may give up its user before it reads the key


def hocon(settings):
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


class Broker:
    """kind: ours, flashmq or mosquitto. A context manager: a fresh process in a fresh folder."""

    def __init__(self, kind, program, settings=None, both=False, tls=False, websocket=False):
        self.kind, self.program, self.both = kind, program, both
        self.settings = {"node.shards": 1, **cases.OPEN_LIMITS, **(settings or {})}
        self.want_tls, self.want_websocket = tls, websocket
        self.tcp, self.tls, self.ws, self.api = free_ports(4)
        self.folder = self.process = None

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
        self.folder.chmod(0o755)
        try:
            certificate(self.folder)
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self):
        """Seconds from the start of a new process on the same data to its listener."""
        self.stop()
        begin = time.monotonic()
        self._start()
        return time.monotonic() - begin

    def _start(self):
        argv = ["taskset", "-c", "0,1" if self.both else "0", self.program, *self._arguments()]
        with open(self.folder / "output.log", "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self._wait_ready()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _arguments(self):
        values = {"tcp": self.tcp, "tls": self.tls, "folder": self.folder, "threads": 2 if self.both else 1}
        if self.kind == "mosquitto":
            (self.folder / "m.conf").write_text(MOSQUITTO.format(**values))
            return ["-c", self.folder / "m.conf"]
        if self.kind == "flashmq":
            (self.folder / "f.conf").write_text(FLASHMQ.format(**values))
            return ["--config-file", self.folder / "f.conf"]
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "signalbox.conf").write_text(self._ours())
        return ["start", "--config", self.folder / "signalbox.conf"]

    def _ours(self):
        settings = {"node.name": "signalbox@127.0.0.1", "node.data_dir": str(self.folder / "data"), **self.settings,
                    "listeners.tcp.default.bind": f"127.0.0.1:{self.tcp}",
                    "listeners.ssl.default.enable": self.want_tls, "listeners.ws.default.enable": self.want_websocket,
                    "listeners.wss.default.enable": False,
                    "dashboard.listeners.http.bind": f"127.0.0.1:{self.api}",
                    "license.key": "community"}  # the trial ends at 25 connections
        if self.want_tls:
            settings |= {"listeners.ssl.default.bind": f"127.0.0.1:{self.tls}",
                         "listeners.ssl.default.ssl_options.certfile": str(self.folder / "cert.pem"),
                         "listeners.ssl.default.ssl_options.keyfile": str(self.folder / "key.pem")}
        if self.want_websocket:
            settings["listeners.ws.default.bind"] = f"127.0.0.1:{self.ws}"
        return hocon(settings)

    def _wait_ready(self):
        """Until every listener asked for answers."""
        deadline = time.monotonic() + START_SECONDS
        asked = ((self.tcp, True), (self.api, self.kind == "ours"), (self.tls, self.want_tls), (self.ws, self.want_websocket))
        wanted = [port for port, is_open in asked if is_open]
        while wanted:
            try:
                socket.create_connection(("127.0.0.1", wanted[0]), 1).close()
                wanted.pop(0)
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "output.log").read_text(errors="replace")[-800:]
                    raise RuntimeError(f"{self.kind} did not start: {log}") from None
                time.sleep(0.02)
