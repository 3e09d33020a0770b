"""How tests share out to processes: a module stays together, because its emulator or its contract is made once.

Everything of tests/sam stays together too: it shares one build. It goes first, being the longest.

Properties are tried without a clock, and on CI with the same examples every time: there a change is judged, not luck.
"""

import os
from pathlib import PurePosixPath

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = "tests/sam"

hypothesis.settings.register_profile("here", deadline=None, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.load_profile("here")


def group(nodeid: str) -> str:
    """Name the group of a test: tests of a group run in one process, one after the other."""
    module = nodeid.split("::", 1)[0]
    return TOGETHER if PurePosixPath(TOGETHER) in PurePosixPath(module).parents else module


class ByModule(LoadScopeScheduling):  # type: ignore[misc] # it is Any to mypy
    """pytest-xdist's way of giving out groups of tests, with our groups."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByModule:
    """Share out in our groups and our order, whatever the command line says."""
    config.option.loadscopereorder = False
    return ByModule(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the longest group to the front."""
    items.sort(key=lambda item: group(item.nodeid) != TOGETHER)
