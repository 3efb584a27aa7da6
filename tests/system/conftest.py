"""Fixtures of the system tests. `broker` is a running node with defaults; `start_broker(**config)` makes others.

A test that needs no node of its own takes `shared(**config)`: a broker of that configuration which the module keeps, once
with one shard, once with two, and in the modules of statements once more in strict mode (`strict` tells). Such a test
names what it makes after `uid`, so that no other test sees it.
"""
import itertools
import json
import shutil

import pytest

from . import node, secrecy


class Skip:
    """Skip.need("mosquitto_pub"): the path of a peer, or a skip that says why."""

    @staticmethod
    def because(peer, reason):
        print(f"SKIP {peer}: {reason}")
        pytest.skip(f"SKIP {peer}: {reason}")

    @staticmethod
    def need(peer):
        path = shutil.which(peer)
        if path is None:
            Skip.because(peer, "not installed")
        return path


@pytest.fixture
def skip():
    return Skip


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_any_log():
    """Also in the logs of nodes that were killed, and for secrets that were made after a node had stopped."""
    yield
    secrecy.check_all()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what its brokers wrote."""
    report = (yield).get_result()
    if report.failed:
        for number, started in enumerate(getattr(item, "brokers", [])):
            report.sections.append((f"output of broker {number} ({node.program()})", started.log()[-20000:]))


def pytest_configure(config):
    config.addinivalue_line("markers", "statement(*names): the numbered statements or sections that the test shows")


def stopped(brokers):
    """Stops all of them; what was wrong with their end."""
    errors = []
    for started in brokers:
        try:
            started.stop()
        except AssertionError as error:
            errors.append(str(error))
    return "\n".join(errors)


# Tests that choose the mode themselves, or do not depend on it.
IN_ONE_MODE = ("test_statements_packets", "test_statements_server")


def pytest_generate_tests(metafunc):
    """One shard, two shards; the statements hold in strict mode as well (broker.md 1.2)."""
    if "setup" not in metafunc.fixturenames:
        return
    setups = {"1shard": (1, False), "2shards": (2, False)}
    name = metafunc.module.__name__.rpartition(".")[2]
    if name.startswith("test_statements_") and name not in IN_ONE_MODE:
        setups["strict"] = (1, True)
    metafunc.parametrize("setup", setups.values(), ids=list(setups), scope="module", indirect=True)


@pytest.fixture(scope="module")
def setup(request):
    return request.param


@pytest.fixture(scope="module")
def shards(setup):
    return setup[0]


@pytest.fixture(scope="module")
def strict(setup):
    """mqtt.strict_mode of the brokers of this module."""
    return setup[1]


@pytest.fixture(scope="module")
def pool(shards, tmp_path_factory):
    kept = {}
    yield kept
    errors = stopped(kept.values())
    assert not errors, errors


@pytest.fixture
def shared(request, pool, shards, strict, tmp_path_factory):
    """shared(**config) -> node.Node of the module; it must outlive the test."""
    request.node.brokers = used = []

    def get(**config):
        if strict:
            config["mqtt"] = {"strict_mode": True, **config.get("mqtt", {})}
        key = json.dumps(config, sort_keys=True)
        if key not in pool:
            pool[key] = node.Node(tmp_path_factory.mktemp("node"), shards=shards, **config).start()
        used.append(pool[key])
        return pool[key]

    yield get
    for key, one in list(pool.items()):
        if one.process.poll() is not None:
            del pool[key]
            raise AssertionError(f"the broker ended with {one.process.returncode}\n{one.log()[-20000:]}")


_numbers = itertools.count()


@pytest.fixture
def uid():
    """A word that no other test has."""
    return f"u{next(_numbers)}"


@pytest.fixture
def start_broker(request, tmp_path):
    """start_broker(text="", env={}, shards=1, **config) -> node.Node, started; stopped and checked after the test."""
    request.node.brokers = brokers = []

    def start(**config):
        folder = tmp_path / f"node{len(brokers)}"
        folder.mkdir()
        started = node.Node(folder, **config)
        brokers.append(started)
        return started.start()

    yield start
    errors = stopped(brokers)
    assert not errors, errors


@pytest.fixture
def broker(start_broker):
    return start_broker()
