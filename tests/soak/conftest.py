"""The fixtures of the system tests: the same nodes and clients."""
from tests.system.conftest import *  # noqa: F401,F403
