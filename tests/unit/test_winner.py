"""Which of two native entries must be current: by what was visible to whom, else the same from both sides."""

from collections.abc import Mapping, Sequence

import pytest
from replicator.core.deciding.winner import CLOCK_MARGIN, Native, choose, happened_before
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, History

from tests.unit.values import EAST, WEST, marker, native, version


def last(bucket: str, history: History, replicas: Mapping[str, Origin] | None = None) -> Native:
    """Return the newest entry of a history as the last native one of its side."""

    def marks_of(entries: Sequence[Entry]) -> list[Origin | None]:
        return [(replicas or {}).get(entry.version_id) for entry in entries]

    return Native(history[-1], bucket, history, marks_of)


def east(*history: Entry, **replicas: Origin) -> Native:
    return last(EAST, history, replicas)


def west(*history: Entry, **replicas: Origin) -> Native:
    return last(WEST, history, replicas)


SEEN_IN_WEST = west(version("r1", 1), version("w1", 2), r1=native("v1"))
SEEN_IN_EAST = east(version("r1", 1), version("v1", 2), r1=native("w1", 0, WEST))

Row = tuple[int, str, Native, Native, bool, str]

ROWS: list[Row] = [
    (1, "two-way, of two writes the later wins", east(version("v1", 0)), west(version("w1", 1)), True, "w1"),
    (2, "whichever side it is on", east(version("v1", 1)), west(version("w1", 0)), True, "v1"),
    (3, "within one second the bucket name decides", east(version("v1", 0)), west(version("w1", 0)), True, "w1"),
    (4, "a write beats a later delete", east(version("v1", 0)), west(marker("d1", 9)), True, "v1"),
    (5, "on both sides", east(marker("d1", 9)), west(version("w1", 0)), True, "w1"),
    (6, "of two deletes the later wins", east(marker("d1", 9)), west(marker("d2", 0)), True, "d1"),
    (7, "who could see the other wins, whatever the clocks say",
     east(version("v1", 100)), west(version("r1", 1), version("w1", 2), r1=native("v1", 100)), True, "w1"),
    (8, "seen from the other side too",
     east(version("r1", 1), version("v1", 2), r1=native("w1", 100, WEST)), west(version("w1", 100)), True, "v1"),
    (9, "a delete of what was visible wins over it", east(version("v1", 0)),
     west(version("r1", 1), marker("d1", 2), r1=native("v1")), True, "d1"),
    (10, "one-way the source is right", east(version("v1", 0)), west(version("w1", 9)), False, "v1"),
    (11, "also when it deletes", east(marker("d1", 0)), west(version("w1", 9)), False, "d1"),
    (12, "but who could see its version may overwrite it", east(version("v1", 0)), SEEN_IN_WEST, False, "w1"),
    (13, "the other way round nothing is seen, one-way", SEEN_IN_EAST, west(version("w1", 0)), False, "v1"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_the_winner(row: Row) -> None:
    _, _, mine, theirs, two_way, winner = row
    chosen = choose(mine, theirs, two_way=two_way)
    assert chosen is not None
    assert chosen.entry.version_id == winner


@pytest.mark.parametrize("row", [row for row in ROWS if row[4]], ids=lambda row: str(row[0]))
def test_both_directions_come_to_the_same_winner(row: Row) -> None:
    _, _, mine, theirs, _, _ = row
    assert choose(mine, theirs, two_way=True) == choose(theirs, mine, two_way=True)


def test_the_only_native_entry_wins() -> None:
    mine = east(version("v1"))
    assert choose(mine, None, two_way=True) is mine
    assert choose(None, mine, two_way=True) is mine
    assert choose(None, None, two_way=True) is None


def test_nobody_can_tell_who_saw_a_delete_marker() -> None:
    gone = east(marker("d1", 0))
    assert not happened_before(gone, west(version("r1", 1), version("w1", 2), r1=native("d1")))


def test_what_lies_above_was_not_visible() -> None:
    history = (version("w1", 1), version("r1", 2))
    under = Native(history[0], WEST, history, lambda entries: [native("v1") for _ in entries])
    assert not happened_before(east(version("v1", 0)), under)


def test_marks_are_read_only_as_far_back_as_clocks_can_differ() -> None:
    asked: list[str] = []

    def marks_of(entries: Sequence[Entry]) -> list[Origin | None]:
        asked.extend(entry.version_id for entry in entries)
        return [None for _ in entries]

    history = (version("old", -CLOCK_MARGIN - 1), version("young", -CLOCK_MARGIN), marker("d", 0), version("w1", 1))
    happened_before(east(version("v1", 0)), Native(history[-1], WEST, history, marks_of))
    assert asked == ["young"]
