"""What a node does when its file descriptors run out."""
import http.client
import os
import pathlib
import resource
import socket

from . import api
from .node import wait_until


def set_limit(broker, count):
    pid = broker.process.pid
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]))


def open_files(broker):
    """Those that stay open: a file that is read for a moment does not count."""
    return min(count_files(broker) for _ in range(20))


def count_files(broker):
    return len(os.listdir(f"/proc/{broker.process.pid}/fd"))


class Crowd:
    """Connections that say nothing."""

    def __init__(self, broker, count):
        self.open = [socket.create_connection(("127.0.0.1", broker.port), timeout=5) for _ in range(count)]
        self.count = count
        for one in self.open:
            one.setblocking(False)

    def refused(self):
        """How many of them the broker has closed so far."""
        for one in list(self.open):
            try:
                over = one.recv(1) == b""
            except BlockingIOError:
                over = False
            except ConnectionError:
                over = True
            if over:
                one.close()
                self.open.remove(one)
        return self.count - len(self.open)

    def close(self):
        for one in self.open:
            one.close()


def lines_of(broker):
    """That descriptors are short. Which of the two comes first is a matter of what else the node has open just then."""
    return [line for line in broker.log().splitlines()
            if "accept_failed" in line or "connections_refused_for_descriptors" in line]


def test_the_last_descriptors_are_not_for_clients(start_broker):
    broker = start_broker()
    keep = broker.client("keep")
    held = open_files(broker)
    set_limit(broker, held + 40)
    crowd = Crowd(broker, 100)
    wait_until(lambda: crowd.refused() >= 60)
    keep.ping()
    assert "is started" in broker.ctl("status")
    assert api.want(broker, 200, "GET", "/metrics")[0]["overload_protection.new_conn"] >= 60
    assert "{emfile," in broker.ctl("listeners")
    assert crowd.open, "the first of them are served"
    crowd.close()
    wait_until(lambda: open_files(broker) <= held + 2)
    broker.client("after").ping()
    wait_until(lambda: lines_of(broker))
    lines = lines_of(broker)
    assert len(lines) == 1 and str(held + 40) in lines[0], lines


def test_without_any_descriptor_it_says_no_and_comes_back(start_broker, skip):
    broker = start_broker()
    if "libasan" in pathlib.Path(f"/proc/{broker.process.pid}/maps").read_text():
        skip.because("sanitizer", "it opens a pipe itself to look at the type of an object")
    keep = broker.client("keep")
    held = open_files(broker)
    set_limit(broker, held)
    crowd = Crowd(broker, 20)
    wait_until(lambda: crowd.refused() == 20)
    keep.ping()
    # Who comes over the socket of the command line waits there, and is served when there is room again.
    with socket.socket(socket.AF_UNIX) as local:
        local.settimeout(20)
        local.connect(str(broker.data / "ctl.sock"))
        crowd = Crowd(broker, 20)
        wait_until(lambda: crowd.refused() == 20)
        set_limit(broker, held + 200)
        local.sendall(b"GET /api/v5/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = http.client.HTTPResponse(local)
        answer.begin()
        assert answer.status < 500
    broker.client("after").ping()
    wait_until(lambda: lines_of(broker))
    assert len(lines_of(broker)) == 1
