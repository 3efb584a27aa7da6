"""What the interface says of one client."""
from . import api, raw


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
