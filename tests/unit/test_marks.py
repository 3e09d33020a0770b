"""The origins of versions that a container remembers: they never change, and their number is limited."""

import pytest
from replicator.core.deciding.facts import Ref
from replicator.flows import reading
from replicator.flows.reading import NOT_SEEN, Marks

from tests.unit.values import EAST, KEY, WEST, origin_of


def test_an_origin_that_was_read_is_known_for_its_version_and_key_only() -> None:
    marks = Marks()
    marks.learn(Ref(WEST, "r1"), KEY, origin_of("v1"))
    marks.learn(Ref(EAST, "v1"), KEY, None)
    assert marks.known(Ref(WEST, "r1"), KEY) == origin_of("v1")
    assert marks.known(Ref(EAST, "v1"), KEY) is None, "a native version"
    assert marks.known(Ref(WEST, "v1"), KEY) is NOT_SEEN
    assert marks.known(Ref(WEST, "r1"), "another key") is NOT_SEEN


def test_a_null_version_is_never_remembered() -> None:
    """The next null version has the same id."""
    marks = Marks()
    marks.learn(Ref(EAST, "null"), KEY, origin_of("v1"))
    assert marks.known(Ref(EAST, "null"), KEY) is NOT_SEEN


def test_the_number_of_remembered_origins_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MARKS_REMEMBERED", 3)
    marks = Marks()
    refs = [Ref(EAST, f"v{number}") for number in range(10)]
    for ref in refs:
        marks.learn(ref, KEY, None)
    assert 1 <= sum(marks.known(ref, KEY) is None for ref in refs) <= 3
    assert marks.known(refs[-1], KEY) is None
