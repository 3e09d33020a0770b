"""How tests are distributed over processes, how cases are named, and how properties are tried.

A module runs in one process, because its emulator or its contract is started once. All of tests/sam does: it shares one
build, and goes first, because it takes longest. Properties have no deadline, and on CI the same examples every time.

What `make quick` leaves out is marked here, by folder and by fixture, so that nobody has to think of it. A test that
needs the emulator and gets no mark fails there: `make quick` lets no test open a socket.
"""

import os
from pathlib import PurePosixPath

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = "tests/sam"
LONGEST_ID = 90
PLAIN = (str, bytes, int, float, bool, type(None), type(...))
MARKS = {"tests/emulator": "emulator", "tests/sam": "container", "tests/simulation": "simulation"}
EMULATOR_FIXTURES = {"aws", "emulator", "server"}
"""Fixtures outside of tests/emulator that start it. Parameters called "emulator" ask for one of them."""

hypothesis.settings.register_profile("here", deadline=None, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.load_profile("here")


def group(nodeid: str) -> str:
    """Name the group of a test: tests of a group run in one process, one after the other."""
    module = nodeid.split("::", 1)[0]
    return TOGETHER if PurePosixPath(TOGETHER) in PurePosixPath(module).parents else module


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test with what it needs beside this process."""
    folder = PurePosixPath(item.nodeid.split("::", 1)[0]).parent
    for marked, mark in MARKS.items():
        if folder.is_relative_to(marked):
            item.add_marker(mark)
    if isinstance(item, pytest.Function):
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if EMULATOR_FIXTURES.intersection(item.fixturenames) or "emulator" in parameters:
            item.add_marker("emulator")


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


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case by what is in its lists and mappings, where pytest would number them."""
    text = said(val) if isinstance(val, dict | list | tuple | set | frozenset) else None
    return text if text is None or len(text) <= LONGEST_ID else f"{text[:LONGEST_ID]}..."


def said(val: object) -> str | None:
    """Write down plain values, the same in every process; None if there are others among them."""
    if isinstance(val, PLAIN):
        return repr(val)
    if isinstance(val, dict):
        items = [(said(key), said(value)) for key, value in val.items()]
        return (
            None
            if None in {part for item in items for part in item}
            else ("{" + ", ".join(f"{key}: {value}" for key, value in items) + "}")
        )
    if isinstance(val, list | tuple | set | frozenset):
        parts = [said(each) for each in val]
        whole = [part for part in parts if part is not None]
        if len(whole) < len(parts):
            return None
        return "[" + ", ".join(sorted(whole) if isinstance(val, set | frozenset) else whole) + "]"
    return None
