"""What the interface says of one client."""
from . import api, node, raw


def test_bulk_subscribing_is_all_or_nothing(broker):
    with broker.client("c"):
        good, bad = {"topic": "a/b"}, {"topic": "a/#/b"}
        refused = api.want(broker, 400, "POST", "/clients/c/subscribe/bulk", [good, bad])
        assert "a/#/b" in refused["message"] and api.want(broker, 200, "GET", "/clients/c/subscriptions") == []
        assert len(api.want(broker, 200, "POST", "/clients/c/subscribe/bulk", [good, {"topic": "$share/g/a"}])) == 2


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
