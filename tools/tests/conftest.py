"""The tools have no suffix; tests load them by path."""
import importlib.machinery
import importlib.util
import pathlib

import pytest

TOOLS = pathlib.Path(__file__).resolve().parent.parent


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def check():
    return load("check")


@pytest.fixture(scope="session")
def totals():
    return load("totals")
