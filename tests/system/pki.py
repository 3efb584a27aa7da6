"""Certificates for one test module, made by the openssl program."""
import pathlib
import subprocess

from . import secrecy


class Pki:
    """A root and what it signed: Pki(folder).issue("name") -> (certificate file, key file)."""

    def __init__(self, folder, name="ca"):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.ca, self.ca_key = str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")
        self._run("req", "-x509", "-nodes", "-subj", f"/CN={name}", "-days", "2", *self._new_key(self.ca_key), "-out", self.ca,
                  "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        secrecy.note_key_file(self.ca_key)

    @staticmethod
    def _run(*arguments):
        done = subprocess.run(["openssl", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", path]

    def below(self, name):
        """An authority that this one signed: what it issues needs its `ca` in between."""
        lower = object.__new__(Pki)
        lower.folder, lower.name = self.folder, name
        lower.ca, lower.ca_key = str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        self._run("req", "-new", "-nodes", "-subj", f"/CN={name}", *self._new_key(lower.ca_key), "-out", str(request))
        extensions.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
        self._run("x509", "-req", "-in", str(request), "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial", "-days", "2",
                  "-extfile", str(extensions), "-out", lower.ca)
        return lower

    def joined(self, *files):
        """One file that holds them all, readable by its owner alone."""
        out = self.folder / ("-".join(pathlib.Path(one).stem + pathlib.Path(one).suffix[1:] for one in files) + ".all")
        out.write_text("".join(pathlib.Path(one).read_text() for one in files))
        out.chmod(0o600)
        return str(out)

    def issue(self, common_name, names="DNS:localhost,IP:127.0.0.1", file=None, subject=None):
        base = self.folder / (file or f"{self.name}-{common_name}")
        certificate, key, request, extensions = (f"{base}.{end}" for end in ("pem", "key", "csr", "ext"))
        self._run("req", "-new", "-nodes", "-subj", subject or f"/O=Test/CN={common_name}", *self._new_key(key), "-out", request)
        secrecy.note_key_file(key)
        pathlib.Path(extensions).write_text(f"basicConstraints=CA:FALSE\nsubjectAltName={names}\n")
        self._run("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial", "-days", "2",
                  "-extfile", extensions, "-out", certificate)
        return certificate, key
