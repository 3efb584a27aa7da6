"""Erlang's external term format and the files of an EMQX backup, written by Python for tests."""
import struct


class Atom(str):
    pass


def encode(term):
    if isinstance(term, bool):
        return encode(Atom("true" if term else "false"))
    if isinstance(term, Atom):
        return bytes([119, len(term)]) + term.encode()
    if isinstance(term, int):
        if 0 <= term < 256:
            return bytes([97, term])
        if -2 ** 31 <= term < 2 ** 31:
            return b"\x62" + struct.pack(">i", term)
        magnitude = abs(term).to_bytes((abs(term).bit_length() + 7) // 8, "little")
        return bytes([110, len(magnitude), term < 0]) + magnitude
    if isinstance(term, (bytes, str)):
        data = term.encode() if isinstance(term, str) else term
        return b"\x6d" + struct.pack(">I", len(data)) + data
    if isinstance(term, tuple):
        return bytes([104, len(term)]) + b"".join(map(encode, term))
    if isinstance(term, list):
        return (b"\x6c" + struct.pack(">I", len(term)) + b"".join(map(encode, term)) if term else b"") + b"\x6a"
    if isinstance(term, dict):
        return b"\x74" + struct.pack(">I", len(term)) + b"".join(encode(k) + encode(v) for k, v in term.items())
    raise TypeError(term)


def item(term):
    data = b"\x83" + encode(term)
    return struct.pack(">I", len(data)) + b"\x62\x57\x4c\x41" + data


def table(name, fields, records):
    """The file of one table: header, log header, description, records."""
    name = Atom(name)
    head = (Atom("log_header"), Atom("backup_log"), "1.2", (1, 2), Atom("emqx@127.0.0.1"), (1704, 794400, 0))
    description = (Atom("schema"), name, [(Atom("attributes"), [Atom(f) for f in fields]), (Atom("type"), Atom("set"))])
    return b"\x01\x02\x03\x04\x63\x58\x4d\x0b" + item(head) + item(description) + \
        item([(name, *record) for record in records])
