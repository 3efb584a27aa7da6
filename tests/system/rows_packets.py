"""What is malformed or out of order for a connected client, beyond tests/vectors: (statement, versions, bytes, outcome).

Outcome: the code of DISCONNECT in 5.0; 3.1 and 3.1.1 close. Rows hold in both modes.
"""
from . import raw

ALL, V3, V5 = (3, 4, 5), (3, 4), (5,)


def by_version(build):
    return {version: build(version) for version in ALL}


FRAMES = [
    ("2.1.2 packet type 0", ALL, b"\x00\x00", 0x81),
    ("MQTT-1.5.5-1 remaining length of five bytes", ALL, b"\x30\xff\xff\xff\xff\x01", 0x81),
    ("2.1.2 CONNACK is the server's", ALL, raw.packet(raw.CONNACK, b"\x00\x00\x00"), 0x82),
    ("2.1.2 SUBACK is the server's", ALL, raw.packet(raw.SUBACK, b"\x00\x01\x00\x00"), 0x82),
    ("2.1.2 UNSUBACK is the server's", ALL, raw.packet(raw.UNSUBACK, b"\x00\x01\x00\x00"), 0x82),
    ("2.1.2 PINGRESP is the server's", ALL, raw.packet(raw.PINGRESP), 0x82),
    ("2.1.2 AUTH does not exist in 3.x", V3, raw.packet(raw.AUTH), 0x82),
    ("MQTT-4.12.0-6 AUTH without a method in CONNECT", V5,
     raw.packet(raw.AUTH, b"\x19" + raw.properties({"authentication_method": "m"})), 0x82),
    ("MQTT-4.12.0-6 AUTH 18 out of order", V5,
     raw.packet(raw.AUTH, b"\x18" + raw.properties({"authentication_method": "m"})), 0x82),
    ("2.1.4 PUBLISH shorter than its topic", ALL, raw.packet(raw.PUBLISH, b"\x00\x09t"), 0x81),
    ("MQTT-3.3.4-6 Subscription Identifier from a client", V5,
     raw.publish("t", props={"subscription_identifier": 1}), 0x82),
    ("MQTT-3.3.2-2 topic name with #", ALL, by_version(lambda v: raw.publish("a/#", version=v)), 0x90),
    ("MQTT-3.3.2-2 topic name with +", ALL, by_version(lambda v: raw.publish("a/+/b", qos=1, version=v)), 0x90),
    ("MQTT-4.7.3-2 topic name with U+0000, lenient", ALL, by_version(lambda v: raw.publish(b"a\0b", version=v)),
     {False: 0x90, True: 0x81}),
    ("MQTT-4.7.3-2 topic filter with U+0000", ALL, by_version(lambda v: raw.subscribe(1, [b"a\0b"], version=v)),
     {False: 0x8F, True: 0x81}),
    ("MQTT-4.7.3-1 empty topic filter", ALL, by_version(lambda v: raw.subscribe(1, [""], version=v)), 0x8F),
    ("MQTT-4.7.3-1 empty filter in UNSUBSCRIBE", ALL, by_version(lambda v: raw.unsubscribe(1, [""], version=v)), 0x8F),
    ("MQTT-4.7.1-1 # not last", ALL, by_version(lambda v: raw.subscribe(1, ["a/#/b"], version=v)), 0x8F),
    ("MQTT-4.7.1-1 # beside text", ALL, by_version(lambda v: raw.subscribe(1, ["a/b#"], version=v)), 0x8F),
    ("MQTT-4.7.1-2 + beside text", ALL, by_version(lambda v: raw.subscribe(1, ["a/b+"], version=v)), 0x8F),
    ("MQTT-4.7.1-2 + before text", ALL, by_version(lambda v: raw.subscribe(1, ["+b/c"], version=v)), 0x8F),
    ("MQTT-4.8.2-1 $share without a filter", ALL, by_version(lambda v: raw.subscribe(1, ["$share/g"], version=v)), 0x8F),
    ("MQTT-4.8.2-2 $share without a group", ALL, by_version(lambda v: raw.subscribe(1, ["$share//t"], version=v)), 0x8F),
    ("MQTT-4.8.2-2 $share group with +", ALL, by_version(lambda v: raw.subscribe(1, ["$share/g+/t"], version=v)), 0x8F),
    ("MQTT-4.8.2-2 $share group with #", ALL, by_version(lambda v: raw.subscribe(1, ["$share/#/t"], version=v)), 0x8F),
    ("MQTT-4.8.2-2 $share with an empty filter", ALL, by_version(lambda v: raw.subscribe(1, ["$share/g/"], version=v)), 0x8F),
    ("7.3 $queue with an empty filter", ALL, by_version(lambda v: raw.subscribe(1, ["$queue/"], version=v)), 0x8F),
    ("7.3 $share in $share", ALL, by_version(lambda v: raw.subscribe(1, ["$share/g/$share/h/t"], version=v)), 0x8F),
    ("7.3 $queue in $share", ALL, by_version(lambda v: raw.subscribe(1, ["$share/g/$queue/t"], version=v)), 0x8F),
    ("7.3 bad filter in UNSUBSCRIBE", ALL, by_version(lambda v: raw.unsubscribe(1, ["a/#/b"], version=v)), 0x8F),
    ("MQTT-3.8.3-4 No Local on a shared subscription", V5,
     raw.subscribe(1, [("$share/g/t", raw.options(1, no_local=True))]), 0x82),
    ("MQTT-3.1.0-2 a second CONNECT", ALL, by_version(lambda v: raw.connect("again", version=v)), 0x82),
    ("MQTT-3.14.2 session expiry raised from 0", V5, raw.disconnect(0, props={"session_expiry_interval": 5}), 0x82),
]

# (statement, packet) sent before CONNECT: the connection is closed, and nothing is said.
BEFORE_CONNECT = [
    ("MQTT-3.1.0-1 PUBLISH first", raw.publish("t", version=4)),
    ("MQTT-3.1.0-1 SUBSCRIBE first", raw.subscribe(1, ["t"], version=4)),
    ("MQTT-3.1.0-1 PINGREQ first", raw.pingreq()),
    ("MQTT-3.1.0-1 DISCONNECT first", raw.disconnect()),
    ("MQTT-3.1.0-1 AUTH first", raw.packet(raw.AUTH)),
    ("MQTT-3.1.0-1 PUBACK first", raw.puback(1)),
    ("4.13.1 packet type 0", b"\x00\x00"),
    ("4.13.1 HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"Accept: text/html\r\n" * 4 + b"\r\n"),
    ("1.2 too large for an idle connection", b"\x10\xff\xff\xff\x7f"),
]
