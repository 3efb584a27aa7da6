"""Fixtures of the system tests. `broker` is a running node with defaults; `start_broker(**config)` makes others."""
import shutil

import pytest

from . import node


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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what its brokers wrote."""
    report = (yield).get_result()
    if report.failed:
        for number, started in enumerate(getattr(item, "brokers", [])):
            report.sections.append((f"output of broker {number} ({node.program()})", started.log()[-20000:]))


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
    errors = []
    for started in brokers:
        try:
            started.stop()
        except AssertionError as error:
            errors.append(str(error))
    assert not errors, "\n".join(errors)


@pytest.fixture
def broker(start_broker):
    return start_broker()
