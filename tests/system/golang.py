"""Peers that are written in Go: taken from PATH, or built once by `go` from their modules into build/peers; where neither is
there the test is skipped by name.
"""
import contextlib
import fcntl
import os
import shutil
import subprocess

from . import node


@contextlib.contextmanager
def alone(path):
    """Of the processes that tests are spread over, one builds and the others wait for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def program(skip, name, build):
    """`build(run, folder, to)`: with run("get", ...) and its like in `folder`, a module of its own."""
    with alone(node.ROOT / "build" / "peers" / f"{name}.lock"):
        return found_or_built(skip, name, build)


def found_or_built(skip, name, build):
    found = os.environ.get(f"{name.upper()}_BIN") or shutil.which(name)
    built = node.ROOT / "build" / "peers" / name
    if found or built.exists():
        return found or str(built)
    go = shutil.which("go") or next((p for p in ("/usr/local/go/bin/go",) if os.access(p, os.X_OK)), None)
    if go is None:
        skip.because(name, f"no {name}, and no go to build it with")
    folder = built.parent / f"{name}-module"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module peer\n\ngo 1.22\n")

    def run(*command):
        done = subprocess.run([go, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
        if done.returncode != 0:
            skip.because(name, f"go {command[0]}: {done.stdout.strip().splitlines()[-1:]}")
        return done.stdout.strip()

    build(run, folder, folder / name)
    (folder / name).rename(built)
    return str(built)
