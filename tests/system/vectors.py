"""Reads tests/vectors/mqtt (its README says how the lines look) for use against a whole broker."""
import collections
import itertools
import pathlib
import re

from . import raw

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "mqtt"
CODES = {"MalformedPacket": 0x81, "ProtocolError": 0x82, "UnsupportedProtocolVersion": 0x84, "TopicAliasInvalid": 0x94}
TOKEN = re.compile(r'"[^"]*"|\'[^\']*\'|[{}]|[0-9a-f]{2}')

Vector = collections.namedtuple("Vector", "statement version strict packet result")


def assemble(tokens):
    """Bytes up to the closing brace or the end."""
    out = b""
    for token in tokens:
        if token == "}":
            break
        if token == "{":
            inner = assemble(tokens)
            out += raw.varint(len(inner)) + inner
        elif token[0] == '"':
            out += raw.string(token[1:-1])
        elif token[0] == "'":
            out += token[1:-1].encode()
        else:
            out += bytes.fromhex(token)
    return out


def load(name):
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        statement, versions, mode, packet, result = (part.strip() for part in line.split("|"))
        data = assemble(iter(TOKEN.findall(packet)))
        modes = {"both": (False, True), "lenient": (False,), "strict": (True,)}[mode]
        for version, strict in itertools.product(re.findall(r"\d", versions), modes):
            yield Vector(statement, int(version), strict, data, result)
