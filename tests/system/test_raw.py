"""The raw client itself: what it builds it can parse, and it refuses what is malformed."""
import pytest

from . import raw


def parsed(data, version=5):
    kind, flags, body, rest = raw.split(data)
    assert rest == b""
    return raw.Packet(kind, flags, body, raw.parse(kind, flags, body, version))


SAMPLES = {"u8": 1, "u16": 2, "u32": 3, "str": "s", "bin": b"b", "varint": 300, "pair": ("k", "v")}


@pytest.mark.parametrize("name", raw.PROPERTIES)
def test_every_property_survives(name):
    value = SAMPLES[raw.PROPERTIES[name][1]]
    want = [value] if name in raw.REPEATED else value
    assert parsed(raw.publish("t", props={name: value})).props == {name: want}


@pytest.mark.parametrize("value,data", [(0, "00"), (127, "7f"), (128, "8001"), (16383, "ff7f"), (268435455, "ffffff7f")])
def test_varint(value, data):
    assert raw.varint(value).hex() == data
    assert raw.Reader(bytes.fromhex(data)).varint() == value


@pytest.mark.parametrize("version", [3, 4, 5])
def test_connect(version):
    will = raw.Will("w", b"gone", qos=2, retain=True)
    got = parsed(raw.connect("id", version=version, will=will, username="u", password=b"p", keep_alive=9), version)
    assert (got.client_id, got.level, got.keep_alive, got.connect_flags) == ("id", version, 9, 0xF6)
    assert (got.will_topic, got.will_payload, got.username, got.password) == ("w", b"gone", "u", b"p")


def test_known_bytes():
    assert raw.connect("a", version=4).hex(" ") == "10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61"
    assert raw.publish("t", "x", qos=1, packet_id=2, version=4).hex(" ") == "32 06 00 01 74 00 02 78"
    assert raw.subscribe(1, [("a", raw.options(1, True, True, 2))]).hex(" ") == "82 07 00 01 00 00 01 61 2d"
    assert raw.puback(1).hex(" ") == "40 02 00 01"
    assert raw.pubrel(1, 0x92).hex(" ") == "62 03 00 01 92"
    assert raw.disconnect(0x04).hex(" ") == "e0 01 04"


@pytest.mark.parametrize("data", [
    "20 01 00",  # CONNACK cut short
    "40 05 00 01 00 00 00",  # more than PUBACK holds
    "d0 01 00",  # PINGRESP with a body
    "41 02 00 01",  # flags
    "00 00",  # packet type 0
    "30 05 00 01 74 02 01",  # properties longer than the packet
    "30 06 00 01 74 02 7f 00",  # no such property
    "30 08 00 01 74 04 01 00 01 00",  # a property twice
])
def test_refuses_what_is_malformed(data):
    kind, flags, body, rest = raw.split(bytes.fromhex(data))
    assert rest == b""
    with pytest.raises(raw.Malformed):
        raw.parse(kind, flags, body)


def test_remaining_length_of_five_bytes():
    with pytest.raises(raw.Malformed):
        raw.split(bytes.fromhex("30 ff ff ff ff 01"))
    assert raw.split(bytes.fromhex("30 ff ff")) is None
