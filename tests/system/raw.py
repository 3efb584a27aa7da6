"""A raw MQTT client for table tests: builds and parses every packet of 3.1, 3.1.1 and 5.0, also malformed ones.

    c = raw.Client(port)                       # version 5; version=4 is 3.1.1, version=3 is 3.1
    c.connect("a", clean_start=True)           # sends CONNECT, returns the CONNACK
    c.send(raw.subscribe(1, [("t/#", 1)]))
    c.expect(raw.SUBACK, codes=[1])            # next packet, with these fields
    c.send(bytes.fromhex("c0 01 00"))          # anything at all
    c.expect_closed()                          # or expect_disconnect(0x81)

Builders take `version` (5 unless said otherwise) and `props`, a dict or list of pairs by the names of PROPERTIES. They
check nothing: a wrong field is what many tests want to send. `flags=` replaces the low nibble of the first byte.
"""
import socket
import ssl as tls
import struct
import time

from . import secrecy

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP,
 DISCONNECT, AUTH) = range(1, 16)
NAMES = ("RESERVED CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK PINGREQ "
         "PINGRESP DISCONNECT AUTH").split()

# name: (identifier, kind)
PROPERTIES = {
    "payload_format_indicator": (0x01, "u8"), "message_expiry_interval": (0x02, "u32"), "content_type": (0x03, "str"),
    "response_topic": (0x08, "str"), "correlation_data": (0x09, "bin"), "subscription_identifier": (0x0B, "varint"),
    "session_expiry_interval": (0x11, "u32"), "assigned_client_identifier": (0x12, "str"), "server_keep_alive": (0x13, "u16"),
    "authentication_method": (0x15, "str"), "authentication_data": (0x16, "bin"), "request_problem_information": (0x17, "u8"),
    "will_delay_interval": (0x18, "u32"), "request_response_information": (0x19, "u8"), "response_information": (0x1A, "str"),
    "server_reference": (0x1C, "str"), "reason_string": (0x1F, "str"), "receive_maximum": (0x21, "u16"),
    "topic_alias_maximum": (0x22, "u16"), "topic_alias": (0x23, "u16"), "maximum_qos": (0x24, "u8"),
    "retain_available": (0x25, "u8"), "user_property": (0x26, "pair"), "maximum_packet_size": (0x27, "u32"),
    "wildcard_subscription_available": (0x28, "u8"), "subscription_identifier_available": (0x29, "u8"),
    "shared_subscription_available": (0x2A, "u8"),
}
BY_ID = {number: (name, kind) for name, (number, kind) in PROPERTIES.items()}
REPEATED = ("user_property", "subscription_identifier")


# ---- pieces -------------------------------------------------------------------------------------------------------

def as_bytes(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def u16(value):
    return struct.pack("!H", value)


def u32(value):
    return struct.pack("!I", value)


def string(value):
    """A length and the bytes; bytes are taken as they are, so that bad UTF-8 can be sent."""
    data = as_bytes(value)
    return u16(len(data)) + data


def varint(value):
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def prop(name, value):
    """One property; `name` may be a number for an identifier that does not exist (value: raw bytes)."""
    if isinstance(name, int):
        return varint(name) + bytes(value)
    number, kind = PROPERTIES[name]
    encode = {"u8": lambda v: bytes([v]), "u16": u16, "u32": u32, "str": string, "bin": string, "varint": varint,
              "pair": lambda v: string(v[0]) + string(v[1])}[kind]
    return varint(number) + encode(value)


def properties(props, version=5):
    """Length and properties; empty for 3.x. In a dict the value of a repeatable property may be a list."""
    if version < 5:
        return b""
    if isinstance(props, (bytes, bytearray)):  # raw, length included
        return bytes(props)
    pairs = []
    for name, value in (props.items() if isinstance(props, dict) else (props or [])):
        many = name in REPEATED and isinstance(value, list)
        pairs += [(name, v) for v in value] if many else [(name, value)]
    body = b"".join(prop(name, value) for name, value in pairs)
    return varint(len(body)) + body


def packet(kind, body=b"", flags=None, length=None):
    """Fixed header and body; `length` lies about the remaining length."""
    if flags is None:
        flags = 2 if kind in (PUBREL, SUBSCRIBE, UNSUBSCRIBE) else 0
    return bytes([kind << 4 | flags]) + varint(len(body) if length is None else length) + body


# ---- packets ------------------------------------------------------------------------------------------------------

class Will:
    def __init__(self, topic, payload=b"", qos=0, retain=False, props=None):
        self.topic, self.payload, self.qos, self.retain, self.props = topic, payload, qos, retain, props


def connect(client_id="", *, version=5, clean_start=True, keep_alive=60, will=None, username=None, password=None,
            props=None, connect_flags=None, protocol=None, level=None, flags=None):
    """`connect_flags`, `protocol` and `level` replace what would be derived."""
    bits = (2 if clean_start else 0) | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    if will:
        bits |= 4 | will.qos << 3 | (0x20 if will.retain else 0)
    name = protocol if protocol is not None else ("MQIsdp" if version == 3 else "MQTT")
    body = string(name) + bytes([version if level is None else level, bits if connect_flags is None else connect_flags])
    body += u16(keep_alive) + properties(props, version) + string(client_id)
    if will:
        body += properties(will.props, version) + string(will.topic) + string(will.payload)
    secrecy.note_name(client_id)
    if username is None or not as_bytes(username).startswith(b"eyJ"):  # a token in place of a name stays a secret
        secrecy.note_name(username)
    secrecy.note(password, "password of CONNECT")
    for value in (username, password):
        body += b"" if value is None else string(value)
    return packet(CONNECT, body, flags)


def publish(topic, payload=b"", *, qos=0, packet_id=None, retain=False, dup=False, props=None, version=5, flags=None):
    """A packet id is written for QoS 1 and 2, or where one is given."""
    bits = (8 if dup else 0) | qos << 1 | (1 if retain else 0)
    body = string(topic)
    if packet_id is not None or qos:
        body += u16(1 if packet_id is None else packet_id)
    return packet(PUBLISH, body + properties(props, version) + as_bytes(payload), bits if flags is None else flags)


def _ack(kind):
    def build(packet_id, code=0, *, props=None, version=5, flags=None):
        """The short form where code and properties are their defaults."""
        body = u16(packet_id)
        if version >= 5 and (code or props is not None):
            body += bytes([code]) + (properties(props) if props is not None else b"")
        return packet(kind, body, flags)
    return build


puback, pubrec, pubrel, pubcomp = _ack(PUBACK), _ack(PUBREC), _ack(PUBREL), _ack(PUBCOMP)


def subscribe(packet_id, filters, *, props=None, version=5, flags=None):
    """Filters: "t", ("t", qos) or ("t", options byte); see `options`."""
    body = u16(packet_id) + properties(props, version)
    for entry in filters:
        name, bits = (entry, 0) if isinstance(entry, (str, bytes)) else entry
        body += string(name) + bytes([bits])
    return packet(SUBSCRIBE, body, flags)


def options(qos=0, no_local=False, retain_as_published=False, retain_handling=0):
    return qos | (4 if no_local else 0) | (8 if retain_as_published else 0) | retain_handling << 4


def unsubscribe(packet_id, filters, *, props=None, version=5, flags=None):
    return packet(UNSUBSCRIBE, u16(packet_id) + properties(props, version) + b"".join(map(string, filters)), flags)


def pingreq(flags=None):
    return packet(PINGREQ, b"", flags)


def disconnect(code=0, *, props=None, version=5, flags=None):
    body = b""
    if version >= 5 and (code or props is not None):
        body = bytes([code]) + (properties(props) if props is not None else b"")
    return packet(DISCONNECT, body, flags)


def auth(code=0x18, *, props=None, flags=None):
    return packet(AUTH, bytes([code]) + properties(props), flags)


# ---- parsing ------------------------------------------------------------------------------------------------------

class Malformed(AssertionError):
    """The peer sent what no MQTT peer may send."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if self.left() < count:
            raise Malformed(f"{count} bytes wanted, {self.left()} left in {self.data.hex(' ')}")
        self.at += count
        return self.data[self.at - count:self.at]

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return int.from_bytes(self.take(2), "big")

    def u32(self):
        return int.from_bytes(self.take(4), "big")

    def bin(self):
        return self.take(self.u16())

    def str(self):
        return self.bin().decode("utf-8", "surrogateescape")

    def pair(self):
        return self.str(), self.str()

    def varint(self):
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
        raise Malformed("variable byte integer of more than four bytes")

    def properties(self):
        inner, found = Reader(self.take(self.varint())), {}
        while inner.left():
            number = inner.varint()
            if number not in BY_ID:
                raise Malformed(f"property 0x{number:02x} does not exist")
            name, kind = BY_ID[number]
            value = getattr(inner, kind)()
            if name in REPEATED:
                found.setdefault(name, []).append(value)
            elif name in found:
                raise Malformed(f"{name} twice")
            else:
                found[name] = value
        return found


class Packet:
    """`kind`, `flags`, `raw` and the fields of the kind as attributes; `props` is a dict (lists for repeatable ones)."""

    def __init__(self, kind, flags, raw, fields):
        self.kind, self.flags, self.raw, self.fields = kind, flags, raw, fields

    def __getattr__(self, name):
        try:
            return self.__dict__["fields"][name]
        except KeyError:
            raise AttributeError(f"{NAMES[self.kind]} has no {name}") from None

    def __repr__(self):
        return f"{NAMES[self.kind]}({', '.join(f'{k}={v!r}' for k, v in self.fields.items())})"


def parse(kind, flags, body, version=5):
    """Fields of one packet; Malformed if anything is left over or missing."""
    reader, fields, v5 = Reader(body), {}, version >= 5
    if kind == CONNACK:
        fields.update(session_present=bool(reader.u8() & 1), code=reader.u8(), props=reader.properties() if v5 else {})
    elif kind == CONNECT:
        fields.update(protocol=reader.str(), level=reader.u8(), connect_flags=reader.u8(), keep_alive=reader.u16())
        v5, bits = fields["level"] >= 5, fields["connect_flags"]
        fields.update(props=reader.properties() if v5 else {}, client_id=reader.str())
        if bits & 4:
            fields.update(will_props=reader.properties() if v5 else {}, will_topic=reader.str(), will_payload=reader.bin())
        if bits & 0x80:
            fields["username"] = reader.str()
        if bits & 0x40:
            fields["password"] = reader.bin()
    elif kind == PUBLISH:
        qos = flags >> 1 & 3
        fields.update(topic=reader.str(), qos=qos, retain=bool(flags & 1), dup=bool(flags & 8))
        fields["packet_id"] = reader.u16() if qos else None
        fields["props"] = reader.properties() if v5 else {}
        fields["payload"] = reader.take(reader.left())
    elif kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
        fields.update(packet_id=reader.u16(), code=reader.u8() if v5 and reader.left() else 0)
        fields["props"] = reader.properties() if v5 and reader.left() else {}
    elif kind in (SUBACK, UNSUBACK):
        fields.update(packet_id=reader.u16(), props=reader.properties() if v5 else {})
        fields["codes"] = list(reader.take(reader.left()))
    elif kind in (SUBSCRIBE, UNSUBSCRIBE):
        fields.update(packet_id=reader.u16(), props=reader.properties() if v5 else {}, filters=[])
        while reader.left():
            name = reader.str()
            fields["filters"].append((name, reader.u8()) if kind == SUBSCRIBE else name)
    elif kind in (DISCONNECT, AUTH):
        fields["code"] = reader.u8() if v5 and reader.left() else 0
        fields["props"] = reader.properties() if v5 and reader.left() else {}
    elif kind not in (PINGREQ, PINGRESP):
        raise Malformed(f"packet type {kind}")
    if reader.left():
        raise Malformed(f"{reader.left()} bytes too many in {NAMES[kind]}: {body.hex(' ')}")
    if kind != PUBLISH and flags != (2 if kind in (PUBREL, SUBSCRIBE, UNSUBSCRIBE) else 0):
        raise Malformed(f"flags {flags} in {NAMES[kind]}")
    return fields


def split(data):
    """(kind, flags, body, rest) of the first whole packet in `data`, or None."""
    length, at = 0, 1
    for shift in (0, 7, 14, 21):
        if at >= len(data):
            return None
        byte, at = data[at], at + 1
        length |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    else:
        raise Malformed("remaining length of more than four bytes")
    if len(data) - at < length:
        return None
    return data[0] >> 4, data[0] & 15, bytes(data[at:at + length]), data[at + length:]


# ---- client -------------------------------------------------------------------------------------------------------

class Closed(AssertionError):
    """The peer ended the connection."""


class Client:
    """One socket. Nothing is answered unless the test does it."""

    def __init__(self, port, *, version=5, host="127.0.0.1", timeout=5.0, ssl=None, source=None):
        """`ssl`: an SSLContext, or True for one that trusts anybody. `source`: the address of this end."""
        self.version, self.timeout, self.buffer = version, timeout, b""
        self.socket = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ssl is not None:
            context = ssl
            if ssl is True:
                context = tls.create_default_context()
                context.check_hostname, context.verify_mode = False, tls.CERT_NONE
            self.socket = context.wrap_socket(self.socket, server_hostname=host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection without DISCONNECT."""
        self.socket.close()

    def send(self, *packets):
        self.socket.sendall(b"".join(packets))

    def send_slowly(self, data, pause=0.01):
        """Byte by byte, to test reassembly."""
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])
            time.sleep(pause)

    def receive(self, timeout=None):
        """The next packet. Closed at the end of the connection, TimeoutError if nothing comes."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while (found := split(self.buffer)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no packet; got {self.buffer.hex(' ') or 'nothing'}")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                data = b""
            except socket.timeout:
                continue
            if not data:
                raise Closed(f"connection closed; unfinished: {self.buffer.hex(' ') or 'nothing'}")
            self.buffer += data
        kind, flags, body, self.buffer = found
        return Packet(kind, flags, body, parse(kind, flags, body, self.version))

    def expect(self, kind, timeout=None, **fields):
        """The next packet is of `kind` and has these fields; props={...} names those that must be there."""
        got = self.receive(timeout)
        assert got.kind == kind, f"expected {NAMES[kind]}, got {got}"
        for name, want in fields.items():
            if name == "props":
                have = {k: got.props.get(k) for k in want}
            else:
                have, want = getattr(got, name), as_bytes(want) if name == "payload" else want
            assert have == want, f"{name}: expected {want!r}, got {have!r} in {got}"
        return got

    def expect_nothing(self, seconds=0.3):
        """No packet comes, and the connection stays."""
        try:
            got = self.receive(seconds)
        except TimeoutError:
            assert not self.buffer, f"half a packet: {self.buffer.hex(' ')}"
            return
        raise AssertionError(f"expected nothing, got {got}")

    def expect_closed(self, timeout=None):
        """The peer closes without a further packet."""
        try:
            got = self.receive(timeout)
        except Closed:
            return
        raise AssertionError(f"expected the end of the connection, got {got}")

    def expect_disconnect(self, code, timeout=None):
        """5.0: DISCONNECT with the code, then the end. 3.x: the end alone."""
        if self.version >= 5:
            self.expect(DISCONNECT, timeout, code=code)
        self.expect_closed(timeout)

    # Short forms of what nearly every test does first.

    def connect(self, client_id="", code=0, **arguments):
        self.send(connect(client_id, version=self.version, **arguments))
        return self.expect(CONNACK, code=code)

    def subscribe(self, *filters, packet_id=1, codes=None, **arguments):
        self.send(subscribe(packet_id, filters, version=self.version, **arguments))
        got = self.expect(SUBACK, packet_id=packet_id)
        want = codes if codes is not None else [0 if isinstance(f, (str, bytes)) else f[1] & 3 for f in filters]
        assert got.codes == want, f"expected {want}, got {got}"
        return got

    def publish(self, topic, payload=b"", qos=0, packet_id=1, code=None, **arguments):
        """Publishes and plays the acknowledgements through; `code`: what PUBACK or PUBREC must say (None: a success)."""
        self.send(publish(topic, payload, qos=qos, packet_id=packet_id if qos else None, version=self.version, **arguments))
        if qos == 0:
            return None
        got = self.expect(PUBACK if qos == 1 else PUBREC, packet_id=packet_id)
        assert got.code == code if code is not None else got.code < 0x80, f"got {got}"
        if qos == 2 and got.code < 0x80:
            self.send(pubrel(packet_id, version=self.version))
            self.expect(PUBCOMP, packet_id=packet_id, code=0)
        return got

    def ping(self):
        """Round trip: what was sent before it has been worked off."""
        self.send(pingreq())
        return self.expect(PINGRESP)

    def disconnect(self, code=0, **arguments):
        self.send(disconnect(code, version=self.version, **arguments))
        self.close()
