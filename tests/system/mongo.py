"""FerretDB, which speaks MongoDB's protocol over SQLite, and the few messages that fill it."""
import itertools
import pathlib
import shutil
import socket
import struct
import threading

from . import golang
from .servers import Server

VERSION = "v1.24.2"
MODULE = "github.com/FerretDB/FerretDB"


def build(run, folder, to):
    run("get", f"{MODULE}/cmd/ferretdb@{VERSION}")
    # The module lacks a file that its releases are made with: a copy gets it.
    shutil.copytree(run("list", "-m", "-f", "{{.Dir}}", MODULE), folder / "source")
    for path in (folder / "source" / "build" / "version", folder / "source"):
        path.chmod(0o755)
    (folder / "source" / "build" / "version" / "version.txt").write_text(VERSION + "\n")
    run("mod", "edit", "-replace", f"{MODULE}=./source")
    run("build", "-o", str(to), f"{MODULE}/cmd/ferretdb")


class Int32(int):
    """What drivers want as the short kind of integer."""


def bson(document):
    """A dict of str, bool, int, float, None, list and dict."""
    out = b""
    for key, value in document.items():
        name = key.encode() + b"\0"
        if isinstance(value, bool):
            out += b"\x08" + name + bytes([value])
        elif isinstance(value, Int32):
            out += b"\x10" + name + struct.pack("<i", value)
        elif isinstance(value, int):
            out += b"\x12" + name + struct.pack("<q", value)
        elif isinstance(value, float):
            out += b"\x01" + name + struct.pack("<d", value)
        elif isinstance(value, str):
            data = value.encode() + b"\0"
            out += b"\x02" + name + struct.pack("<i", len(data)) + data
        elif isinstance(value, list):
            out += b"\x04" + name + bson({str(i): v for i, v in enumerate(value)})
        elif isinstance(value, dict):
            out += b"\x03" + name + bson(value)
        else:
            out += b"\x0a" + name
    return struct.pack("<i", len(out) + 5) + out + b"\0"


_ids = itertools.count(1)


class Stub:
    """with Stub(find) as s: s.port. A server of the wire protocol alone: `find(document)` is given each find command as its
    bytes and gives the answer, a dict."""
    HELLO = {"helloOk": True, "ismaster": True, "isWritablePrimary": True, "maxBsonObjectSize": Int32(1 << 24),
             "maxMessageSizeBytes": Int32(48000000), "maxWriteBatchSize": Int32(100000), "minWireVersion": Int32(0),
             "maxWireVersion": Int32(17), "readOnly": False, "ok": 1.0}

    def __init__(self, find):
        self.find = find
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def accept(self):
        try:
            while True:
                threading.Thread(target=self.serve, args=(self.socket.accept()[0],), daemon=True).start()
        except OSError:
            pass

    def serve(self, peer):
        with peer, peer.makefile("rb") as stream:
            while len(head := stream.read(16)) == 16:
                size, number, _, kind = struct.unpack("<iiii", head)
                body = stream.read(size - 16)
                document = body[5:]  # of OP_MSG: flags and the kind of the section
                command = document[5:document.index(b"\0", 5)]
                if kind == 2004:  # OP_QUERY, of older greetings
                    peer.sendall(self.message(struct.pack("<iqii", 8, 0, 0, 1) + bson(self.HELLO), number, 1))
                    continue
                greeting = command.lower() in (b"hello", b"ismaster")
                answer = self.HELLO if greeting else self.find(document) if command == b"find" else {"ok": 1.0}
                peer.sendall(self.message(struct.pack("<i", 0) + b"\0" + bson(answer), number, 2013))

    @staticmethod
    def message(body, number, kind):
        return struct.pack("<iiii", 16 + len(body), 1, number, kind) + body

    @staticmethod
    def rows(*documents):
        return {"cursor": {"firstBatch": list(documents), "id": 0, "ns": "mqtt.users"}, "ok": 1.0}


class FerretDB(Server):
    def __init__(self, folder, skip):
        super().__init__(folder)  # `more` are arguments of a test's own
        self.server = golang.program(skip, "ferretdb", build)
        self.data = pathlib.Path(folder) / "data"
        self.data.mkdir()

    def command(self):
        return [self.server, "--handler=sqlite", f"--sqlite-url=file:{self.data}/", f"--listen-addr=127.0.0.1:{self.port}",
                f"--state-dir={self.data}", "--telemetry=disable", "--debug-addr=-", "--log-level=error",
                *self.more]

    def insert(self, database, collection, *documents):
        """OP_MSG (wire protocol 6): one insert command; the answer must say ok."""
        number = next(_ids)
        documents = [{"_id": f"{number}-{i}"} | d for i, d in enumerate(documents)]
        body = struct.pack("<i", 0) + b"\0" + bson({"insert": collection, "documents": documents, "$db": database})
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(struct.pack("<iiii", 16 + len(body), number, 0, 2013) + body)
            answer = s.recv(4)
            while len(answer) < 4 or len(answer) < struct.unpack("<i", answer[:4])[0]:
                more = s.recv(65536)
                assert more, answer
                answer += more
        assert b"\x10n\0" + struct.pack("<i", len(documents)) in answer and b"writeErrors" not in answer, answer
