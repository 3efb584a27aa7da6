"""The REST API over the network, as a program or the dashboard uses it."""
import base64
import http.client
import json
import socket
import ssl
import time

from . import secrecy

PASSWORD = "S3cret-enough"


class Rest:
    """Rest(broker): no credentials; .login(user, password), .key(key, secret) and .bare() give others."""

    def __init__(self, broker=None, *, port=None, host="127.0.0.1", authorization=None, tls=None):
        self.port = port or broker.api_port
        self.host, self.authorization, self.tls = host, authorization, tls

    def connection(self, timeout=20):
        if self.tls is not None:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def raw(self, method, path, body=None, headers=None):
        """The answer and its body as bytes; paths below /api/v5 unless they begin with '='."""
        deadline = time.monotonic() + 10
        while True:  # the listeners for MQTT open first
            connection = self.connection()
            try:
                all_headers = dict(headers or {})
                if self.authorization and "Authorization" not in all_headers:
                    all_headers["Authorization"] = self.authorization
                connection.request(method, path[1:] if path.startswith("=") else "/api/v5" + path, body, all_headers)
                answer = connection.getresponse()
                return answer, answer.read()
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            finally:
                connection.close()

    def call(self, method, path, body=None, headers=None):
        """(status, JSON or text)"""
        headers = dict(headers or {})
        secrecy.note_text(body) if isinstance(body, bytes) else secrecy.note_fields(body)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        answer, data = self.raw(method, path, body, headers)
        text = data.decode()
        if "json" not in (answer.getheader("Content-Type") or ""):
            return answer.status, text
        answered = json.loads(text)
        secrecy.note_fields(answered)  # tokens, secrets of API keys
        return answer.status, answered

    def want(self, status, method, path, body=None, headers=None):
        got, answer = self.call(method, path, body, headers)
        assert got == status, f"{method} {path}: {got} {answer}"
        return answer

    def refuses(self, status, code, method, path, body=None, headers=None):
        answer = self.want(status, method, path, body, headers)
        assert answer["code"] == code, answer
        return answer["message"]

    def bare(self, authorization=None):
        return Rest(port=self.port, host=self.host, tls=self.tls, authorization=authorization)

    def login(self, username="admin", password="public"):
        answer = self.bare().want(200, "POST", "/login", {"username": username, "password": password})
        return self.bare("Bearer " + answer["token"])

    def key(self, key, secret):
        secrecy.note(secret, "api_secret")
        return self.bare("Basic " + secrecy.note(base64.b64encode(f"{key}:{secret}".encode()).decode(), "Basic"))

    def configure(self, text, status=200):
        """Merges configuration text into what runs."""
        return self.want(status, "PUT", "/configs", text.encode(), {"Content-Type": "text/plain"})

    def new_key(self, name, role):
        """A client with a fresh API key of this role; `self` is an administrator's."""
        made = self.want(200, "POST", "/api_key", {"name": name, "role": role})
        return self.key(made["api_key"], made["api_secret"])

    def new_user(self, name, role, password=PASSWORD):
        self.want(200, "POST", "/users", {"username": name, "password": password, "role": role})
        return self.login(name, password)


def talk(port, data, seconds=10, until=None):
    """Sends bytes as they are; what comes back until the server closes or `until` is in it."""
    with socket.create_connection(("127.0.0.1", port), seconds) as s:
        s.sendall(data)
        out = b""
        while True:
            try:
                part = s.recv(65536)
            except ConnectionResetError:
                return out
            if not part:
                return out
            out += part
            if until is not None and until in out:
                return out


def trusting(ca_file):
    return ssl.create_default_context(cafile=str(ca_file))
