"""kill -9 at random moments under load. SB_CRASH_ROUNDS (20) rounds in all, SB_CRASH_SEED repeats a run."""
import os
import pathlib
import random
import subprocess

import pytest

from tests.system import node

ROUNDS = int(os.environ.get("SB_CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("SB_CRASH_SEED", random.SystemRandom().randrange(1, 1 << 31)))
# shards of the rounds in turn, durability, share of the rounds
VARIANTS = [("1", "process", 0.25), ("1", "power", 0.15), ("2", "process", 0.25), ("1,2", "process", 0.2),
            ("1,2", "power", 0.15)]


def crash_client(skip):
    """The load program: next to the broker, else from the usual builds; built if a build folder is there."""
    beside = pathlib.Path(node.program()).resolve().parent
    for folder in (beside, node.ROOT / "build/release/bin", node.ROOT / "build/dev/bin"):
        build = folder.parent
        if (build / "build.ninja").exists():
            subprocess.run(["ninja", "-C", str(build), "crash_client"], check=True, stdout=subprocess.DEVNULL)
        if (folder / "crash_client").exists():
            return str(folder / "crash_client")
    raise FileNotFoundError("crash_client is not built: ninja -C build/release crash_client")


@pytest.mark.parametrize("shards,durability,share", VARIANTS, ids=[f"{s}-{d}" for s, d, _ in VARIANTS])
def test_promises_outlive_kills(tmp_path, skip, shards, durability, share):
    rounds = max(1, round(ROUNDS * share))
    command = [crash_client(skip), node.program(), str(tmp_path), str(rounds), str(SEED), shards, durability]
    print(" ".join(command))
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60 + 20 * rounds)
    print(done.stdout[-20000:])
    log = (tmp_path / "output.log").read_text(errors="replace") if (tmp_path / "output.log").exists() else ""
    assert done.returncode == 0, f"seed {SEED}\n{done.stdout[-4000:]}\nbroker:\n{log[-4000:]}"
    assert f"OK {rounds} rounds" in done.stdout
