"""go-mysql-server: a server of MySQL's protocol in memory that lets in by caching_sha2_password, as MySQL 8 does and MariaDB
cannot. It wants TLS for that.
"""
import pathlib
import shutil
import subprocess

from . import golang
from .servers import Server

MODULE, VERSION = "github.com/dolthub/go-mysql-server", "v0.20.0"
SOURCE = pathlib.Path(__file__).parent / "go" / "gomysql.go"


def build(run, folder, to):
    shutil.copy(SOURCE, folder / "main.go")
    run("get", f"{MODULE}@{VERSION}")
    run("mod", "tidy")
    run("build", "-o", str(to), ".")


class GoMySQL(Server):
    """`statements` fill it at each start; "root" is its own."""

    def __init__(self, folder, skip, pki, statements):
        super().__init__(folder)
        self.server = golang.program(skip, "gomysql", build)
        self.files = pki.issue("gomysql")
        self.statements = self.folder / "statements.sql"
        self.statements.write_text("\n".join(statements) + "\n")

    def command(self):
        return ["sh", "-c", 'exec "$0" "$@" < statements.sql', self.server, str(self.port), *map(str, self.files)]
