"""What the store promises, one statement a test: refusals to start, deadlines over down-time, what is kept and what is not."""
import os
import shutil
import subprocess
import time

import pytest

from tests.system import api, node, raw
from tests.system.node import wait_until

FOREVER = {"session_expiry_interval": 0xFFFFFFFF}


def started_with_error(broker):
    """Starts where it must refuse; returns what it said."""
    broker.start(wait=False)
    code = broker.process.wait(30)
    broker.process = None
    assert code != 0, broker.log()
    return broker.log()


def store_folder(broker):
    return next(p for p in (broker.data / "store").iterdir() if p.is_dir() and p.name.startswith("v"))


def filled(start_broker, **config):
    broker = start_broker(**config)
    with broker.client("keeper", clean_start=False, props=FOREVER) as c:
        c.subscribe(("keep/#", 1))
    with broker.client("writer") as c:
        c.publish("keep/1", "one", qos=1)
        c.publish("keep/2", "two", qos=2, retain=True)
    return broker


def test_second_broker_on_the_same_folder_is_refused_by_name(start_broker, tmp_path):
    broker = start_broker()
    other = node.Node(tmp_path / "node0", shards=1)
    other.log_path = tmp_path / "second.log"
    said = started_with_error(other)
    assert "in use" in said and str(broker.process.pid) in said
    with broker.client("still") as c:
        c.ping()


@pytest.mark.parametrize("suffix", [".sst", ".log", "MANIFEST", "CURRENT"])
def test_corrupt_store_is_refused(start_broker, suffix):
    broker = filled(start_broker)
    broker.restart()  # writes sorted files
    broker.kill()
    found = [p for p in store_folder(broker).iterdir()
             if (p.name.startswith(suffix) if suffix.isupper() else p.suffix == suffix) and p.stat().st_size > 40]
    if suffix == "CURRENT":
        found = [store_folder(broker) / "CURRENT"]
    if not found:
        pytest.skip(f"SKIP corrupt: no {suffix} file of size")
    for path in found:
        data = bytearray(path.read_bytes())
        for at in range(len(data) // 3, len(data) // 3 + min(16, len(data) // 3 + 1)):
            data[at % len(data)] ^= 0x5A
        path.write_bytes(data)
    before = sorted(p.name for p in store_folder(broker).iterdir())
    said = started_with_error(broker)
    assert "cannot start" in said and "store" in said
    assert before and store_folder(broker).exists(), "nothing is reset"


def test_newer_store_is_refused(start_broker):
    broker = filled(start_broker)
    broker.stop()
    folder = store_folder(broker)
    shutil.move(folder, folder.with_name("v999"))
    said = started_with_error(broker)
    assert "newer program" in said and "999" in said


def test_graceful_stop_keeps_everything(start_broker):
    broker = filled(start_broker)
    with broker.client("watching") as c:
        broker.stop()
        c.expect_disconnect(0x8B)
    broker.start()
    with broker.client() as c:
        assert c.connect("keeper", clean_start=False, props=FOREVER).session_present
        assert {c.receive().payload, c.receive().payload} == {b"one", b"two"}
    with broker.client("fresh") as c:
        c.subscribe(("keep/+", 0))
        assert c.expect(raw.PUBLISH, topic="keep/2", payload="two").retain


def test_without_persistence_nothing_is_kept(start_broker):
    broker = filled(start_broker, session_persistence={"enable": False}, retainer={"backend": {"storage_type": "ram"}})
    broker.restart()
    with broker.client() as c:
        assert not c.connect("keeper", clean_start=False, props=FOREVER).session_present
        c.subscribe(("keep/#", 1))
        c.expect_nothing()


def test_session_expiry_counts_down_time(start_broker):
    broker = start_broker()
    for name, seconds in (("short", 1), ("long", 60)):
        with broker.client(name, clean_start=False, props={"session_expiry_interval": seconds}) as c:
            c.subscribe(("t", 1))
            c.disconnect()
    broker.client("round").ping()
    broker.kill()
    time.sleep(1.2)  # the interval passes while nobody is there to watch it
    broker.start()
    with broker.client() as c:
        assert not c.connect("short", clean_start=False, props={"session_expiry_interval": 1}).session_present
    with broker.client() as c:
        assert c.connect("long", clean_start=False, props={"session_expiry_interval": 60}).session_present


@pytest.mark.parametrize("expiry", [0, 30])
def test_will_of_a_connected_client_is_published_after_a_crash(start_broker, expiry):
    broker = start_broker()
    with broker.client("watcher", clean_start=False, props=FOREVER) as c:
        c.subscribe(("w", 1))
        c.disconnect()
    will = raw.Will("w", b"gone", qos=1, props={"will_delay_interval": 3} if expiry else None)
    c = broker.client("dying", clean_start=not expiry, will=will, props={"session_expiry_interval": expiry})
    broker.kill()
    began = time.monotonic()  # the node was last known to be alive at most a second before
    broker.start()
    with broker.client() as watcher:
        assert watcher.connect("watcher", clean_start=False, props=FOREVER).session_present
        watcher.expect(raw.PUBLISH, topic="w", payload="gone", timeout=8)
        if expiry:
            assert time.monotonic() - began > 1.9, "the delay holds after a crash too"
    c.close()


def test_exclusive_claim_outlives_a_crash(start_broker):
    broker = start_broker(mqtt={"exclusive_subscription": True})
    with broker.client("owner", clean_start=False, props=FOREVER) as c:
        c.subscribe(("$exclusive/e", 1))
    broker.kill()
    broker.start()
    with broker.client("thief") as c:
        c.subscribe(("$exclusive/e", 1), codes=[0x97])
    with broker.client() as c:
        assert c.connect("owner", clean_start=False, props=FOREVER).session_present
        with broker.client("writer") as w:
            w.publish("e", "x", qos=1)
        c.expect(raw.PUBLISH, topic="e", payload="x")


def test_relaxed_keeps_what_was_acknowledged_before_the_interval(start_broker):
    broker = filled(start_broker, session_persistence={"durability": "relaxed"})
    time.sleep(1.5)  # flush interval of one second
    broker.kill()
    broker.start()
    with broker.client() as c:
        assert c.connect("keeper", clean_start=False, props=FOREVER).session_present
        assert {c.receive().payload, c.receive().payload} == {b"one", b"two"}


def acknowledged(client, topic, payload):
    """The code of the PUBACK, whatever it is."""
    client.send(raw.publish(topic, payload, qos=1, packet_id=1))
    return client.expect(raw.PUBACK).code


def active_alarms(broker):
    """Their messages by name."""
    return {one["name"]: one["message"] for one in api.call(broker, "GET", "/alarms")[1]["data"]}


@pytest.fixture
def small_disk(tmp_path, skip):
    if os.geteuid() != 0:
        skip.because("full disk", "needs root to mount a small tmpfs")
    where = tmp_path / "small"
    where.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(where)], capture_output=True, text=True)
    if mounted.returncode != 0:
        skip.because("full disk", f"cannot mount a tmpfs: {mounted.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=False)


def fill(disk):
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as f:
        try:
            while f.write(b"\0" * 65536) == 65536:
                pass
        except OSError:
            pass
    return filler


def test_full_disk_refuses_and_recovers(start_broker, small_disk, tmp_path):
    broker = node.Node(tmp_path / "full", shards=1)
    (tmp_path / "full").mkdir()
    broker.data = small_disk / "data"
    broker.start()
    try:
        with broker.client("keeper", clean_start=False, props=FOREVER) as c:
            c.subscribe(("keep/#", 1))
            c.disconnect()
        writer = broker.client("writer")
        writer.publish("keep/1", "before", qos=1, code=0)
        filler = fill(small_disk)
        codes, i = [], 0
        while 0x97 not in codes and i < 400:
            i += 1
            codes.append(acknowledged(writer, "keep/2", "x" * 60000))
        assert 0x97 in codes, f"{set(codes)}"
        writer.ping()
        # What needs no disk is taken in: for nobody, and for a session that ends with its connection.
        assert acknowledged(writer, "nobody/there", "x") == 0x10
        with broker.client("mortal") as mortal:
            mortal.subscribe(("live", 1))
            assert acknowledged(writer, "live", "x") == 0
            mortal.send(raw.puback(mortal.expect(raw.PUBLISH, payload=b"x").packet_id))
            writer.send(raw.publish("live", "y", qos=2, packet_id=2))
            writer.expect(raw.PUBREC, packet_id=2, code=0)
            writer.send(raw.pubrel(2))
            writer.expect(raw.PUBCOMP, packet_id=2)
            mortal.send(raw.puback(mortal.expect(raw.PUBLISH, payload=b"y").packet_id))
            with broker.client("old", version=4) as old:  # has no word for a refusal
                old.publish("live", "z", qos=1)
            mortal.expect(raw.PUBLISH, payload=b"z")
        for topic in ("keep/2", "$delayed/100/later"):
            assert acknowledged(writer, topic, "x") == 0x97
        logged = time.monotonic() + 5  # lines are written by the logger's own thread
        while "store_refuses_writes" not in broker.log() and time.monotonic() < logged:
            time.sleep(0.05)
        assert "store_refuses_writes" in broker.log()
        wait_until(lambda: "store_refuses_writes" in active_alarms(broker))
        # How much room it wants is told as soon as it has looked, once: what is free goes up and down.
        wait_until(lambda: "bytes are free where" in active_alarms(broker).get("store_refuses_writes", ""))
        filler.unlink()
        end = time.monotonic() + 15
        while acknowledged(writer, "keep/3", "after") >= 0x80:
            assert time.monotonic() < end, "it does not recover"
            time.sleep(0.2)
        wait_until(lambda: "store_refuses_writes" not in active_alarms(broker))
        writer.close()
    finally:
        broker.stop()


def on_small_disk(small_disk, tmp_path, shards):
    (tmp_path / "full").mkdir()
    broker = node.Node(tmp_path / "full", shards=shards, mqtt={"max_inflight": 1000})
    broker.data = small_disk / "data"
    return broker.start()


def take_all(broker, name):
    """What a durable session is owed up to "end", each exchange played to its end: the numbers in the order they came."""
    got, end = [], None
    with broker.client() as c:
        assert c.connect(name, clean_start=False, props=FOREVER).session_present
        while True:
            m = c.receive(10)
            if m.kind == raw.PUBREL:
                c.send(raw.pubcomp(m.packet_id))
                if m.packet_id == end:
                    return got
                continue
            c.send(raw.pubrec(m.packet_id))
            if m.payload == b"end":
                end = m.packet_id
            else:
                got.append(int(m.payload[:6]))


@pytest.mark.parametrize("how", ["room", "crash"])
@pytest.mark.parametrize("version", [5, 4])
@pytest.mark.parametrize("shards", [1, 2])
def test_full_disk_doubles_no_message_of_qos2(small_disk, tmp_path, shards, version, how):
    """What was on its way when the disk filled has been taken: its publisher, told to come again, is recognized by the
    packet id. Receivers get it when it is on disk, not before: a crash in between would make it a new one."""
    broker = on_small_disk(small_disk, tmp_path, shards)
    durable = {"clean_start": False, **({"props": FOREVER} if version == 5 else {})}
    try:
        names = [f"r{i}" for i in range(4)]
        for name in names:
            with broker.client(name, clean_start=False, props=FOREVER) as c:
                c.subscribe(("q", 2))
        online = broker.client(names[0], clean_start=False, props=FOREVER)
        kept, number, cut, attempts = [], 0, False, 0
        while not cut:  # at the first attempt, unless the node's own sign of life was the first that the disk refused
            attempts += 1
            assert attempts <= 5, "what was on its way is refused like what is new"
            filler = fill(small_disk)
            p = broker.client("p", version=version, **durable)
            while True:
                number += 1
                body = b"%06d" % number + os.urandom(60000)
                p.send(raw.publish("q", body, qos=2, packet_id=number, version=version))
                try:
                    m = p.receive(10)
                except raw.Closed:  # 3.1.1 has no word for it
                    cut = True
                    break
                if m.kind == raw.DISCONNECT:
                    assert m.code == 0x97
                    cut = True
                    break
                if m.code == 0x97:
                    break
                kept.append(number)
                p.send(raw.pubrel(number, version=version))
                p.expect(raw.PUBCOMP, packet_id=number)
            p.close()
            if not cut:
                filler.unlink()
                wait_until(lambda: "store_refuses_writes" not in active_alarms(broker), 30)
        seen = []
        while online.buffer or len(seen) < len(kept):
            m = online.receive()
            if m.kind == raw.PUBLISH:
                seen.append(int(m.payload[:6]))
        try:
            m = online.receive(1.5)  # the disk is tried again once a second
            seen.append(int(m.payload[:6]))
        except TimeoutError:
            pass
        assert seen == kept, "sent before it is on disk"
        online.close()

        again = raw.publish("q", body, qos=2, packet_id=number, dup=True, version=version)
        if how == "room":
            p = broker.client(version=version)
            assert p.connect("p", **durable).session_present
            p.send(again)
            # Its PUBREC waits for the disk, and holds nothing up.
            p.send(raw.publish("nobody/there", "x", qos=1, packet_id=50001, version=version))
            p.expect(raw.PUBACK, packet_id=50001)
            filler.unlink()
            p.expect(raw.PUBREC, 30, packet_id=number, code=0)
        else:
            broker.kill()
            filler.unlink()
            broker.start()
            p = broker.client(version=version)
            assert p.connect("p", **durable).session_present
            p.send(again)
            p.expect(raw.PUBREC, packet_id=number, code=0)
        p.send(raw.pubrel(number, version=version))
        p.expect(raw.PUBCOMP, packet_id=number, code=0)
        p.publish("q", "end", qos=2, packet_id=50002)
        p.close()
        for name in names:
            got = take_all(broker, name)
            assert got == kept + [number], f"{name}: {got}"
    finally:
        broker.stop()


@pytest.mark.parametrize("version", [5, 4])
def test_full_disk_does_not_silence_who_ends_an_exchange(small_disk, tmp_path, version):
    """PUBREL, PUBCOMP and UNSUBACK wait for the disk, and what needs none passes them."""
    broker = on_small_disk(small_disk, tmp_path, 1)
    durable = {"clean_start": False, **({"props": FOREVER} if version == 5 else {})}

    def nobody(packet_id):
        c.send(raw.publish("nobody/there", "x", qos=1, packet_id=packet_id, version=version))
        c.expect(raw.PUBACK, packet_id=packet_id)

    try:
        with broker.client("full", clean_start=False, props=FOREVER) as other:
            other.subscribe(("fill", 1))
        c = broker.client("c", version=version, **durable)
        c.subscribe(("u", 1), ("two", 2))
        with broker.client("writer") as writer:
            writer.publish("two", "x", qos=2)
        two = c.expect(raw.PUBLISH, topic="two").packet_id
        for packet_id in (5, 6):
            c.send(raw.publish("nobody/there", "x", qos=2, packet_id=packet_id, version=version))
            c.expect(raw.PUBREC, packet_id=packet_id)
        filler = fill(small_disk)
        with broker.client("writer") as writer:
            for _ in range(400):
                if acknowledged(writer, "fill", "x" * 60000) == 0x97:
                    break
            assert acknowledged(writer, "fill", "x") == 0x97
        c.send(raw.pubrec(two, version=version), raw.pubrel(5, version=version))
        nobody(10)
        c.send(raw.unsubscribe(11, ["u", "other"], version=version))
        if version == 5:
            c.expect(raw.UNSUBACK, packet_id=11, codes=[0x83, 0x11])
        nobody(12)
        c.send(raw.pubrel(6, version=version), raw.pubrel(7, version=version))
        nobody(13)
        c.ping()
        filler.unlink()
        c.expect(raw.PUBREL, 30, packet_id=two)
        c.send(raw.pubcomp(two, version=version))
        c.expect(raw.PUBCOMP, packet_id=5)
        if version == 4:
            c.expect(raw.UNSUBACK, packet_id=11)
        c.expect(raw.PUBCOMP, packet_id=6)
        c.expect(raw.PUBCOMP, packet_id=7)
        if version == 5:
            c.send(raw.unsubscribe(14, ["u", "other"]))
            c.expect(raw.UNSUBACK, packet_id=14, codes=[0, 0x11])
        c.ping()
        c.close()
    finally:
        broker.stop()


def test_full_store_starts_fast_and_tells_its_progress(start_broker, capsys):
    broker = start_broker(mqtt={"max_mqueue_len": node.Raw("infinity"), "max_mqueue_bytes": node.Raw("infinity")})
    for i in range(10):
        with broker.client(f"full{i}", clean_start=False, props=FOREVER) as c:
            c.subscribe(("fill", 1))
            c.disconnect()
    with broker.client("writer") as c:
        for start in range(0, 60000, 1000):
            c.send(b"".join(raw.publish("fill", b"p" * 64, qos=1, packet_id=i + 1) for i in range(1000)))
            for _ in range(1000):
                c.expect(raw.PUBACK)
    broker.stop()
    begin = time.monotonic()
    broker.start()
    took = time.monotonic() - begin
    assert "reading queues" in broker.log()
    with capsys.disabled():
        print(f"\n660,000 records: ready after {took:.2f} s, {660000 / took:,.0f} records/s with everything; "
              + "".join(line for line in broker.log().splitlines() if "state_restored" in line))


def test_delayed_messages_are_released_once_whenever_the_broker_dies(start_broker):
    """The queues of the receivers, on whatever shard, and the end of the delayed message change together."""
    count, receivers = 4000, 4
    broker = start_broker(shards=2, mqtt={"max_mqueue_len": 1000000, "max_mqueue_bytes": "1GB"})
    for n in range(receivers):
        with broker.client(f"r{n}", clean_start=False, props=FOREVER) as c:
            c.subscribe((f"d/{n}", 2))
    due = int(time.time()) + 4
    with broker.client("p0") as a, broker.client("p1") as b:
        for first in range(0, count, 100):
            for p, begin in ((a, first), (b, first + 50)):
                p.send(b"".join(raw.publish(f"$delayed/{due}/d/{n % receivers}", str(n), qos=2, packet_id=n + 1)
                                for n in range(begin, begin + 50)))
                acks = [p.expect(raw.PUBREC, code=0x10) for _ in range(50)]
                p.send(b"".join(raw.pubrel(ack.packet_id) for ack in acks))
                for _ in acks:
                    p.expect(raw.PUBCOMP)
    assert time.time() < due, "stored before they are due"
    with broker.client("watcher") as c:
        c.subscribe("d/#")
        c.receive(10)
        broker.kill()  # some are released, most are not
    broker.start()
    got = []
    for n in range(receivers):
        with broker.client() as c:
            assert c.connect(f"r{n}", clean_start=False, props=FOREVER).session_present
            while len(got) < (n + 1) * count // receivers:
                m = c.receive(10)
                if m.kind == raw.PUBLISH:
                    got.append(int(m.payload))
                    c.send(raw.pubrec(m.packet_id))
                else:
                    c.send(raw.pubcomp(m.packet_id))
    assert sorted(got) == list(range(count))
