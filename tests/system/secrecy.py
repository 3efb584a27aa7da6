"""Passwords, tokens and keys never stand in a log: every secret that the tests hand to a broker is noted here, and every log
that a broker wrote is searched for all of them, when it stops and once more at the end of the run.

What passes secrets on notes them (`raw.connect`, `api`, `rest`, `node.Node`, `pki`, `tokens`); a test that hands one over in
another way calls `note`. Brokers of the tests write their file at level debug unless the test says what they log.
"""
import base64
import json
import pathlib
import re
import urllib.parse

SHORTEST = 6
ORDINARY = re.compile(r"[a-z]{1,9}$|[0-9]*$")  # a plain word may stand in a line for other reasons
FIELDS = {"password", "secret", "bind_password", "api_secret", "token", "old_pwd", "new_pwd", "default_password", "password_hash",
          "private_key", "psk"}
IN_TEXT = re.compile(rb"\b(" + "|".join(sorted(FIELDS)).encode() + rb")\"?\s*[=:]\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",}\]]+))")
IN_URL = re.compile(rb"://[^/\s\"@:]*:([^/\s\"@]+)@|[?&](?:token|key|sig)=([^&\s\"#]+)")

_secrets = {}  # the bytes to look for: (what they are, the secret)
_names = set()  # what clients are called too: seen everywhere, so no secret
_brokers = []  # folders of the nodes that were started


def note(secret, what="secret"):
    """Remembers it; short and ordinary words are not looked for. What it was given, to be written in one expression."""
    text = secret.decode("utf-8", "replace") if isinstance(secret, (bytes, bytearray)) else secret
    if not isinstance(text, str) or ORDINARY.match(text) or len(text) < SHORTEST or text == "******" or text.startswith("${"):
        return secret
    if text.startswith("file://"):
        file = pathlib.Path(text.removeprefix("file://"))
        if file.is_file():
            note(file.read_text(errors="replace").strip(), what)
        return secret
    raw = secret if isinstance(secret, (bytes, bytearray)) else text.encode()
    forms = {bytes(raw), json.dumps(text)[1:-1].encode(), urllib.parse.quote(text, safe="").encode(), raw.hex().encode(),
             base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")}
    for form in forms:
        _secrets.setdefault(form, (what, text))
    if text.count(".") == 2:  # a token: whoever has the signature has the token
        note(text.rpartition(".")[2], "signature of " + what)
    return secret


def note_name(name):
    """A client id or a username. Who is called like a password (tests of injection are) gives it away himself."""
    _names.add(name.decode("utf-8", "replace") if isinstance(name, (bytes, bytearray)) else name)


def note_text(data):
    """Secrets in configuration text or JSON, by the names of their fields."""
    raw = data.encode() if isinstance(data, str) else data
    for name, quoted, bare in IN_TEXT.findall(raw):
        value = quoted or bare
        try:
            value = json.loads(b'"' + value + b'"')
        except ValueError:
            pass
        note(value, name.decode())
    note_url(raw)


def note_url(raw):
    """Passwords and tokens of URLs in a text."""
    for password, parameter in IN_URL.findall(raw):
        note(password or parameter, "part of a URL")


def note_fields(value):
    """Secrets anywhere in an object, by the names of their fields."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in FIELDS and isinstance(one, (str, bytes)):
                note(one, key)
            note_fields(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            note_fields(one)
    elif isinstance(value, str):
        note_url(value.encode("utf-8", "surrogatepass"))


def note_table(text):
    """Passwords and hashes in a file of users, CSV with a header line or JSON."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    try:
        return note_fields(json.loads(text))
    except ValueError:
        lines = [line.split(",") for line in text.splitlines() if line]
    for row in lines[1:]:
        note_fields(dict(zip(lines[0], row)))


def note_key_file(path):
    """A private key: no line of it may be seen."""
    for line in pathlib.Path(path).read_text().splitlines():
        if not line.startswith("-----"):
            note(line, f"key {pathlib.Path(path).name}")


def watch(folder):
    _brokers.append(pathlib.Path(folder))


def logs_of(folder):
    """What a node writes for people: console, log and audit files, traces."""
    folder = pathlib.Path(folder)
    files = [p for p in folder.glob("*.log*") if p.is_file()]
    for place in ("data/log", "data/trace", "data/traces", "log"):
        files += [p for p in (folder / place).rglob("*") if p.is_file()]
    return files


def find(folder):
    """["file:line: what: the line"] for every secret in a log of this node."""
    found = []
    for path in logs_of(folder):
        data = path.read_bytes()
        for form, (what, secret) in list(_secrets.items()):
            at = data.find(form)
            if at >= 0 and secret not in _names:
                line = data.count(b"\n", 0, at) + 1
                text = data[data.rfind(b"\n", 0, at) + 1:].split(b"\n", 1)[0][:300]
                found.append(f"{path}:{line}: {what} {secret!r}: {text.decode('utf-8', 'replace')}")
    return found


def check(folder):
    found = find(folder)
    assert not found, "secrets in a log\n" + "\n".join(found)


def check_all():
    """Every node of the run against every secret of the run."""
    found = [one for folder in _brokers if folder.exists() for one in find(folder)]
    assert not found, "secrets in logs\n" + "\n".join(found)


def counts():
    return len(_secrets), len(_brokers)
