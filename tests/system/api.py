"""The management interface of a node over <data>/ctl.sock, as curl would use it."""
import http.client
import json
import socket
import time

from . import secrecy


class _Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        deadline = time.monotonic() + 5
        while True:  # listeners open before the socket does
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            try:
                return self.sock.connect(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                self.sock.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def call(broker, method, path, body=None, content_type="application/json"):
    """(status, JSON or text). A dict or list goes as JSON, bytes as they are."""
    secrecy.note_text(body) if isinstance(body, bytes) else secrecy.note_fields(body)
    connection = _Unix(str(broker.data / "ctl.sock"))
    try:
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": content_type}
        connection.request(method, "/api/v5" + path, data, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if "json" in (answer.getheader("Content-Type") or "") else text
    finally:
        connection.close()


def want(broker, status, method, path, body=None, **more):
    """The body of an answer that must have this status."""
    got, answer = call(broker, method, path, body, **more)
    assert got == status, f"{method} {path}: {got} {answer}"
    return answer


def send_file(broker, path, name, content):
    secrecy.note_table(content)
    data = content.encode() if isinstance(content, str) else content
    form = (b"--limit\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"" + name.encode() +
            b"\"\r\nContent-Type: text/csv\r\n\r\n" + data + b"\r\n--limit--\r\n")
    return call(broker, "POST", path, form, content_type="multipart/form-data; boundary=limit")


def upload(broker, status, path, name, content):
    """A file in the part `filename` of a form; the answer's body, which must have this status."""
    got, answer = send_file(broker, path, name, content)
    assert got == status, f"{path}: {got} {answer}"
    return answer
