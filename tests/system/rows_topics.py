"""Topic filters and names (MQTT 5.0 4.7; broker.md 7.3)."""

# (filter, topics that match, topics that do not)
MATCHING = [
    ("sport/tennis/player1/#", ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"],
     ["sport/tennis", "sport/tennis/player12", "Sport/tennis/player1"]),
    ("sport/#", ["sport", "sport/", "sport/tennis"], ["sports", "/sport"]),
    ("sport/tennis/+", ["sport/tennis/player1", "sport/tennis/"], ["sport/tennis", "sport/tennis/player1/ranking"]),
    ("sport/+", ["sport/", "sport/x"], ["sport", "sport/x/y"]),
    ("+/tennis/#", ["sport/tennis", "/tennis", "/tennis/x"], ["tennis", "sport/x/tennis"]),
    ("sport/+/player1", ["sport/tennis/player1", "sport//player1"], ["sport/player1", "sport/a/b/player1"]),
    ("finance", ["finance"], ["/finance", "finance/", "Finance"]),
    ("/finance", ["/finance"], ["finance", "//finance"]),
    ("+/+", ["/finance", "a/b", "/"], ["finance", "a/b/c", "$a/b"]),
    ("/+", ["/finance", "/"], ["finance", "/a/b"]),
    ("+", ["finance", " "], ["/finance", "$finance", "a/b"]),
    ("#", ["a", "a/b", "/", "//"], ["$a", "$a/b"]),
    ("+/b", ["a/b", "/b"], ["$a/b"]),
    ("/#", ["/", "/a", "/$a"], ["a", "$a"]),
    ("$x/#", ["$x", "$x/a"], ["x/a", "$xa"]),
    ("$x/+", ["$x/a", "$x/"], ["$x", "x/a"]),
    ("$x/a/+", ["$x/a/b"], ["x/a/b"]),
    ("a b/ c", ["a b/ c"], ["a b/c", "ab/ c"]),
    ("a//b", ["a//b"], ["a/b", "a///b"]),
    ("+/+/+", ["a/b/c", "//"], ["a/b", "a/b/c/d"]),
    ("a/+/#", ["a/b", "a/", "a/b/c"], ["a", "b/a"]),
    ("gr\u00fc\u00dfe/+/\u4f60\u597d", ["gr\u00fc\u00dfe/x/\u4f60\u597d"], ["gru\u0308\u00dfe/x/\u4f60\u597d"]),
    ("a/$b", ["a/$b"], ["a/b"]),
    ("a/+", ["a/$b"], ["$a/b"]),
]

# (statement, level of a topic): strict mode calls it malformed, otherwise it is a level like any other (broker.md 1.2).
TOLERATED = [
    ("1.5.4 U+0001", "\x01"),
    ("1.5.4 U+001F", "a\x1f"),
    ("1.5.4 U+007F", "\x7f"),
    ("1.5.4 U+009F", "\x9f"),
]

# (filters of one client with their QoS, topic, publish QoS, QoS of the copies that come)
OVERLAPS = [
    ([("{}/a", 0), ("{}/+", 1)], "{}/a", 2, [0, 1]),
    ([("{}/#", 2), ("{}/a", 2), ("{}/+", 1)], "{}/a", 2, [1, 2, 2]),
    ([("{}/#", 1), ("{}/b", 1)], "{}/a", 1, [1]),
    ([("{}/a", 1), ("{}/a", 0)], "{}/a", 1, [0]),  # the same filter twice: the later one counts, MQTT-3.8.4-3
]

# (statement, configuration of mqtt, filter, options, code of 5.0, code of 3.x)
SUBACK_CODES = [
    ("granted 0", {}, "{}/t", 0, 0, 0),
    ("granted 1", {}, "{}/t", 1, 1, 1),
    ("granted 2", {}, "{}/t", 2, 2, 2),
    ("7.1 [S] granted QoS is limited by max_qos_allowed", {"max_qos_allowed": 1}, "{}/t", 2, 1, 1),
    ("7.1 row 6, too many levels", {"max_topic_levels": 3}, "{}/b/c/d", 0, 0x8F, 0x80),
    ("7.1 row 6, levels of the real filter", {"max_topic_levels": 3}, "$share/g/{}/b/c", 0, 0, 0),
    ("7.1 row 7, wildcards are off", {"wildcard_subscription": False}, "{}/+", 0, 0xA2, 0x80),
    ("7.1 row 7, wildcards are off, shared", {"wildcard_subscription": False}, "$share/g/{}/#", 0, 0xA2, 0x80),
    ("7.1 row 7, a plain filter passes", {"wildcard_subscription": False}, "{}/t", 1, 1, 1),
    ("7.1 row 8, shared subscriptions are off", {"shared_subscription": False}, "$share/g/{}", 0, 0x9E, 0x80),
    ("7.1 row 8, $queue is one", {"shared_subscription": False}, "$queue/{}", 0, 0x9E, 0x80),
    ("7.1 row 9, exclusive is off", {}, "$exclusive/{}", 0, 0x8F, 0x80),
    ("7.1 row 9, exclusive is on", {"exclusive_subscription": True}, "$exclusive/{}", 1, 1, 1),
]
