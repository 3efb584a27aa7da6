"""What the OpenAPI document promises, schemathesis tries: values at and beyond every bound, against every operation. No
5xx, no answer that the document does not know, no body of another shape."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from .node import ROOT
from .rest import Rest
from .test_api_coverage import coverage, document

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# A log-in may not do everything: what ends it, or is not for keys, is tried with a log-in, all else with a key.
BY_LOGIN = ("/api/v5/users", "/api/v5/api_key", "/api/v5/logout")
SECONDS = 300


def program():
    """The `schemathesis` of the environment that SCHEMATHESIS names, of this interpreter, or of the path."""
    choices = (os.environ.get("SCHEMATHESIS"), pathlib.Path(sys.executable).with_name("schemathesis"),
               shutil.which("schemathesis"), ROOT / "build/schemathesis/bin/schemathesis")
    return next((str(path) for path in choices if path and os.access(path, os.X_OK)), None)


def tried(whole, by_login):
    """The document with the operations that exist and are used in this way."""
    paths = {}
    for path, operations in whole["paths"].items():
        if path.startswith(BY_LOGIN) != by_login:
            continue
        there = {method: operation for method, operation in operations.items() if coverage.succeeds(operation)}
        if there:
            paths[path] = there
    return {**whole, "paths": paths}


@pytest.mark.parametrize("by_login", [False, True], ids=["key", "login"])
def test_answers_are_as_documented(broker, tmp_path, skip, by_login):
    found = program()
    if found is None:
        skip.because("schemathesis", "not installed")
    api = Rest(broker)
    admin = api.login()
    if by_login:
        authorization = admin.authorization
    else:
        authorization = admin.new_key("schemathesis", "administrator").authorization
    schema = tmp_path / "document.json"
    schema.write_text(json.dumps(tried(document(broker), by_login)))
    # Methods that no operation has are another test's.
    (tmp_path / "schemathesis.toml").write_text("[phases.coverage]\nunexpected-methods = []\n")
    done = subprocess.run(
        [found, "run", str(schema), "--url", f"http://127.0.0.1:{broker.api_port}", "--header",
         "Authorization: " + authorization, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
         "--max-examples", "5", "--seed", "1", "--no-shrink", "--continue-on-failure", "--warnings", "off",
         "--request-timeout", "20", "--output-truncate", "true"],
        cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, "\n".join(line[:500] for line in done.stdout.splitlines())[-12000:]
    assert broker.process.poll() is None, "the node has ended"
