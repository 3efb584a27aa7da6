"""What the tests of authenticators that ask a database share: hashes, states, alarms."""
import base64
import ctypes
import ctypes.util
import hashlib
import json
import time

from . import api

SECRET = "p\u00e4ss w0rd'; --"


def digest(name, text):
    return hashlib.new(name, text.encode()).hexdigest()


def bcrypt(password):
    crypt = ctypes.CDLL(ctypes.util.find_library("crypt"))
    crypt.crypt.restype = ctypes.c_char_p
    return crypt.crypt(password.encode(), b"$2b$05$abcdefghijklmnopqrstuu").decode()


def pbkdf2(password, salt, iterations=1000):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations).hex()


def hashes(password=SECRET, salt="5a17"):
    """(name, password_hash_algorithm, hash as it is stored, salt as it is stored)"""
    return [
        ("plain", {"name": "plain", "salt_position": "disable"}, password, ""),
        ("md5", {"name": "md5", "salt_position": "suffix"}, digest("md5", password + salt), salt),
        ("sha", {"name": "sha", "salt_position": "disable"}, digest("sha1", password), ""),
        ("sha256", {"name": "sha256", "salt_position": "prefix"}, digest("sha256", salt + password), salt),
        ("sha512", {"name": "sha512", "salt_position": "suffix"}, digest("sha512", password + salt), salt),
        ("bcrypt", {"name": "bcrypt"}, bcrypt(password), ""),
        ("pbkdf2", {"name": "pbkdf2", "mac_fun": "sha256", "iterations": 1000}, pbkdf2(password, salt), salt),
    ]


# What people type when they hope that a value becomes part of a command.
INJECTIONS = [
    "' OR '1'='1", "' OR 1=1 -- ", "\" OR \"\"=\"", "x'; DROP TABLE users; -- ", "x') OR ('1'='1", "joe'/*", "joe' -- ",
    "' UNION SELECT 'x' AS password_hash, '' AS salt, 1 AS is_superuser -- ", "\\' OR 1=1 -- ", "${username}", "$1", "?", "%",
    "_oe", "*", "joe\r\nDEL u:joe", "joe u:joe password_hash", "x\r\n*1\r\n$8\r\nFLUSHALL\r\n", "\"joe\"", "joe\\", "{joe}",
    "joe\u200b", "0 OR 1", "JOE",
]


def want_status(broker, authenticator, status, seconds=15):
    """Waits until the authenticator says so; the answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = api.want(broker, 200, "GET", f"/authentication/{authenticator}/status")
        if answer["status"] == status:
            return answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def want_alarm(broker, authenticator, chain="mqtt:global"):
    """The alarm of a back end. It comes by way of another thread, just after the state that the API shows."""
    return want_alarm_named(broker, f"authenticator:{authenticator}:{chain}")


def want_alarm_named(broker, name, seconds=5):
    deadline = time.monotonic() + seconds
    while True:
        alarms = {one["name"]: one for one in api.want(broker, 200, "GET", "/alarms")["data"]}
        if name in alarms:
            return alarms[name]
        assert time.monotonic() < deadline, alarms
        time.sleep(0.05)


def threads(broker):
    return len(list((broker_task(broker)).iterdir()))


def broker_task(broker):
    import pathlib
    return pathlib.Path(f"/proc/{broker.process.pid}/task")


def descriptors(broker):
    import pathlib
    return len(list(pathlib.Path(f"/proc/{broker.process.pid}/fd").iterdir()))


def no_secrets(broker, *secrets):
    """Neither a password nor a hash of it stands in the log."""
    log = broker.log()
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode(), secret.encode().hex()):
            assert form not in log, f"{secret!r} is in the log"
