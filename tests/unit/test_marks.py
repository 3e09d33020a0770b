"""What is remembered of versions from one change to the next: what can never change, and no more than fits."""

import pytest
from replicator.core.deciding.facts import Ref
from replicator.flows.change import reading
from replicator.flows.change.reading import NOT_SEEN, Marks

from tests.unit.values import EAST, KEY, WEST, native


def test_what_was_learned_is_known_and_nothing_else() -> None:
    marks = Marks()
    marks.learn(Ref(WEST, "r1"), KEY, native("v1"))
    marks.learn(Ref(EAST, "v1"), KEY, None)
    assert marks.known(Ref(WEST, "r1"), KEY) == native("v1")
    assert marks.known(Ref(EAST, "v1"), KEY) is None, "a native version"
    assert marks.known(Ref(WEST, "v1"), KEY) is NOT_SEEN
    assert marks.known(Ref(WEST, "r1"), "another key") is NOT_SEEN


def test_a_null_version_is_never_remembered() -> None:
    """The next one takes over its id."""
    marks = Marks()
    marks.learn(Ref(EAST, "null"), KEY, native("v1"))
    assert marks.known(Ref(EAST, "null"), KEY) is NOT_SEEN


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MARKS_REMEMBERED", 3)
    marks = Marks()
    refs = [Ref(EAST, f"v{number}") for number in range(10)]
    for ref in refs:
        marks.learn(ref, KEY, None)
    assert 1 <= sum(marks.known(ref, KEY) is None for ref in refs) <= 3
    assert marks.known(refs[-1], KEY) is None
