"""Every operation of the reference whose area exists is there (tools/api-coverage counts them)."""
import importlib.machinery
import importlib.util
import io

from . import api
from .node import ROOT

loader = importlib.machinery.SourceFileLoader("api_coverage", str(ROOT / "tools/api-coverage"))
coverage = importlib.util.module_from_spec(importlib.util.spec_from_loader("api_coverage", loader))
loader.exec_module(coverage)


def document(broker):
    connection = api._Unix(str(broker.data / "ctl.sock"))
    try:
        connection.request("GET", "/api-docs/swagger.json")
        return coverage.json.loads(connection.getresponse().read())
    finally:
        connection.close()


def test_every_operation_of_the_existing_areas_is_there(broker):
    text = io.StringIO()
    missing = coverage.report(document(broker), text)
    assert not missing, text.getvalue()


def test_operations_of_later_versions_are_there(broker):
    have = coverage.offered(document(broker))
    for path in ("/api/v5/clients/{}/mqueue_messages", "/api/v5/clients/{}/inflight_messages"):
        assert ("GET", path) in have


def test_an_operation_of_an_area_to_come_says_so(broker):
    for method, path in (("GET", "/rules"), ("POST", "/exhooks"), ("GET", "/gateways/coap/clients"),
                         ("PUT", "/opentelemetry"), ("POST", "/sso/login/ldap")):
        status, answer = api.call(broker, method, path, {})
        assert (status, answer["code"]) == (501, "NOT_IMPLEMENTED"), path


def test_the_list_holds_every_operation_once():
    rows = coverage.wanted()
    assert len(rows) == len({(m, coverage.shape(p)) for m, p, _ in rows}) == 293
