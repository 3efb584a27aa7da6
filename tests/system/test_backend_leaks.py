"""Back ends that answer rubbish or end every connection, asked again and again: nothing of it stays (issue of access control:
no stuck client, no leak). PostgreSQL, MySQL and Redis have theirs beside their own tests."""
import pytest

from . import node, raw, servers, stored
from .test_authn_database import NOT_AUTHORIZED, code_of
from .test_secrecy import back_ends


def memory_kib(broker):
    text = open(f"/proc/{broker.process.pid}/status").read()
    return int(text.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize("backend", ["ldap", "mongodb", "http"])
def test_nothing_stays(start_broker, backend):
    with servers.Scripted(answer=b"rubbish\r\n\r\n") as rubbish:
        chain, sources = back_ends(rubbish.port)
        broker = start_broker(authentication=[one for one in chain if one.get("backend") == backend],
                              authorization={"no_match": "allow", "sources": [one for one in sources if one["type"] == backend]})

        def crowd(count):
            for number in range(count):
                assert code_of(broker, "joe", "L3aks-of-rubbish", f"c{number}") == NOT_AUTHORIZED
            gone = [raw.Client(broker.port) for _ in range(20)]  # leave while they are asked about
            for number, client in enumerate(gone):
                client.send(raw.connect(f"gone{number}", username="joe", password="L3aks-of-rubbish"))
                client.close()

        crowd(120)  # the pools have grown to their size
        before = stored.descriptors(broker), stored.threads(broker), memory_kib(broker)
        for _ in range(2):
            crowd(120)
        # Two pools of eight may have grown since, and the last that left are still asked about; a leak is hundreds.
        node.wait_until(lambda: stored.descriptors(broker) <= before[0] + 16)
        assert stored.threads(broker) <= before[1] + 2
        assert memory_kib(broker) < before[2] + 8 * 1024
