"""Publishing by HTTP, and traces by HTTP."""
import datetime
import io
import time
import zipfile

import pytest

from . import api, raw


def test_one_message_with_everything(broker):
    with broker.client("sub") as client:
        client.subscribe(("plant/#", 1))
        answer = api.want(broker, 200, "POST", "/publish", {
            "topic": "plant/7/cmd", "payload": "aGVsbG8=", "payload_encoding": "base64", "qos": 1,
            "properties": {"payload_format_indicator": 1, "message_expiry_interval": 60, "content_type": "text/plain",
                           "response_topic": "plant/7/reply", "correlation_data": "c",
                           "user_properties": {"k": "v"}}})
        assert len(answer["id"]) == 32 and int(answer["id"], 16)
        got = client.expect(raw.PUBLISH, topic="plant/7/cmd", payload=b"hello", qos=1)
        assert got.props["content_type"] == "text/plain" and got.props["response_topic"] == "plant/7/reply"
        assert 0 < got.props["message_expiry_interval"] <= 60


def test_nobody_is_subscribed(broker):
    assert api.want(broker, 202, "POST", "/publish", {"topic": "a", "payload": "x", "retain": True}) == \
        {"reason_code": 16, "message": "no_matching_subscribers"}
    with broker.client("late") as client:
        client.subscribe("a")
        client.expect(raw.PUBLISH, topic="a", payload=b"x", retain=True)


@pytest.mark.parametrize("body, code", [
    ({"topic": "a/+", "payload": ""}, 144), ({"topic": "", "payload": ""}, 144),
    ({"topic": "a", "payload": "x" * (1 << 20)}, 151), ({"topic": "a", "payload": "%", "payload_encoding": "base64"}, 131),
    *[({"topic": "a", "payload": "", "properties": p}, 131)  # [MQTT-1.5.4-2]
      for p in ({"content_type": "a\0"}, {"user_properties": {"a\0": "b"}}, {"user_properties": {"a": "\0b"}})],
])
def test_what_is_no_message_is_refused(broker, body, code):
    assert api.want(broker, 400, "POST", "/publish", body)["reason_code"] == code


@pytest.mark.parametrize("body", [{}, {"topic": "a"}, {"topic": "a", "payload": "x", "qos": 3},
                                  {"topic": "a", "payload": "x", "no_such": 1}, [],
                                  {"topic": "a", "payload": "x", "payload_encoding": "hex"}])
def test_a_body_of_another_shape_is_refused(broker, body):
    assert api.want(broker, 400, "POST", "/publish", body)["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("topic", ["$delayed/abc/x", "$delayed//x", "$delayed/5", "$delayed/5/", "$delayed/", "$delayed/99999999999/x"])
def test_a_delay_that_is_none(broker, topic):
    refused = api.want(broker, 400, "POST", "/publish", {"topic": topic, "payload": "x"})
    assert refused == {"reason_code": 144, "message": "topic_name_invalid"}
    assert api.want(broker, 202, "POST", "/publish", {"topic": "$delayed/500/x", "payload": "x"})


def test_a_trace_ends_and_follows_an_address(broker):
    made = api.want(broker, 200, "POST", "/trace", {"name": "t1", "type": "clientid", "clientid": "c"})
    start, end = (datetime.datetime.fromisoformat(made[key]) for key in ("start_at", "end_at"))
    assert end - start in (datetime.timedelta(seconds=600), datetime.timedelta(seconds=601))
    assert "ip_address" in api.want(broker, 400, "POST", "/trace", {"name": "t2", "type": "ip_address", "ip_address": "10.0.0"})["message"]
    api.want(broker, 200, "POST", "/trace", {"name": "t2", "type": "ip_address", "ip_address": "::1"})


def test_several_or_none(broker):
    with broker.client("sub") as client:
        client.subscribe("a/#")
        rows = api.want(broker, 200, "POST", "/publish/bulk",
                        [{"topic": f"a/{n}", "payload": str(n)} for n in range(3)])
        assert len({row["id"] for row in rows}) == 3
        assert [client.expect(raw.PUBLISH).payload for _ in range(3)] != []
        rows = api.want(broker, 202, "POST", "/publish/bulk",
                        [{"topic": "a/x", "payload": "1"}, {"topic": "b", "payload": "2"}])
        assert "id" in rows[0] and rows[1]["reason_code"] == 16
        client.expect(raw.PUBLISH, topic="a/x")
        rows = api.want(broker, 400, "POST", "/publish/bulk",
                        [{"topic": "a/y", "payload": "1"}, {"topic": "b/#", "payload": "2"}])
        assert rows == [{"reason_code": 144, "message": "topic_name_invalid"}]
        client.expect_nothing()
    assert api.want(broker, 400, "POST", "/publish/bulk", [])["code"] == "BAD_REQUEST"


def test_a_trace_is_read_and_downloaded(broker):
    made = api.want(broker, 200, "POST", "/trace", {"name": "t1", "type": "topic", "topic": "a/#",
                                                    "payload_encode": "hex"})
    assert made["payload_encode"] == "hex" and made["status"] in ("running", "waiting")
    deadline = time.monotonic() + 10
    while api.want(broker, 200, "GET", "/trace")[0]["status"] != "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with broker.client("traced") as client:
        deadline = time.monotonic() + 10
        while not api.want(broker, 200, "GET", "/trace/t1/log?bytes=100000")["items"]:
            client.publish("a/b", b"\x01secret")
            assert time.monotonic() < deadline
            time.sleep(0.1)
    first = api.want(broker, 200, "GET", "/trace/t1/log?bytes=10")
    assert len(first["items"]) == 10 and first["meta"] == {"bytes": 10, "position": 10}
    rest = api.want(broker, 200, "GET", "/trace/t1/log?bytes=1000000&position=10")
    assert "01736563726574" in rest["items"] and "secret" not in rest["items"]
    end = api.want(broker, 200, "GET", f"/trace/t1/log?position={rest['meta']['position']}")
    assert end["items"] == "" and end["meta"]["position"] == rest["meta"]["position"]
    detail = api.want(broker, 200, "GET", "/trace/t1/log_detail")[0]
    assert detail["size"] == end["meta"]["position"] and abs(detail["mtime"] / 1000 - time.time()) < 60
    connection = api._Unix(str(broker.data / "ctl.sock"))
    try:
        connection.request("GET", "/api/v5/trace/t1/download")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.getheader("Content-Type") == "application/x-zip"
        with zipfile.ZipFile(io.BytesIO(answer.read())) as files:
            name, = files.namelist()
            assert name.startswith("signalbox@127.0.0.1-trace_t1_") and b"PUBLISH" in files.read(name)
    finally:
        connection.close()
    assert api.want(broker, 200, "PUT", "/trace/t1/stop") == {"name": "t1", "enable": False}
    api.want(broker, 200, "PUT", "/trace/t1/stop")
    for path in ("/trace/none/log", "/trace/none/download", "/trace/none/log_detail", "/trace/t1/log?node=no@where"):
        assert api.want(broker, 404, "GET", path)["code"] == "NOT_FOUND"
    api.want(broker, 400, "POST", "/trace", {"name": "t2", "type": "topic", "topic": "a", "payload_encode": "octal"})
    api.want(broker, 204, "DELETE", "/trace/t1")
    api.want(broker, 200, "POST", "/trace", {"name": "empty", "type": "clientid", "clientid": "x"})
    assert api.want(broker, 404, "GET", "/trace/empty/download")["message"] == "Trace is empty"
