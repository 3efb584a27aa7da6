"""Back ends that are not well, each kind the same (access-control 2.2, 6.3): killed, hung, slow, answering garbage, with
credentials, queries and templates that are wrong; of authentication and of authorization. The result is stated: never a
yes, the next is asked. An alarm and a metric tell of it, no client is stuck, nothing leaks, and all is well again
when the back end is.
"""
import time

import pytest

from . import api, backends, raw, servers, stored
from .conftest import Skip
from .test_authn_database import NOT_AUTHORIZED, OK, code_of

SECRET = stored.SECRET
DEBUG = {"console": {"enable": True, "level": "debug"}}
REFUSED, NO_SUBSCRIBERS = 0x87, 0x10
POOL = 2  # connections, so that a few questions use them up
QUESTION_SECONDS = 5  # the longest limit of a question among them


# What a kind has to show for a test, where not all have.
NEEDS = {"test_wrong_credentials": "wrong_login", "test_wrong_query": "wrong_query"}


def pytest_generate_tests(metafunc):
    if "back_end" in metafunc.fixturenames:
        need = NEEDS.get(metafunc.function.__name__)
        kinds = [kind for kind in backends.ALL if not need or getattr(kind, need)]
        metafunc.parametrize("back_end", kinds, ids=[kind.name for kind in kinds], indirect=True, scope="module")


@pytest.fixture(scope="module")
def back_end(request, tmp_path_factory):
    with backends.running(request.param, tmp_path_factory.mktemp(request.param.name) / "server", Skip) as one:
        yield one


class Judged:
    """A broker that asks the back end for both; behind the source stands a file that allows "fallback"."""

    def __init__(self, start_broker, back_end, port=None, authn=None, source=None):
        self.id, self.name = back_end.id, back_end.name
        more = {"pool_size": POOL}
        sources = [back_end.source(port, **more, **(source or {})), {"type": "file", "rules": '{allow, all, publish, ["fallback"]}.'}]
        self.broker = start_broker(authentication=[back_end.authn(port, **more, **(authn or {}))], log=DEBUG,
                                   authorization={"no_match": "deny", "sources": sources, "cache": {"enable": False}})
        self.status_paths = {f"authenticator:{self.id}:mqtt:global": f"/authentication/{self.id}/status",
                             f"authorization:{self.name}": f"/authorization/sources/{self.name}/status"}

    def statuses(self):
        return [api.want(self.broker, 200, "GET", path) for path in self.status_paths.values()]

    def want(self, status, seconds=20):
        """Both say so, and have their alarm exactly if they are disconnected."""
        deadline = time.monotonic() + seconds
        while any(one["status"] != status for one in self.statuses()) or self.alarms() != (status == "disconnected"):
            assert time.monotonic() < deadline, (self.statuses(), api.want(self.broker, 200, "GET", "/alarms"))
            time.sleep(0.05)
        if status == "disconnected":
            assert all(one["node_error"][0]["reason"] for one in self.statuses())

    def alarms(self):
        """True: both; False: none; None: one of them."""
        active = {one["name"]: one for one in api.want(self.broker, 200, "GET", "/alarms?activated=true")["data"]}
        mine = [active[name] for name in self.status_paths if name in active]
        assert all(one["message"].startswith("resource down: ") for one in mine)
        return {0: False, 2: True}.get(len(mine))

    def counted(self, group, name):
        return [one[group][name] for one in self.statuses()]

    def wait_log(self, text):
        deadline = time.monotonic() + 5  # lines are written behind what they tell of
        while text not in self.broker.log():
            assert time.monotonic() < deadline, text
            time.sleep(0.02)

    def works(self, client=None):
        assert code_of(self.broker, "joe", SECRET) == OK
        if client:
            client.publish("up/1", qos=1, code=NO_SUBSCRIBERS)

    def no_secrets(self):
        stored.no_secrets(self.broker, SECRET, backends.PASSWORD, backends.DIGEST, "search-pw-ldap", "wrong-pw")


def crowd_is_refused(judged, client, seconds):
    """Six connect and one publishes, all at once: each has its answer in time."""
    began = time.monotonic()
    crowd = [raw.Client(judged.broker.port) for _ in range(6)]
    for number, one in enumerate(crowd):
        one.send(raw.connect(f"c{number}", username="joe", password=SECRET))
    client.send(raw.publish("up/1", b"", qos=1, packet_id=11), raw.publish("fallback", b"", qos=1, packet_id=12))
    for one in crowd:
        one.expect(raw.CONNACK, timeout=seconds + 5, code=NOT_AUTHORIZED)
        one.close()
    assert client.expect(raw.PUBACK, timeout=seconds + 5).code == REFUSED, "what it would have allowed"
    assert client.expect(raw.PUBACK, timeout=seconds + 5).code == NO_SUBSCRIBERS, "the next source is asked"
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize("fault", ["killed", "hung", "garbage", "cut"])
def test_while_it_runs(start_broker, back_end, fault):
    with servers.Proxy(back_end.port) as proxy:
        judged = Judged(start_broker, back_end, proxy.port)
        judged.want("connected")
        with judged.broker.client("steady", username="joe", password=SECRET) as client:
            judged.works(client)
            level = stored.threads(judged.broker), stored.descriptors(judged.broker)
            for _ in range(2 if fault == "killed" else 1):
                failed = judged.counted("resource_metrics", "failed")
                undecided = judged.counted("metrics", "nomatch")
                proxy.be(fault)
                crowd_is_refused(judged, client, 2 * QUESTION_SECONDS + 2)
                judged.want("disconnected")
                assert all(now > before for now, before in zip(judged.counted("resource_metrics", "failed"), failed))
                assert judged.counted("metrics", "nomatch")[0] >= undecided[0] + 6
                began = time.monotonic()
                assert code_of(judged.broker, "joe", SECRET) == NOT_AUTHORIZED
                client.publish("up/1", qos=1, code=REFUSED)
                assert time.monotonic() - began < 1, "at once, while it is down"
                proxy.be("well")
                judged.want("connected", 60)
                judged.works(client)
                now = stored.threads(judged.broker), stored.descriptors(judged.broker)
                assert now[0] <= level[0] + 2 * POOL and now[1] <= level[1] + 2 * POOL, "nothing is left over"
        judged.no_secrets()


def test_slow_is_not_down(start_broker, back_end):
    with servers.Proxy(back_end.port) as proxy:
        judged = Judged(start_broker, back_end, proxy.port)
        judged.want("connected")
        with judged.broker.client("steady", username="joe", password=SECRET) as client, judged.broker.client(
                "other", username="joe", password=SECRET) as other:
            judged.works(client)
            proxy.be("slow", 0.4)
            client.send(raw.publish("up/1", b"", qos=1, packet_id=5))
            began = time.monotonic()
            other.ping()
            assert time.monotonic() - began < 0.3, "nobody else waits"
            assert client.expect(raw.PUBACK, timeout=10).code == NO_SUBSCRIBERS
            judged.works()
            judged.want("connected")
            proxy.be("slow", QUESTION_SECONDS + 3)
            crowd_is_refused(judged, client, 2 * QUESTION_SECONDS + 2)
            assert all(count > 0 for count in judged.counted("resource_metrics", "dropped.expired"))
            proxy.be("well")
            judged.want("connected", 60)
            judged.works(client)


def test_it_is_not_there_at_the_start(start_broker, back_end):
    with servers.Proxy(back_end.port).be("killed") as proxy:
        judged = Judged(start_broker, back_end, proxy.port)
        judged.want("disconnected")
        assert code_of(judged.broker, "joe", SECRET) == NOT_AUTHORIZED
        proxy.be("well")
        judged.want("connected", 60)
        judged.works()


def test_something_else_listens_there(start_broker, back_end):
    for words in back_end.greetings:
        with servers.Scripted(greeting=words, answer=words) as other:
            judged = Judged(start_broker, back_end, other.port)
            assert code_of(judged.broker, "joe", SECRET) == NOT_AUTHORIZED
            assert stored.want_status(judged.broker, judged.id, "disconnected", 30)["node_error"][0]["reason"]
            stored.want_alarm(judged.broker, judged.id)
            assert code_of(judged.broker, "joe", SECRET) == NOT_AUTHORIZED
            judged.no_secrets()
            judged.broker.stop()


def test_wrong_credentials(start_broker, back_end):
    for wrong in back_end.wrong_login:
        judged = Judged(start_broker, back_end, authn=wrong, source=wrong)
        judged.want("disconnected")
        assert code_of(judged.broker, "joe", SECRET) == NOT_AUTHORIZED
        assert judged.counted("metrics", "nomatch")[0] == 1 and judged.counted("resource_metrics", "failed")[0] == 1
        judged.no_secrets()
        judged.broker.stop()


def test_wrong_query(start_broker, back_end):
    """The back end is well; what it is asked is not."""
    judged = Judged(start_broker, back_end, authn=back_end.wrong_query[0])
    judged.want("connected")
    assert code_of(judged.broker, "joe", SECRET) == NOT_AUTHORIZED
    judged.wait_log("authn_query_failed")
    assert judged.counted("metrics", "nomatch")[0] == 1 and judged.counted("resource_metrics", "failed")[0] == 1
    judged.want("connected")
    judged.no_secrets()
    judged.broker.stop()
    judged = Judged(start_broker, back_end, source=back_end.wrong_query[1])
    judged.want("connected")
    with judged.broker.client("c", username="joe", password=SECRET) as client:
        client.publish("up/1", qos=1, code=REFUSED)
        client.publish("fallback", qos=1, packet_id=2, code=NO_SUBSCRIBERS)
    judged.wait_log("authz_query_failed")
    assert judged.counted("metrics", "nomatch")[1] == 2 and judged.counted("resource_metrics", "failed")[1] == 2
    judged.want("connected")
    judged.no_secrets()


def test_wrong_template(start_broker, back_end):
    broker = start_broker(authorization={"no_match": "deny", "sources": []})
    authn, source, word = back_end.wrong_template
    assert word in api.want(broker, 400, "POST", "/authentication", back_end.authn(**authn))["message"]
    assert word in api.want(broker, 400, "POST", "/authorization/sources", back_end.source(**source))["message"]
    assert api.want(broker, 200, "GET", "/authentication") == []
    assert api.want(broker, 200, "GET", "/authorization/sources") == {"sources": []}
