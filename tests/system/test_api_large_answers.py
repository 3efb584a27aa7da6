"""Large answers of the management API to clients that pipeline, read slowly, go away in the middle, or never read."""
import concurrent.futures
import json
import socket
import struct

from .rest import Rest

LIST = "/mqtt/retainer/messages?topic=t/%23&limit=1000"
MESSAGES = 1500


def request(who, path, last=False):
    return (f"GET /api/v5{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: {who}\r\n"
            + ("connection: close\r\n" if last else "") + "\r\n").encode()


def ask(broker, asked, at_once=65536, leave_after=None):
    """All that comes until the broker closes, or until it is enough for one who then resets the connection."""
    with socket.create_connection(("127.0.0.1", broker.api_port), 20) as one:
        one.sendall(asked)
        got = b""
        while part := one.recv(at_once):
            got += part
            if leave_after is not None and len(got) >= leave_after:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                break
        return got


def answers(got):
    out = []
    while got:
        head, got = got.split(b"\r\n\r\n", 1)
        size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
        assert head.startswith(b"HTTP/1.1 200") and len(got) >= size, head
        out.append(json.loads(got[:size]))
        got = got[size:]
    return out


def test_large_answers_are_whole_whoever_reads_them(start_broker):
    broker = start_broker()
    keep = broker.client("keep")
    for number in range(MESSAGES):
        keep.publish(f"t/{number}/" + "x" * 200, b"payload", qos=1, retain=True)
    who = Rest(broker).login().authorization

    first = answers(ask(broker, request(who, LIST, last=True)))
    assert len(first) == 1 and len(first[0]["data"]) == 1000 and first[0]["meta"]["count"] == MESSAGES

    pipelined = request(who, LIST) * 3 + request(who, LIST.replace("1000", "1")) + request(who, LIST, last=True)
    got = answers(ask(broker, pipelined, at_once=3000))
    assert [len(one["data"]) for one in got] == [1000, 1000, 1000, 1, 1000]
    assert got[0] == first[0]

    def leave(enough):
        return len(ask(broker, request(who, LIST) * 2, leave_after=enough)) >= enough

    with concurrent.futures.ThreadPoolExecutor(4) as rude:
        assert all(rude.map(leave, [1, 500, 70_000, 200_000, 400_000] * 4))

    silent = [socket.create_connection(("127.0.0.1", broker.api_port), 20) for _ in range(20)]
    for one in silent:
        one.sendall(request(who, LIST) * 20)
    keep.ping()
    assert len(answers(ask(broker, request(who, LIST, last=True)))[0]["data"]) == 1000
    for one in silent:
        one.close()
    keep.ping()
