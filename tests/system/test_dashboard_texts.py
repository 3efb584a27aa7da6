"""The dashboard makes forms of the schema, in English and Chinese: every name, description and type that a node tells has
its Chinese words, and there are none for what no node tells."""
import json

import pytest

from . import api
from .node import ROOT

FOLDER = "web/src/i18n"
# Their controls show by themselves what may be chosen, or hold JSON.
UNEXPLAINED = {"boolean", "enum", "any"}


def fields_of(schema):
    """Every field of every level. Authenticators and sources are no fields themselves: the pages name them."""
    level = schema["roots"] + [field for part in ("authentication", "authorization")
                               for kind in schema[part] for field in kind["fields"]]
    while level:
        yield from level
        level = [inner for field in level for inner in field.get("fields", [])]


def type_of(field):
    kind = field["type"].split(" (")[0]
    return kind if field["shape"] == "scalar" and kind not in UNEXPLAINED else None


PARTS = {"names": lambda field: field["name"], "descriptions": lambda field: field.get("description"), "types": type_of}


@pytest.fixture
def fields(broker):
    found = list(fields_of(api.want(broker, 200, "GET", "/schemas/hotconf")))
    assert len(found) > 1000
    return found


@pytest.mark.parametrize("part", PARTS)
def test_every_field_has_chinese_words(fields, part):
    path = f"{FOLDER}/schema.{part}.zh.json"
    known = json.loads((ROOT / path).read_text())
    told = set(filter(None, map(PARTS[part], fields)))
    assert sorted(told - known.keys()) == [], f"add them to {path}"
    assert sorted(known.keys() - told) == [], f"of no field any more: take them out of {path}"
