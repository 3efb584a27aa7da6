"""What the interface says of one client, and of messages that are kept."""
import time

import pytest

from . import api, node, raw


def test_bulk_subscribing_is_all_or_nothing(broker):
    with broker.client("c"):
        good, bad = {"topic": "a/b"}, {"topic": "a/#/b"}
        refused = api.want(broker, 400, "POST", "/clients/c/subscribe/bulk", [good, bad])
        assert "a/#/b" in refused["message"] and api.want(broker, 200, "GET", "/clients/c/subscriptions") == []
        assert len(api.want(broker, 200, "POST", "/clients/c/subscribe/bulk", [good, {"topic": "$share/g/a"}])) == 2


def test_ids_whose_pubrel_does_not_come_are_counted(start_broker):
    """Broker 5.3."""
    broker = start_broker(mqtt={"await_rel_timeout": "1s"})
    with broker.client("c") as c:
        for packet_id in (1, 2):
            c.send(raw.publish("t", "x", qos=2, packet_id=packet_id))
            c.expect(raw.PUBREC)
        timed_out = lambda: api.want(broker, 200, "GET", "/clients/c")["recv_msg.dropped.await_pubrel_timeout"]
        node.wait_until(lambda: timed_out() == 2)
        assert api.want(broker, 200, "GET", "/clients/c")["recv_msg.dropped"] == 2


def test_what_is_shared_has_no_no_local(broker):
    """[MQTT-3.8.3-4], also where it is not the client that asks."""
    with broker.client("c"):
        refused = api.want(broker, 400, "POST", "/clients/c/subscribe/bulk", [{"topic": "a"}, {"topic": "$share/g/a", "nl": 1}])
        assert "nl = 1" in refused["message"] and api.want(broker, 200, "GET", "/clients/c/subscriptions") == []


def test_the_limit_of_subscriptions_holds_for_all_of_a_bulk(start_broker):
    broker = start_broker(mqtt={"max_subscriptions": 2})
    with broker.client("c") as c:
        c.subscribe("a")
        many = [{"topic": t} for t in ("a", "b", "d")]
        api.want(broker, 400, "POST", "/clients/c/subscribe/bulk", many)
        assert [s["topic"] for s in api.want(broker, 200, "GET", "/clients/c/subscriptions")] == ["a"]


def test_a_new_keep_alive_is_shown(broker):
    with broker.client("c", keep_alive=60):
        assert api.want(broker, 200, "PUT", "/clients/c/keepalive", {"interval": 17})["keepalive"] == 17
        assert api.want(broker, 200, "GET", "/clients/c")["keepalive"] == 17


def test_a_client_that_is_gone_exists_and_has_no_keep_alive_to_change(broker):
    with broker.client("c", keep_alive=60, props={"session_expiry_interval": 60}) as client:
        client.disconnect()
        node.wait_until(lambda: not api.want(broker, 200, "GET", "/clients/c")["connected"])
        before = api.want(broker, 200, "GET", "/clients/c")
        assert api.want(broker, 200, "PUT", "/clients/c/keepalive", {"interval": 17}) == before
        assert before["keepalive"] == 60 == api.want(broker, 200, "GET", "/clients/c")["keepalive"]
    assert api.want(broker, 404, "PUT", "/clients/nobody/keepalive", {"interval": 17})["code"] == "CLIENTID_NOT_FOUND"


@pytest.mark.parametrize("no_match, codes", [("allow", [0xA2, 0x9E, 0x8F, 0x8F]), ("deny", [0x87] * 4)])
def test_what_a_zone_does_not_offer_binds_clients_and_not_who_manages_them(start_broker, no_match, codes):
    broker = start_broker(mqtt={"wildcard_subscription": False, "shared_subscription": False, "max_topic_levels": 3, "max_subscriptions": 4},
                          authorization={"no_match": no_match, "sources": []})
    topics = ["a/#", "$share/g/t", "a/b/c/d/e", "$exclusive/e"]
    with broker.client("c") as client, broker.client("d") as other:
        client.subscribe(*[(topic, 0) for topic in topics], codes=codes)
        for topic in topics[:3]:
            assert api.want(broker, 200, "POST", "/clients/c/subscribe", {"topic": topic})["topic"] == topic
        assert len(api.want(broker, 200, "POST", "/clients/c/subscribe/bulk", [{"topic": topics[3]}])) == 1
        shown = api.want(broker, 200, "GET", "/clients/c/subscriptions")
        assert sorted(s["topic"] for s in shown) == sorted(topics)
        # What is no matter of the zone's offer holds: a topic taken by another, the number of subscriptions.
        assert "$exclusive/e" in api.want(broker, 400, "POST", "/clients/d/subscribe", {"topic": "$exclusive/e"})["message"]
        assert "'b'" in api.want(broker, 400, "POST", "/clients/c/subscribe", {"topic": "b"})["message"]
        other.ping()


def test_states_of_connections(broker):
    with broker.client("here"), broker.client("gone", props={"session_expiry_interval": 60}) as gone:
        gone.disconnect()
        ids = lambda state: [c["clientid"] for c in api.want(broker, 200, "GET", f"/clients?conn_state={state}")["data"]]
        node.wait_until(lambda: ids("disconnected") == ["gone"])
        assert ids("connected") == ["here"] and ids("idle") == []


def test_bytes_and_packets_of_a_client_are_counted(broker):
    with broker.client("counted") as client:
        client.subscribe(("c/#", 1))
        before = api.want(broker, 200, "GET", "/clients/counted")
        sent = raw.publish("c/1", b"x" * 1000, qos=1, packet_id=7)
        client.send(sent)
        back = client.expect(raw.PUBLISH, topic="c/1")
        client.send(raw.puback(back.packet_id))
        client.expect(raw.PUBACK)
        client.send(raw.pingreq())
        client.expect(raw.PINGRESP)
        after = api.want(broker, 200, "GET", "/clients/counted")
    assert before["recv_oct"] > 20 and before["send_oct"] > 5
    assert after["recv_pkt"] - before["recv_pkt"] == 3 and after["send_pkt"] - before["send_pkt"] == 3
    assert after["recv_oct"] - before["recv_oct"] == len(sent) + 4 + 2
    assert after["send_oct"] - before["send_oct"] >= 1000 + 4 + 2


def test_several_names_and_chosen_fields(broker):
    with broker.client("a", username="joe"), broker.client("b", username="eve"), broker.client("c", username="joe"):
        rows = lambda query: api.want(broker, 200, "GET", "/clients?" + query)["data"]
        names = lambda query: sorted(c["clientid"] for c in rows(query))
        assert names("clientid=a&clientid=c&clientid=none") == ["a", "c"]
        assert names("clientid=b") == ["b"]
        assert names("username=joe") == ["a", "c"] and names("username=joe&username=eve") == ["a", "b", "c"]
        assert names("clientid=a&username=eve") == []
        assert names("clientid=a&like_clientid=b") == ["a"], "the exact one beats the fuzzy one"
        assert names("clientid=") == ["a", "b", "c"], "an empty one is not given"
        assert rows("clientid=a&fields=clientid,username,recv_msg.qos1") == [{"clientid": "a", "username": "joe", "recv_msg.qos1": 0}]
        assert rows("clientid=a&fields=clientid,disconnected_at") == [{"clientid": "a"}], "only of who is gone"
        assert len(rows("clientid=a&fields=all")[0]) > 40
        for bad in ("nothing", "clientid,", ",", "clientid,password"):
            assert "fields" in api.want(broker, 400, "GET", f"/clients?fields={bad}")["message"]


def test_nodes_that_are_none_are_refused(broker):
    for path in ("/clients", "/subscriptions", "/topics"):
        assert api.want(broker, 400, "GET", path + "?node=q")["code"] == "BAD_REQUEST", path


def pages(broker, path, **query):
    """Every row, read page by page."""
    rows, position = [], "none"
    while position != "end_of_data":
        text = "&".join(f"{key}={value}" for key, value in {**query, "position": position}.items())
        page = api.want(broker, 200, "GET", f"{path}?{text}")
        assert page["data"] or page["meta"]["position"] == "end_of_data"
        rows += page["data"]
        position = page["meta"]["position"]
    assert api.want(broker, 200, "GET", path + "?position=end_of_data")["data"] == []
    return rows


def test_messages_that_wait_for_a_client(start_broker):
    broker = start_broker(mqtt={"max_mqueue_len": 0, "mqueue_priorities": {"high": 9}})
    with broker.client("gone", props={"session_expiry_interval": 600}) as gone:
        gone.subscribe(("#", 1))
    node.wait_until(lambda: not api.want(broker, 200, "GET", "/clients/gone")["connected"])
    with broker.client("from", username="joe") as sender:
        for number in range(600):
            sender.send(raw.publish("low" if number % 2 else "high", b"%d" % number, qos=1, packet_id=number + 1))
            sender.expect(raw.PUBACK)
    path = "/clients/gone/mqueue_messages"
    for limit in (7, 256, 599, 600, 10000):
        rows = pages(broker, path, payload="plain", limit=limit)
        assert [int(row["payload"]) for row in rows] == [*range(0, 600, 2), *range(1, 600, 2)], limit
    assert {row["mqueue_priority"] for row in rows} == {9, 0} and len({row["msgid"] for row in rows}) == 600
    first = rows[0]
    assert (first["topic"], first["qos"], first["from_clientid"], first["from_username"]) == ("high", 1, "from", "joe")
    assert abs(first["publish_at"] / 1000 - time.time()) < 600
    page = api.want(broker, 200, "GET", path + "?limit=2")
    assert [row["payload"] for row in page["data"]] == ["MA==", "Mg=="]
    assert page["meta"]["start"] != "none" and page["meta"]["position"] != "end_of_data"
    assert "payload" not in api.want(broker, 200, "GET", path + "?payload=none&limit=1")["data"][0]
    assert len(api.want(broker, 200, "GET", path + "?max_payload_bytes=1")["data"]) == 1
    assert len(api.want(broker, 200, "GET", path + "?max_payload_bytes=4B")["data"]) == 4
    assert len(pages(broker, path, max_payload_bytes="100B")) == 600
    for bad in ("position=x", "position=1_", "limit=0", "limit=10001", "payload=hex", "max_payload_bytes=0",
                "max_payload_bytes=17MB", "max_payload_bytes=x"):
        api.want(broker, 400, "GET", f"{path}?{bad}")
    assert api.want(broker, 404, "GET", "/clients/nobody/mqueue_messages")["code"] == "CLIENTID_NOT_FOUND"


def test_messages_that_a_client_has_not_acknowledged(broker):
    with broker.client("slow", props={"receive_maximum": 5, "session_expiry_interval": 60}) as slow:
        path = "/clients/slow/inflight_messages"
        assert api.want(broker, 200, "GET", path) == {"data": [], "meta": {"start": "none", "position": "end_of_data"}}
        slow.subscribe(("t", 2))
        with broker.client("from") as sender:
            for number in range(8):
                sender.send(raw.publish("t", b"%d" % number, qos=1, packet_id=number + 1))
                sender.expect(raw.PUBACK)
        sent = [slow.expect(raw.PUBLISH) for _ in range(5)]
        rows = pages(broker, path, payload="plain", limit=2)
        assert [row["payload"] for row in rows] == list("01234") and "mqueue_priority" not in rows[0]
        waiting = api.want(broker, 200, "GET", "/clients/slow/mqueue_messages?payload=plain")["data"]
        assert [row["payload"] for row in waiting] == list("567")
        slow.send(raw.puback(sent[0].packet_id))
        slow.expect(raw.PUBLISH)
        assert [row["payload"] for row in pages(broker, path, payload="plain")] == list("12345")
    assert api.want(broker, 404, "GET", "/clients/nobody/inflight_messages")["code"] == "CLIENTID_NOT_FOUND"


def test_delayed_messages_of_a_topic_are_dropped(broker):
    with broker.client("c") as client:
        for topic in ("$delayed/100/a/b", "$delayed/200/a/b", "$delayed/100/a"):
            client.publish(topic, b"x", qos=1)
    waiting = lambda: sorted(m["topic"] for m in api.want(broker, 200, "GET", "/mqtt/delayed/messages")["data"])
    assert waiting() == ["a", "a/b", "a/b"]
    assert "'a/+'" in api.want(broker, 400, "DELETE", "/mqtt/delayed/messages/a%2F%2B")["message"]
    api.want(broker, 204, "DELETE", "/mqtt/delayed/messages/a%2Fb")
    api.want(broker, 404, "DELETE", "/mqtt/delayed/messages/a%2Fb")
    broker.kill()
    broker.start()
    assert waiting() == ["a"]
    api.want(broker, 204, "DELETE", "/mqtt/delayed/messages/a")


KEPT = {"session_expiry_interval": 600}


@pytest.mark.parametrize("shards", [1, 2])
def test_what_was_answered_outlives_the_node(start_broker, shards):
    """Each change of sessions and messages is on disk when its answer comes: the node dies at once."""
    broker = start_broker(shards=shards)

    def again():
        broker.kill()
        broker.start()

    topics = lambda: sorted(s["topic"] for s in api.want(broker, 200, "GET", "/clients/d/subscriptions"))
    retained = lambda: [m["topic"] for m in api.want(broker, 200, "GET", "/mqtt/retainer/messages")["data"]]
    with broker.client("d", props=KEPT):
        pass
    api.want(broker, 200, "POST", "/clients/d/subscribe", {"topic": "a", "qos": 1})
    again()
    assert topics() == ["a"]
    api.want(broker, 200, "POST", "/clients/d/subscribe/bulk", [{"topic": "b", "qos": 1}, {"topic": "$share/g/c", "qos": 1}])
    again()
    assert topics() == ["$share/g/c", "a", "b"]
    api.want(broker, 200, "POST", "/publish/bulk", [{"topic": t, "payload": t, "qos": 1, "retain": t == "b"} for t in "abc"])
    again()
    assert api.want(broker, 200, "GET", "/clients/d")["mqueue_len"] == 3 and "b" in retained()
    api.want(broker, 202, "POST", "/publish", {"topic": "r", "payload": "x", "retain": True})
    again()
    assert "r" in retained()
    delayed = lambda: [m["topic"] for m in api.want(broker, 200, "GET", "/mqtt/delayed/messages")["data"]]
    api.call(broker, "POST", "/publish", {"topic": "$delayed/100/later", "payload": "x"})
    again()
    assert delayed() == ["later"]
    for qos in (1, 2):
        api.want(broker, 200, "POST", "/publish", {"topic": "a", "payload": "x", "qos": qos})
        again()
        assert api.want(broker, 200, "GET", "/clients/d")["mqueue_len"] == 3 + qos
    api.want(broker, 204, "DELETE", "/mqtt/retainer/message/b")
    again()
    assert "b" not in retained()
    api.want(broker, 204, "POST", "/clients/d/unsubscribe", {"topic": "a"})
    again()
    assert topics() == ["$share/g/c", "b"]
    api.want(broker, 204, "DELETE", "/clients/d")
    again()
    api.want(broker, 404, "GET", "/clients/d")


@pytest.mark.parametrize("version, name", [(3, "MQIsdp"), (4, "MQTT"), (5, "MQTT")])
def test_a_client_that_is_gone_is_told_of_as_before(broker, version, name):
    durable = {"props": {"session_expiry_interval": 600}} if version == 5 else {"clean_start": False}
    with broker.client("c", version=version, keep_alive=77, **durable) as client:
        before = api.want(broker, 200, "GET", "/clients/c")
        client.disconnect()
    told = ("listener", "proto_name", "proto_ver", "keepalive", "port", "ip_address", "created_at", "mountpoint")
    gone = lambda: api.want(broker, 200, "GET", "/clients/c")
    node.wait_until(lambda: not gone()["connected"])
    broker.kill()
    broker.start()
    after = gone()
    assert {name: after[name] for name in told} == {name: before[name] for name in told}
    assert abs(after["connected_at_ms"] - before["connected_at_ms"]) < 1000 and after["disconnected_at_ms"] >= after["connected_at_ms"]
    assert (after["listener"], after["proto_name"], after["proto_ver"], after["keepalive"]) == ("tcp:default", name, version, 77)
    found = lambda query: [c["clientid"] for c in api.want(broker, 200, "GET", "/clients?" + query)["data"]]
    assert found(f"proto_ver={version}") == ["c"] and found(f"proto_ver={8 - version if version != 4 else 5}") == []
    assert found(f"gte_connected_at={after['connected_at_ms']}") == ["c"]
    assert found(f"gte_connected_at={after['connected_at_ms'] + 1}") == []


def test_who_was_there_at_a_crash_did_not_leave_before_it_came(broker):
    client = broker.client("c", clean_start=False, props={"session_expiry_interval": 600})
    client.subscribe(("t", 1))  # answered when the session is on disk
    broker.kill()
    broker.start()
    after = api.want(broker, 200, "GET", "/clients/c")
    assert not after["connected"] and after["disconnected_at_ms"] >= after["connected_at_ms"]


def test_a_retained_message_has_an_id_that_stays(broker):
    with broker.client("c") as client:
        client.publish("a", b"1", qos=1, retain=True)
        client.publish("b", b"1", qos=1, retain=True)
        ids = lambda: {m["topic"]: m["msgid"] for m in api.want(broker, 200, "GET", "/mqtt/retainer/messages")["data"]}
        node.wait_until(lambda: {"a", "b"} <= ids().keys())
        first = ids()
        assert first["a"] != first["b"] and all(len(bytes.fromhex(i)) == 16 for i in first.values())
        assert api.want(broker, 200, "GET", "/mqtt/retainer/message/a")["msgid"] == first["a"]
        time.sleep(0.01)
        client.publish("a", b"1", qos=1, retain=True)
        node.wait_until(lambda: ids()["a"] != first["a"])
    now = ids()
    broker.kill()
    broker.start()
    assert {name: ids()[name] for name in "ab"} == {"a": now["a"], "b": first["b"]}
