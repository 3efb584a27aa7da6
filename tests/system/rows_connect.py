"""CONNECT that is well formed and refused, and what CONNACK says (broker.md 2)."""
from . import raw

W = raw.Will

# (statement, configuration of mqtt, versions, CONNECT arguments, client id or None for the test's own, code 5.0, code 3.x)
REFUSED = [
    ("MQTT-3.1.3-8 empty id without clean start", {}, (4, 5), {"clean_start": False}, "", 0x85, 2),
    ("3.1 knows no empty id", {}, (3,), {}, "", 0x85, 2),
    ("3.1 knows no empty id, nor without clean session", {}, (3,), {"clean_start": False}, "", 0x85, 2),
    ("2.1 4b id longer than max_clientid_len", {"max_clientid_len": 23}, (3, 4, 5), {}, "c" * 24, 0x85, 2),
    ("2.1 4d will QoS above max_qos_allowed", {"max_qos_allowed": 1}, (5,), {"will": W("w", qos=2)}, None, 0x9B, None),
    ("2.1 4d retained will not available", {"retain_available": False}, (5,), {"will": W("w", retain=True)}, None, 0x9A, None),
    ("MQTT-3.3.2-2 will topic with #", {}, (5,), {"will": W("w/#")}, None, 0x90, None),
    ("MQTT-3.3.2-2 will topic with +", {}, (5,), {"will": W("w/+/x")}, None, 0x90, None),
    ("MQTT-4.7.3-1 empty will topic", {}, (5,), {"will": W("")}, None, 0x90, None),
    ("2.1 4d will topic of too many levels", {"max_topic_levels": 3}, (5,), {"will": W("a/b/c/d")}, None, 0x90, None),
    ("2.1 5c username as client id, empty", {"use_username_as_clientid": True}, (3, 4, 5), {"username": ""}, None, 0x85, 2),
    ("2.1 5c username as client id, absent", {"use_username_as_clientid": True}, (4, 5), {}, None, 0x85, 2),
    ("MQTT-4.12.0-1 unknown authentication method", {}, (5,), {"props": {"authentication_method": "none"}}, None, 0x8C, None),
    # Order: the client id (4b) is looked at before the will (4d).
    ("2.1 order: 4b before 4d", {"max_clientid_len": 23}, (5,), {"will": W("w/#")}, "c" * 24, 0x85, None),
    # What the decoder finds comes before all of it.
    ("2.1 order: 4c before 4b", {}, (5,), {"clean_start": False, "props": {"receive_maximum": 0}}, "", 0x82, None),
]

# (statement, configuration of mqtt, CONNECT arguments, properties that CONNACK has; None: it does not have it)
ACCEPTED = [
    ("2.3 defaults", {}, {},
     {"retain_available": 1, "maximum_packet_size": 1048576, "topic_alias_maximum": 65535, "receive_maximum": 100,
      "wildcard_subscription_available": 1, "subscription_identifier_available": 1, "shared_subscription_available": 1,
      "maximum_qos": None, "server_keep_alive": None, "response_information": None, "assigned_client_identifier": None,
      "session_expiry_interval": None, "authentication_method": None, "reason_string": None, "server_reference": None}),
    ("MQTT-3.2.2-9 Maximum QoS 1", {"max_qos_allowed": 1}, {}, {"maximum_qos": 1}),
    ("MQTT-3.2.2-9 Maximum QoS 0", {"max_qos_allowed": 0}, {}, {"maximum_qos": 0}),
    ("3.2.2.3.5 retain not available", {"retain_available": False}, {}, {"retain_available": 0}),
    ("3.2.2.3.6 Maximum Packet Size", {"max_packet_size": "2KB"}, {}, {"maximum_packet_size": 2048}),
    ("3.2.2.3.8 Topic Alias Maximum", {"max_topic_alias": 5}, {}, {"topic_alias_maximum": 5}),
    ("3.2.2.3.8 no aliases", {"max_topic_alias": 0}, {}, {"topic_alias_maximum": 0}),
    ("3.2.2.3.11 no wildcards", {"wildcard_subscription": False}, {}, {"wildcard_subscription_available": 0}),
    ("3.2.2.3.13 no shared subscriptions", {"shared_subscription": False}, {}, {"shared_subscription_available": 0}),
    ("3.2.2.3.14 Server Keep Alive", {"server_keepalive": 33}, {"keep_alive": 60}, {"server_keep_alive": 33}),
    ("3.2.2.3.15 Response Information", {"response_information": "r/i"},
     {"props": {"request_response_information": 1}}, {"response_information": "r/i"}),
    ("MQTT-3.1.2-28 Response Information not asked for", {"response_information": "r/i"},
     {"props": {"request_response_information": 0}}, {"response_information": None}),
    ("2.3 Receive Maximum is max_awaiting_rel", {"max_awaiting_rel": 7}, {}, {"receive_maximum": 7}),
    ("2.3 Receive Maximum without a bound", {"max_awaiting_rel": "infinity"}, {}, {"receive_maximum": 65535}),
    ("2.3 Receive Maximum without a bound, 0", {"max_awaiting_rel": 0}, {}, {"receive_maximum": 65535}),
    ("MQTT-3.1.2-29 no problem information", {}, {"props": {"request_problem_information": 0}}, {"reason_string": None}),
    ("3.1.2.9 password without a username", {}, {"password": b"p"}, {}),
]
