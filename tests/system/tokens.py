"""JSON Web Tokens made by openssl and hmac, and a small HTTP server that a test tells what to answer."""
import base64
import hashlib
import hmac
import http.server
import json
import re
import subprocess
import threading

from . import secrecy


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def raw_signature(der, half):
    """r and s of a DER ECDSA signature, each `half` bytes."""
    length_at = 2 if der[1] < 0x80 else 3
    out, at = b"", length_at
    for _ in range(2):
        size = der[at + 1]
        out += int.from_bytes(der[at + 2:at + 2 + size], "big").to_bytes(half, "big")
        at += 2 + size
    return out


class Secret:
    def __init__(self, secret, kid=None):
        self.secret, self.kid = secrecy.note(secret, "secret of tokens"), kid

    def token(self, claims, algorithm="HS256", **header):
        text = head(algorithm, self.kid, header) + "." + b64(json.dumps(claims).encode())
        signature = hmac.new(self.secret, text.encode(), getattr(hashlib, "sha" + algorithm[2:])).digest()
        return secrecy.note(text + "." + b64(signature), "token")


def head(algorithm, kid, more):
    return b64(json.dumps({"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid else {}) | more).encode())


class KeyPair:
    """KeyPair(folder, "RSA"), "EC" (P-256) or "ED25519"."""

    def __init__(self, folder, kind, kid=None):
        self.kind, self.kid = kind, kid
        self.private, self.public = folder / f"{kind}-{kid}.key", folder / f"{kind}-{kid}.pub"
        how = {"RSA": ["-pkeyopt", "rsa_keygen_bits:2048"], "EC": ["-pkeyopt", "ec_paramgen_curve:P-256"], "ED25519": []}
        openssl("genpkey", "-algorithm", kind, *how[kind], "-out", str(self.private))
        openssl("pkey", "-in", str(self.private), "-pubout", "-out", str(self.public))
        secrecy.note_key_file(self.private)

    def token(self, claims, algorithm=None, **header):
        algorithm = algorithm or {"RSA": "RS256", "EC": "ES256", "ED25519": "EdDSA"}[self.kind]
        text = head(algorithm, self.kid, header) + "." + b64(json.dumps(claims).encode())
        message = self.private.with_suffix(".msg")
        message.write_text(text)
        if self.kind == "ED25519":
            signed = openssl("pkeyutl", "-sign", "-inkey", str(self.private), "-rawin", "-in", str(message))
        else:
            pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if algorithm[0] == "P" else []
            signed = openssl("dgst", f"-sha{algorithm[2:]}", "-sign", str(self.private), *pss, str(message))
            if self.kind == "EC":
                signed = raw_signature(signed, 32)
        return secrecy.note(text + "." + b64(signed), "token")

    def jwk(self):
        """The public key, as a member of a key set."""
        out = {"use": "sig"} | ({"kid": self.kid} if self.kid else {})
        if self.kind == "RSA":
            modulus = openssl("rsa", "-pubin", "-in", str(self.public), "-modulus", "-noout").decode().split("=")[1]
            return out | {"kty": "RSA", "n": b64(bytes.fromhex(modulus.strip())), "e": "AQAB"}
        text = openssl("pkey", "-pubin", "-in", str(self.public), "-text", "-noout").decode()
        point = bytes.fromhex(re.search(r"pub:\n((?: +[0-9a-f:]+\n)+)", text).group(1).replace(":", "").replace(" ", "")
                              .replace("\n", ""))
        if self.kind == "EC":
            return out | {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
        return out | {"kty": "OKP", "crv": "Ed25519", "x": b64(point)}


class Service:
    """with Service(answer) as s: s.url. `answer(request)` gives (status, content type, body); s.requests keeps them all."""

    def __init__(self, answer):
        self.answer, self.requests = answer, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = {"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                           "body": body.decode()}
                outer.requests.append(request)
                status, kind, text = outer.answer(request)
                data = text.encode() if isinstance(text, str) else text
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = serve

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
