"""Which of two native entries must be current: one whose writer could see the other, else the same on both sides."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest
from replicator.core.deciding.winner import CLOCK_MARGIN, Native, choose, happened_before
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, History

from tests.unit.values import EAST, WEST, marker, origin_of, version


def last(bucket: str, history: History, replicas: Mapping[str, Origin] | None = None) -> Native:
    """Return the newest entry of a history as the last native one of its side."""

    def marks_of(entries: Sequence[Entry]) -> list[Origin | None]:
        return [(replicas or {}).get(entry.version_id) for entry in entries]

    return Native(history[-1], bucket, history, marks_of)


def east(*history: Entry, **replicas: Origin) -> Native:
    return last(EAST, history, replicas)


def west(*history: Entry, **replicas: Origin) -> Native:
    return last(WEST, history, replicas)


SEEN_IN_WEST = west(version("r1", 1), version("w1", 2), r1=origin_of("v1"))
SEEN_IN_EAST = east(version("r1", 1), version("v1", 2), r1=origin_of("w1", 0, WEST))


class Contest(NamedTuple):
    """The last native entry of each bucket, and the id of the one that must be current in both."""

    east: Native
    west: Native
    two_way: bool
    winner: str


CONTESTS = {
    "two-way, of two versions the later one wins, in the destination":
        Contest(east(version("v1", 0)), west(version("w1", 1)), two_way=True, winner="w1"),
    "two-way, of two versions the later one wins, in the source":
        Contest(east(version("v1", 1)), west(version("w1", 0)), two_way=True, winner="v1"),
    "two-way, within one second the bucket's name decides":
        Contest(east(version("v1", 0)), west(version("w1", 0)), two_way=True, winner="w1"),
    "two-way, a version wins over a later delete of the destination":
        Contest(east(version("v1", 0)), west(marker("d1", 9)), two_way=True, winner="v1"),
    "two-way, a version wins over a later delete of the source":
        Contest(east(marker("d1", 9)), west(version("w1", 0)), two_way=True, winner="w1"),
    "two-way, of two deletes the later one wins":
        Contest(east(marker("d1", 9)), west(marker("d2", 0)), two_way=True, winner="d1"),
    "two-way, who could see the other version wins, whatever the clocks say, in the destination":
        Contest(east(version("v1", 100)), west(version("r1", 1), version("w1", 2), r1=origin_of("v1", 100)),
                two_way=True, winner="w1"),
    "two-way, who could see the other version wins, whatever the clocks say, in the source":
        Contest(east(version("r1", 1), version("v1", 2), r1=origin_of("w1", 100, WEST)), west(version("w1", 100)),
                two_way=True, winner="v1"),
    "two-way, a delete wins over the version that it was written over":
        Contest(east(version("v1", 0)), west(version("r1", 1), marker("d1", 2), r1=origin_of("v1")),
                two_way=True, winner="d1"),
    "one-way, the version of the source wins":
        Contest(east(version("v1", 0)), west(version("w1", 9)), two_way=False, winner="v1"),
    "one-way, the delete of the source wins":
        Contest(east(marker("d1", 0)), west(version("w1", 9)), two_way=False, winner="d1"),
    "one-way, a user of the destination may overwrite a replica":
        Contest(east(version("v1", 0)), SEEN_IN_WEST, two_way=False, winner="w1"),
    "one-way, the source wins although its user saw a replica of the destination's version":
        Contest(SEEN_IN_EAST, west(version("w1", 0)), two_way=False, winner="v1"),
}  # fmt: skip


@pytest.mark.parametrize("contest", CONTESTS.values(), ids=CONTESTS)
def test_one_of_two_native_entries_must_be_current(contest: Contest) -> None:
    chosen = choose(contest.east, contest.west, two_way=contest.two_way)
    assert chosen is not None
    assert chosen.entry.version_id == contest.winner


def test_both_directions_of_two_way_replication_choose_the_same_entry() -> None:
    for sentence, contest in CONTESTS.items():
        if contest.two_way:
            chosen = choose(contest.east, contest.west, two_way=True)
            assert chosen == choose(contest.west, contest.east, two_way=True), sentence


def test_a_single_native_entry_must_be_current() -> None:
    mine = east(version("v1"))
    assert choose(mine, None, two_way=True) is mine
    assert choose(None, mine, two_way=True) is mine
    assert choose(None, None, two_way=True) is None


def test_a_delete_marker_does_not_count_as_seen() -> None:
    gone = east(marker("d1", 0))
    assert not happened_before(gone, west(version("r1", 1), version("w1", 2), r1=origin_of("d1")))


def test_a_replica_above_a_version_was_not_visible_to_its_writer() -> None:
    history = (version("w1", 1), version("r1", 2))
    under = Native(history[0], WEST, history, lambda entries: [origin_of("v1") for _ in entries])
    assert not happened_before(east(version("v1", 0)), under)


def test_marks_are_read_only_as_far_back_as_clocks_can_differ() -> None:
    asked: list[str] = []

    def marks_of(entries: Sequence[Entry]) -> list[Origin | None]:
        asked.extend(entry.version_id for entry in entries)
        return [None for _ in entries]

    history = (version("old", -CLOCK_MARGIN - 1), version("young", -CLOCK_MARGIN), marker("d", 0), version("w1", 1))
    happened_before(east(version("v1", 0)), Native(history[-1], WEST, history, marks_of))
    assert asked == ["young"]
