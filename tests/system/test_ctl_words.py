"""Commands of `signalbox ctl` by what they print (EMQX's words where it has them)."""
import json
import subprocess

import pytest

from . import node


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    running = node.Node(tmp_path_factory.mktemp("ctl")).start()
    yield running
    running.stop()


def failing(broker, *arguments):
    """What a command that must fail prints."""
    done = subprocess.run([node.program(), "ctl", "--data-dir", str(broker.data), *arguments], text=True, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 1, done.stdout
    return done.stdout


def test_a_trace_goes_into_the_file_that_is_named(broker, tmp_path):
    file = tmp_path / "mine.log"
    assert broker.ctl("trace", "start", "client", "watched", str(file), "debug") == "trace watched CLI-watched successfully\n"
    assert f"Trace(clientid=watched, level=debug, destination={file})" in broker.ctl("trace", "list")
    broker.client("watched").disconnect()
    assert broker.ctl("trace", "stop", "client", "watched") == "stop tracing clientid watched successfully\n"
    assert broker.ctl("traces", "delete", "CLI-watched") == "Del cluster_trace CLI-watched successfully\n"
    assert "[MQTT] watched@" in file.read_text(), "the user's own file stays"
    assert "expected debug" in failing(broker, "trace", "start", "topic", "t", str(file), "error")


def test_traces_of_alike_values_are_told_apart(broker, tmp_path):
    """`t/#` and `t/+`, two names in other scripts, a client and a topic of one name: each starts and stops by itself."""
    alike = [("topic", "t/#"), ("topic", "t/+"), ("client", "\u00fc"), ("client", "\u00e9"), ("client", "x"), ("topic", "x")]
    for number, (kind, value) in enumerate(alike):
        broker.ctl("trace", "start", kind, value, str(tmp_path / f"{number}.log"))
    broker.ctl("trace", "stop", *alike[1])
    running = broker.ctl("trace", "list")
    assert "topic=t/#" in running and "topic=t/+" not in running
    for kind, value in alike:
        if (kind, value) != alike[1]:
            broker.ctl("trace", "stop", kind, value)
    assert broker.ctl("trace", "list") == "Trace is empty\n"
    for line in broker.ctl("traces", "list").splitlines():
        if "CLI-" in line:
            broker.ctl("traces", "delete", line.partition("(")[2].partition(":")[0])


def test_a_trace_that_was_stopped_can_be_started_again(broker, tmp_path):
    for number in (1, 2):
        file = tmp_path / f"{number}.log"
        assert broker.ctl("trace", "start", "client", "again", str(file)) == "trace again CLI-again successfully\n"
        broker.client("again").disconnect()
        assert "ALREADY_EXISTS" in failing(broker, "trace", "start", "client", "again", str(file)), "it runs"
        broker.ctl("trace", "stop", "client", "again")
        assert "[MQTT] again@" in file.read_text()
    broker.ctl("traces", "delete", "CLI-again")
    assert (tmp_path / "1.log").exists() and (tmp_path / "2.log").exists()


def test_a_folder_is_no_configuration(broker, tmp_path):
    for mode in ("--merge", "--replace"):
        assert "cannot be read" in failing(broker, "conf", "load", mode, str(tmp_path))


def test_cluster_status_as_json_is_pretty(broker):
    text = broker.ctl("cluster", "status", "--json")
    assert json.loads(text) == {"running_nodes": ["signalbox@127.0.0.1"], "stopped_nodes": []}
    assert len(text.splitlines()) > 1


def test_an_existing_ban_is_told_in_a_sentence(broker):
    assert broker.ctl("banned", "add", "clientid", "rogue", "--until", "infinity") == "ok\n"
    assert failing(broker, "banned", "add", "clientid", "rogue") == \
        "Error: clientid 'rogue' is banned already, until infinity\n"
    broker.ctl("banned", "del", "clientid", "rogue")


def test_words_of_another_platform_have_an_answer(broker):
    assert "Nothing to reindex" in broker.ctl("retainer", "reindex", "start")
    assert "Nothing to reindex" in broker.ctl("retainer", "reindex", "start", "true")
    assert json.loads(broker.ctl("plugins", "list")) == []
    refused = json.loads(failing(broker, "plugins", "start", "demo-1.0"))
    assert (refused["action"], refused["name_vsn"], refused["result"]) == ("start", "demo-1.0", "not_ok")
    assert "memory/total" in broker.ctl("observer", "status")
    assert "no Erlang machine" in failing(broker, "observer", "bin_leak")


def test_mnesia_shows_the_embedded_store(broker):
    broker.client("pub").publish("kept/by/the/store", b"x", qos=1, retain=True)
    assert "records/retained" in broker.ctl("mnesia")
    state = json.loads(broker.ctl("mnesia", "--json"))
    assert state["running"] and state["folder"].startswith(str(broker.data))


def test_root_dir_is_where_the_program_is_installed():
    done = subprocess.run([node.program(), "root_dir"], stdout=subprocess.PIPE, text=True, check=True, timeout=30)
    assert node.program().startswith(done.stdout.strip() + "/")
