"""The order table of PUBLISH (broker.md 5.1): (row, configuration of mqtt, packet arguments, outcome per QoS).

Outcome: a code of DISCONNECT, or ("ack", code) for PUBACK and PUBREC and nothing for QoS 0. 3.x: see the test.
"""
ACK = "ack"


def every(outcome):
    return {0: outcome, 1: outcome, 2: outcome}


ORDER = [
    ("row 1, no topic and no alias", {}, {"topic": ""}, every(0x82)),
    ("row 2, alias 0 with a topic MQTT-3.3.2-8", {}, {"props": {"topic_alias": 0}}, every(0x94)),
    ("row 3, topic with a wildcard MQTT-3.3.2-2", {}, {"topic": "a/+"}, every(0x90)),
    ("row 4, an empty Response Topic MQTT-4.7.3-1", {}, {"props": {"response_topic": ""}}, every(0x82)),
    ("row 4, Response Topic with a wildcard MQTT-3.3.2-14", {}, {"props": {"response_topic": "r/#"}}, every(0x82)),
    ("row 4, Subscription Identifier 0", {}, {"props": {"subscription_identifier": 0}}, every(0x82)),
    ("row 6, unknown alias", {}, {"topic": "", "props": {"topic_alias": 7}}, every(0x82)),
    ("row 7, alias above the maximum MQTT-3.3.2-9", {"max_topic_alias": 5}, {"props": {"topic_alias": 6}}, every(0x94)),
    ("row 7, aliases are off", {"max_topic_alias": 0}, {"props": {"topic_alias": 1}}, every(0x94)),
    ("row 9, too many levels", {"max_topic_levels": 3}, {"topic": "a/b/c/d"}, every(0x90)),
    ("row 10, QoS above the maximum MQTT-3.2.2-11", {"max_qos_allowed": 0}, {}, {1: 0x9B, 2: 0x9B}),
    ("row 10, QoS 2 where 1 is the maximum", {"max_qos_allowed": 1}, {}, {2: 0x9B}),
    ("row 11, retain not available MQTT-3.2.2-14", {"retain_available": False}, {"retain": True}, every(0x9A)),
    ("row 14, nobody subscribed", {}, {}, {1: (ACK, 0x10), 2: (ACK, 0x10)}),
    ("row 15, as many levels as are allowed", {"max_topic_levels": 3}, {"topic": "a/b/c"}, {1: (ACK, 0x10), 2: (ACK, 0x10)}),
    # What comes first, where two rows apply.
    ("rows 3 and 4", {}, {"topic": "a/#", "props": {"response_topic": "r"}}, every(0x90)),
    ("rows 3 and 10", {"max_qos_allowed": 0}, {"topic": "a/#"}, {1: 0x90, 2: 0x90}),
    ("rows 7 and 9", {"max_topic_levels": 3, "max_topic_alias": 5}, {"topic": "a/b/c/d", "props": {"topic_alias": 6}},
     every(0x94)),
    ("rows 9 and 10", {"max_topic_levels": 3, "max_qos_allowed": 0}, {"topic": "a/b/c/d"}, {1: 0x90, 2: 0x90}),
    ("rows 10 and 11", {"max_qos_allowed": 0, "retain_available": False}, {"retain": True}, {1: 0x9B, 2: 0x9B}),
]

# Wrong acknowledgements of a subscriber (broker.md 6.4). State: what was delivered and answered before. What the packet is
# answered with: ("PUBREL", code) or None. After it the right acknowledgement still ends the exchange.
# (statement, delivered QoS, PUBREC sent before, packet, code of the packet, id is the delivered one, answer)
WRONG_ACKS = [
    ("PUBACK for an id that is not in flight", 1, False, "puback", 0, False, None),
    ("PUBREC for an id that is not in flight MQTT-3.6.2-1", 1, False, "pubrec", 0, False, 0x92),
    ("PUBCOMP for an id that is not in flight", 1, False, "pubcomp", 0, False, None),
    ("PUBREC with an error for an id that is not in flight", 1, False, "pubrec", 0x80, False, None),
    ("PUBREC for QoS 1 MQTT-3.6.2-1", 1, False, "pubrec", 0, True, 0x92),
    ("PUBCOMP for QoS 1", 1, False, "pubcomp", 0, True, None),
    ("PUBACK for QoS 2", 2, False, "puback", 0, True, None),
    ("PUBCOMP for QoS 2 before PUBREC", 2, False, "pubcomp", 0, True, None),
    ("PUBACK for QoS 2 after PUBREC", 2, True, "puback", 0, True, None),
    ("PUBREC again MQTT-4.3.3-4", 2, True, "pubrec", 0, True, 0),
]
