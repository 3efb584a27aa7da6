"""`signalbox ctl`: every command of the reference whose area exists, and --json for each that reads."""
import json
import signal
import subprocess
import time

import pytest

from . import node

# broker.md 15.2, as `ctl help` prints them.
COMMANDS = [
    "status", "broker", "broker stats", "broker metrics", "cluster status", "clients list", "clients show", "clients kick",
    "topics list", "topics show", "subscriptions list", "subscriptions show", "subscriptions add", "subscriptions del",
    "vm all", "vm load", "vm memory", "vm process", "vm io", "vm ports", "log set-level", "log primary-level",
    "log handlers list", "log handlers start", "log handlers stop", "log handlers set-level", "trace list",
    "trace start client", "trace start topic", "trace start ip_address", "trace stop  client", "traces list", "traces start",
    "traces stop", "traces delete", "listeners", "listeners start", "listeners stop", "listeners restart",
    "authz cache-clean all", "authz cache-clean node", "authz cache-clean <ClientId>", "pem_cache clean all",
    "pem_cache clean node", "olp status", "olp enable", "olp disable", "data export", "data import", "conf show",
    "conf show_keys", "conf load --merge", "conf load --replace", "conf reload --merge", "conf reload --replace",
    "conf cluster_sync status", "conf cluster_sync skip", "conf cluster_sync tnxid", "conf cluster_sync fast_forward",
    "retainer info", "retainer topics", "retainer clean", "retainer reindex status", "admins add", "admins passwd",
    "admins del", "license info", "license update", "eviction status", "rebalance start --evacuation", "rebalance start",
    "rebalance stop", "rebalance status", "rebalance node-status"]

READING = [
    "status", "broker", "broker stats", "broker metrics", "cluster status", "clients list", "clients show there",
    "clients show nobody", "topics list", "topics show t", "topics show none", "subscriptions list",
    "subscriptions show there", "subscriptions show nobody", "vm", "vm load", "log primary-level", "log handlers list",
    "trace list", "traces list", "listeners", "authz cache-clean all", "pem_cache clean all", "olp status", "data list",
    "conf show", "conf show mqtt", "conf show_keys", "conf cluster_sync status", "retainer info", "retainer topics",
    "retainer reindex status", "admins list", "api_keys list", "banned list", "delayed list", "license info",
    "eviction status", "rebalance status", "rebalance node-status", "topic-metrics list"]


def test_the_commands_of_the_reference_are_there(broker):
    lines = [line.split(" # ")[0].strip() for line in broker.ctl("help").splitlines() if " # " in line]
    missing = [command for command in COMMANDS if not any((line + " ").startswith(command + " ") for line in lines)]
    assert not missing


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory):
    from . import node
    broker = node.Node(tmp_path_factory.mktemp("ctl")).start()
    client = broker.client("there")
    client.subscribe("t")
    yield broker
    client.close()
    broker.stop()


@pytest.mark.parametrize("command", READING)
def test_what_reads_prints_json_when_asked(module_broker, command):
    found = command.split()[-1] not in ("nobody", "none")
    text = module_broker.ctl(*command.split(), "--json", check=found)
    value = json.loads(text)
    assert isinstance(value, (dict, list, str, int)), text
    assert text.count("\n") == 1 or command == "cluster status"
    assert module_broker.ctl(*command.split(), check=found) not in ("", text)


def test_what_failed_returns_1(module_broker):
    with pytest.raises(AssertionError, match="Not Found"):
        module_broker.ctl("clients", "show", "nobody")
    with pytest.raises(AssertionError, match="Node not found"):
        module_broker.ctl("rebalance", "node-status", "other@127.0.0.1")
    module_broker.ctl("rebalance", "node-status", "signalbox@127.0.0.1")
    for words in (["join", "other@127.0.0.1"], ["leave"], ["force-leave", "other@127.0.0.1"]):
        with pytest.raises(AssertionError, match="single node"):
            module_broker.ctl("cluster", *words)


def test_a_node_is_found_and_stopped_whatever_is_wrong_in_its_file(start_broker):
    broker = start_broker()
    config = broker.folder / "signalbox.conf"
    config.write_text(config.read_text() + "\nmqtt.max_infligt = 3\n")
    run = lambda *words: subprocess.run([node.program(), *words, "--config", str(config)], text=True, timeout=30,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert "max_infligt" in run("check_config").stdout
    assert run("ping").stdout == "pong\n" and int(run("pid").stdout) == broker.process.pid
    assert "is started" in broker.ctl("status")
    assert run("stop").stdout == "ok\n"
    broker.process.wait(10)


@pytest.mark.parametrize("words, said", [
    (["check_config", "some.conf"], "unknown argument 'some.conf'"), (["check_config", "--confg", "some.conf"], "unknown argument '--confg'"),
    (["check_config", "--config"], "--config: a value is expected"), (["stop", "some.conf"], "unknown argument 'some.conf'"),
    (["pid", "some.conf"], "unknown argument 'some.conf'"), (["ping", "--data-dir"], "--data-dir: a value is expected"),
    (["start", "some.conf"], "unknown argument 'some.conf'")], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_a_word_too_much_is_refused(words, said, tmp_path):
    (tmp_path / "some.conf").write_text("mqtt.max_inflight = 0\n")
    done = subprocess.run([node.program(), *words], cwd=tmp_path, text=True, timeout=30, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 1 and said in done.stdout, done.stdout


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_signals_that_stop_a_node_in_order(start_broker, number):
    before = signal.signal(number, signal.SIG_DFL)  # a suite that runs under nohup would pass on that SIGHUP is ignored
    broker = start_broker()
    signal.signal(number, before)
    with broker.client("c") as client:
        broker.process.send_signal(number)
        client.expect_disconnect(0x8B)
    assert broker.process.wait(10) == 0


def test_a_hang_up_that_is_ignored_stays_so(start_broker):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup; a child takes it over
    try:
        broker = start_broker()
    finally:
        signal.signal(signal.SIGHUP, before)
    broker.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    with broker.client("c"):
        pass


def test_secrets_of_the_configuration_stay_hidden_in_json(module_broker):
    assert json.loads(module_broker.ctl("conf", "show", "dashboard", "--json"))["dashboard"]["default_password"] == "******"


def test_a_change_of_the_cluster_that_waits_for_nobody(module_broker):
    said = module_broker.ctl("conf", "cluster_sync", "status").splitlines()
    assert said[0] == said[2] == "-" * 47 and said[1].startswith("signalbox@127.0.0.1:[0]")
    for words in (["skip"], ["tnxid", "1"], ["fast_forward", "signalbox@127.0.0.1", "1"]):
        assert module_broker.ctl("conf", "cluster_sync", *words, check=False).startswith("no change")
    assert "conf cluster_sync" in module_broker.ctl("conf", "cluster_sync", "nonsense", check=False)
