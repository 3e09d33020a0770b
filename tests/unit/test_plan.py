"""Two histories -> the steps that they demand, a sentence a row. `histories.py` says how to read them."""

from dataclasses import replace

import pytest
from replicator.core.deciding.actions import Finish, Need, Plan
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.decision import decide
from replicator.core.deciding.facts import Histories, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.deciding.plan import make_plan
from replicator.core.deciding.winner import CLOCK_MARGIN
from replicator.core.outcomes.outcome import Reason, Status

from tests.unit.histories import GONE_OVER, MARKERS, TWO_WAY, Fields, history, look, steps
from tests.unit.values import EAST, NOON, WEST, created, facts, known, native, replica

LONG_AGO = -5 * CLOCK_MARGIN
SETTLED: Fields = {"memory": Memory(2, None, "", ("v1",))}


def known_there(*version_ids: str) -> Fields:
    return {"memory": Memory(2, None, "", version_ids)}


Row = tuple[int, str, str, str, str, Fields, list[str]]

ROWS: list[Row] = [
    # number, sentence, event, source, destination, facts, steps
    (1, "what is missing is copied", "v1", "v1", "", {}, ["copy v1"]),
    (2, "what is there is not", "v1", "v1", "r1", {}, []),
    (3, "all that is missing is copied, oldest first", "v3", "v1 v2 v3", "", {}, ["copy v1", "copy v2", "copy v3"]),
    (4, "a late older version goes below: the current one comes back on top", "v1", "v1 v2", "r2", {},
     ["copy v1", "put back r2"]),
    (5, "the newest event brings the middle ones along", "v3", "v1 v2 v3", "r1", {}, ["copy v2", "copy v3"]),
    (6, "what stood there and was deleted for good stays gone", "v2", "v1 v2", "r2", SETTLED, []),
    (7, "a version that no rule wants is left out", "v2", "v1 v2", "", {"refused": "v1"}, ["copy v2"]),
    (8, "and does not have to be current there", "v1", "v1 v2", "", {"refused": "v2"}, ["copy v1"]),
    (9, "replicas at the source are not passed on", "v1", "s1 v1", "", {}, ["copy v1"]),
    (10, "a version far older than the change is not looked for", "v2", f"v1@{LONG_AGO} v2@0", "", {}, ["copy v2"]),
    (11, "a version overtaken by a delete is copied and ends deleted", "d1", "v1 d1", "", MARKERS,
     ["copy v1", "delete"]),
    (12, "a delete of what is there", "d1", "v1 d1", "r1", MARKERS, ["delete"]),
    (13, "a delete that is there already", "d1", "v1 d1", "r1 d9", MARKERS, []),
    (14, "a delete of nothing there writes nothing", "d1", "d1", "", MARKERS, []),
    (15, "a write after the delete wins", "d1", "v1 d1 v2", "r1", MARKERS, ["copy v2"]),
    (16, "a late version goes below a delete that went over", "v1", "v1 d1", "d9", MARKERS | GONE_OVER,
     ["copy v1", "delete"]),
    (17, "a version's event does not bring a delete over", "v1", "v1 d1", "", MARKERS, ["copy v1"]),
    (18, "a delete made by the destination's own users stays", "v1", "v1", "r1 d9", {}, []),
    (19, "so does a write of theirs that saw the replica", "v1", "v1", "r1 w1", {}, []),
    (20, "one-way, the source is right about what is newer", "v2", "v1 v2", "r1 w1", {}, ["copy v2"]),
    (21, "two-way, the later of two writes wins: theirs", "v1", "v1@0", "w1@5", TWO_WAY, ["copy v1", "put back w1"]),
    (22, "two-way, the later of two writes wins: ours", "v1", "v1@5", "w1@0", TWO_WAY, ["copy v1"]),
    (23, "two-way, ours lies below and must come up", "v1", "v1@5", "r1@6 w1@4", TWO_WAY, []),
    (24, "two-way, their write beats our delete", "d1", "v1@0 d1@9", "r1@1 w1@5", TWO_WAY, []),
    (25, "two-way, our delete after their write came over", "d1", "v1 s1@6 d1@9", "r1@1 w1@5", TWO_WAY, ["delete"]),
    (26, "two-way, our write beats their delete", "v2", "v1@0 v2@5", "r1@1 d9@9", TWO_WAY, ["copy v2"]),
    (27, "two-way, their delete of what we see wins over it", "v1", "v1@0", "r1@1 d9@9", TWO_WAY, []),
    (28, "two-way, a late loser goes below their delete", "v1", "v1@0 v2@5", "r2@6 d9@9", TWO_WAY,
     ["copy v1", "delete"]),
    (29, "two-way, equal seconds are decided by the bucket's name", "v1", "v1@0", "w1@0", TWO_WAY,
     ["copy v1", "put back w1"]),
    (30, "a late version goes below one that is current but for a marker of lifecycle's", "v1", "v1 v2 d1", "r2",
     MARKERS, ["copy v1", "put back r2"]),
    (31, "of several deletes the last one counts", "d2", "v1 d1 v2 d2", "r1 d9 r2", MARKERS, ["delete"]),
    (32, "of several writes of theirs the last one counts", "v1", "v1@5", "w1@0 w2@9", TWO_WAY,
     ["copy v1", "put back w2"]),
    (33, "two-way, their write beats our delete however old it is", "d1", "d1@0", f"w1@{LONG_AGO}", TWO_WAY, []),
    (34, "what was deleted there for good does not come back on top of a late version", "v1", "v1 v2", "",
     known_there("v2"), ["copy v1"]),
    (35, "what was deleted there for good leaves nothing to do", "v1", "v1", "", SETTLED, []),
    (36, "a delete that went over is on top of a late version, though a later write was deleted there for good", "v1",
     "v1 d1 v2", "", MARKERS | known_there("d1", "v2"), ["copy v1", "delete"]),
    (37, "a delete put back over a late copy is still that delete", "v1", "v1 d1 d2", "d9", MARKERS | GONE_OVER,
     ["copy v1", "delete"]),
    (38, "also over a replica that came late", "v1", "v1@0 d1@1 s1@3 d2@4", "w1@2", TWO_WAY | GONE_OVER,
     ["copy v1", "delete"]),
    (39, "but one above a later write is another one, and lifecycle's", "v1", "v1 d1 v2 d2", "d9 r2",
     MARKERS | GONE_OVER, ["copy v1", "put back r2"]),
    (40, "a delete goes over though a version above it is not wanted", "d1", "v1 d1 v2", "r1",
     MARKERS | {"refused": "v2"}, ["delete"]),
    (41, "a delete that no event told of does not cover a write of the destination's users", "v2", "d1@0 v2@1",
     "w1@2", MARKERS | known_there("v2"), []),
    (42, "whose clock is as far behind as clocks can be may have seen what they overwrote", "v1", "v1@0",
     f"r1@{-CLOCK_MARGIN} w1@{-CLOCK_MARGIN}", TWO_WAY, []),
    (43, "a delete from before a version that is not looked for is not the last word", "v2",
     f"d1@{LONG_AGO} v1@{LONG_AGO} v2@0", f"d9@{LONG_AGO} r1@{LONG_AGO}", MARKERS | known_there("d1", "v1", "v2"), []),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_two_histories_demand_steps(row: Row) -> None:
    _, _, event, source, destination, fields, expected = row
    assert steps(look(event, source, destination, **fields)) == expected


@pytest.mark.parametrize("row", ROWS, ids=[str(row[0]) for row in ROWS])
def test_every_step_says_why(row: Row) -> None:
    _, _, event, source, destination, fields, _ = row
    plan = decide(look(event, source, destination, **fields))
    assert isinstance(plan, Plan)
    assert all(step.why for step in plan.steps)


def test_a_plan_is_guarded_by_what_was_seen_on_top() -> None:
    onto_nothing = make_plan(look("v1", "v1", ""))
    onto_a_version = make_plan(look("v2", "v1 v2", "r1"))
    onto_a_marker = make_plan(look("v2", "v1 v2", "r1 d9"))
    assert [plan.guard for plan in (onto_nothing, onto_a_version, onto_a_marker) if isinstance(plan, Plan)] == [
        Guard(""),
        Guard('"r1"'),
        Guard(""),
    ]


def test_a_plan_says_what_stands_on_top_before_it() -> None:
    ours, theirs, gone = (make_plan(look("v1", "v1", there)) for there in ("r1", "w1", "r1 d9"))
    assert isinstance(ours, Plan)
    assert isinstance(theirs, Plan)
    assert isinstance(gone, Plan)
    assert ours.top == replica("r1", native("v1"))
    assert theirs.top == replica("w1", native("w1", 0, WEST))
    assert gone.top is None


def test_what_stands_on_top_is_the_newest_entry_there() -> None:
    plan = make_plan(look("v2", "v1 v2", "r1 r2"))
    assert isinstance(plan, Plan)
    assert plan.top == replica("r2", native("v2", 1))
    assert plan.top_entry
    assert plan.top_entry.version_id == "r2"


def test_a_plan_remembers_what_stands_or_will_stand_there() -> None:
    plan = make_plan(look("v3", "v1 v2 v3", "r1", refused="v2"))
    assert isinstance(plan, Plan)
    assert plan.present == ("v1", "v3")


def test_a_version_that_disappeared_meanwhile_is_skipped() -> None:
    finish = make_plan(look("v1", "v2", ""))
    assert isinstance(finish, Finish)
    assert (finish.status, finish.reason) == (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


def test_a_null_version_that_was_overwritten_is_missing_again() -> None:
    """Its id stays the same; its time tells."""
    here, there = history("v1@50"), history("r1@1")
    stale = known(created("v1", "0F", NOON + 50), here, there, {"r1": native("v1", 0)}, repeated=True)
    assert steps(stale) == ["copy v1"]


def test_histories_are_asked_for_first() -> None:
    assert make_plan(facts(created("v1"))) == Need(histories=True)


def test_marks_are_asked_for_only_where_they_matter() -> None:
    """Of a long history only the entries around the change are read, on both sides."""
    source = history(f"v1@{-CLOCK_MARGIN - 1} v2@{-CLOCK_MARGIN} v3@0")
    destination = history(f"r1@{-2 * CLOCK_MARGIN - 1} r2@{-2 * CLOCK_MARGIN} r3@{-CLOCK_MARGIN}")
    unread = facts(created("v3"), histories=Histories(destination, source), repeated=True)
    first = make_plan(unread)
    assert first == Need(marks=frozenset({Ref(EAST, "v2"), Ref(EAST, "v3")}))
    marked = replace(unread, marks={Ref(EAST, "v2"): None, Ref(EAST, "v3"): None})
    assert make_plan(marked) == Need(marks=frozenset({Ref(WEST, "r2"), Ref(WEST, "r3")}))


@pytest.mark.parametrize(("event", "source", "fields"), [("v2", "v2@0", TWO_WAY), ("d2", "d2@0", MARKERS)])
def test_a_write_of_the_destination_too_old_to_matter_is_not_looked_for(
    event: str, source: str, fields: Fields
) -> None:
    given = look(event, source, f"w1@{LONG_AGO} r1@{LONG_AGO}", **fields)
    unread = {ref: mark for ref, mark in given.marks.items() if ref != Ref(WEST, "w1")}
    assert isinstance(make_plan(replace(given, marks=unread)), Plan)


def test_an_upload_with_an_old_time_on_top_does_not_hide_a_younger_write_below_it() -> None:
    """A store may put an upload where it was completed, with the time at which it was begun."""
    given = look("v1", "v1@0", f"w1@5 r2@{LONG_AGO}", **TWO_WAY)
    assert given.histories
    below, upload = given.histories.destination
    histories = replace(given.histories, destination=(below, replace(upload, etag='"r2-2"')))
    assert steps(replace(given, histories=histories)) == ["copy v1", "put back w1"]


def test_verdicts_are_asked_for_only_of_what_is_missing() -> None:
    given = replace(look("v2", "v1 v2", "r1"), verdicts={})
    assert make_plan(given) == Need(verdicts=frozenset({"v2"}))
