"""Two histories -> the steps of the plan, a sentence each. `histories.py` says how to read them."""

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

from tests.unit.histories import DELETE_SETTLED, MARKERS, TWO_WAY, Example, Fields, facts_of, history, steps
from tests.unit.values import EAST, NOON, WEST, complete_facts, created, facts, origin_of, replica

LONG_AGO = -5 * CLOCK_MARGIN
SETTLED: Fields = {"memory": Memory(2, None, "", ("v1",))}


def known_there(*version_ids: str) -> Fields:
    return {"memory": Memory(2, None, "", version_ids)}


EXAMPLES = {
    "a missing version is copied": Example("v1", source="v1", destination="", steps=["copy v1"]),
    "a version that is there is not copied again": Example("v1", source="v1", destination="r1", steps=[]),
    "all missing versions are copied, oldest first":
        Example("v3", source="v1 v2 v3", destination="", steps=["copy v1", "copy v2", "copy v3"]),
    "a late older version is copied, and the current one is put back on top":
        Example("v1", source="v1 v2", destination="r2", steps=["copy v1", "put back r2"]),
    "the newest version's event copies older missing ones along":
        Example("v3", source="v1 v2 v3", destination="r1", steps=["copy v2", "copy v3"]),
    "an older version that was deleted for good at the destination is not copied along":
        Example("v2", source="v1 v2", destination="r2", steps=[], known=SETTLED),
    "an older version that is refused is left out":
        Example("v2", source="v1 v2", destination="", steps=["copy v2"], known={"refused": "v1"}),
    "a newer version that is refused need not be current there":
        Example("v1", source="v1 v2", destination="", steps=["copy v1"], known={"refused": "v2"}),
    "replicas in the source are not copied along": Example("v1", source="s1 v1", destination="", steps=["copy v1"]),
    "a version far older than the change is not looked for":
        Example("v2", source=f"v1@{LONG_AGO} v2@0", destination="", steps=["copy v2"]),
    "a version whose delete comes first is copied and ends deleted":
        Example("d1", source="v1 d1", destination="", steps=["copy v1", "delete"], known=MARKERS),
    "a delete of what is there is written":
        Example("d1", source="v1 d1", destination="r1", steps=["delete"], known=MARKERS),
    "a delete that is there already is not written again":
        Example("d1", source="v1 d1", destination="r1 d9", steps=[], known=MARKERS),
    "a delete is not written where nothing is": Example("d1", source="d1", destination="", steps=[], known=MARKERS),
    "a version after the delete wins":
        Example("d1", source="v1 d1 v2", destination="r1", steps=["copy v2"], known=MARKERS),
    "a late version goes below a delete that was replicated":
        Example("v1", source="v1 d1", destination="d9", steps=["copy v1", "delete"], known=MARKERS | DELETE_SETTLED),
    "a version's event does not replicate a later delete":
        Example("v1", source="v1 d1", destination="", steps=["copy v1"], known=MARKERS),
    "a delete by the destination's users stays": Example("v1", source="v1", destination="r1 d9", steps=[]),
    "a version that the destination's users wrote over the replica stays":
        Example("v1", source="v1", destination="r1 w1", steps=[]),
    "one-way, a newer version of the source goes on top of theirs":
        Example("v2", source="v1 v2", destination="r1 w1", steps=["copy v2"]),
    "two-way, the later of two versions wins: theirs":
        Example("v1", source="v1@0", destination="w1@5", steps=["copy v1", "put back w1"], known=TWO_WAY),
    "two-way, the later of two versions wins: ours":
        Example("v1", source="v1@5", destination="w1@0", steps=["copy v1"], known=TWO_WAY),
    "two-way, a version that they wrote over our replica wins, though its time is earlier":
        Example("v1", source="v1@5", destination="r1@6 w1@4", steps=[], known=TWO_WAY),
    "two-way, their version wins over our delete":
        Example("d1", source="v1@0 d1@9", destination="r1@1 w1@5", steps=[], known=TWO_WAY),
    "two-way, our delete wins over their version once that was replicated here":
        Example("d1", source="v1 s1@6 d1@9", destination="r1@1 w1@5", steps=["delete"], known=TWO_WAY),
    "two-way, our version wins over their delete":
        Example("v2", source="v1@0 v2@5", destination="r1@1 d9@9", steps=["copy v2"], known=TWO_WAY),
    "two-way, their delete of our replica wins over our version":
        Example("v1", source="v1@0", destination="r1@1 d9@9", steps=[], known=TWO_WAY),
    "two-way, a late version goes below their delete":
        Example("v1", source="v1@0 v2@5", destination="r2@6 d9@9", steps=["copy v1", "delete"], known=TWO_WAY),
    "two-way, within one second the bucket's name decides":
        Example("v1", source="v1@0", destination="w1@0", steps=["copy v1", "put back w1"], known=TWO_WAY),
    "a third bucket's version that was written over the replica stays, whatever comes again":
        Example("v1", source="v1", destination="r1 n1", steps=[]),
    "a version that is missing goes on top of a third bucket's":
        Example("v2", source="v1 v2", destination="r1 n1", steps=["copy v2"]),
    "a delete goes on top of a third bucket's version":
        Example("d1", source="v1 d1", destination="r1 n1", steps=["delete"], known=MARKERS),
    "a third bucket's version that was written over a delete stays, whatever comes again":
        Example("d1", source="v1 d1", destination="r1 d9 n1", steps=[], known=MARKERS | DELETE_SETTLED),
    "a late version goes below a newer one, though lifecycle deleted that in the source":
        Example("v1", source="v1 v2 d1", destination="r2", steps=["copy v1", "put back r2"], known=MARKERS),
    "of several deletes the last one counts":
        Example("d2", source="v1 d1 v2 d2", destination="r1 d9 r2", steps=["delete"], known=MARKERS),
    "two-way, of several versions of theirs the last one counts":
        Example("v1", source="v1@5", destination="w1@0 w2@9", steps=["copy v1", "put back w2"], known=TWO_WAY),
    "two-way, their version wins over our delete, however old it is":
        Example("d1", source="d1@0", destination=f"w1@{LONG_AGO}", steps=[], known=TWO_WAY),
    "a version that was deleted for good there is not put back on top of a late one":
        Example("v1", source="v1 v2", destination="", steps=["copy v1"], known=known_there("v2")),
    "a version that was deleted for good there leaves nothing to do":
        Example("v1", source="v1", destination="", steps=[], known=SETTLED),
    "a replicated delete goes on top of a late version, though a later version was deleted for good there":
        Example("v1", source="v1 d1 v2", destination="", steps=["copy v1", "delete"],
                known=MARKERS | known_there("d1", "v2")),
    "a second delete marker of the source is the same delete":
        Example("v1", source="v1 d1 d2", destination="d9", steps=["copy v1", "delete"], known=MARKERS | DELETE_SETTLED),
    "a second delete marker above a late replica is the same delete":
        Example("v1", source="v1@0 d1@1 s1@3 d2@4", destination="w1@2", steps=["copy v1", "delete"],
                known=TWO_WAY | DELETE_SETTLED),
    "a delete marker above a later version is another one, of lifecycle":
        Example("v1", source="v1 d1 v2 d2", destination="d9 r2", steps=["copy v1", "put back r2"],
                known=MARKERS | DELETE_SETTLED),
    "a delete is replicated though a version above it is refused":
        Example("d1", source="v1 d1 v2", destination="r1", steps=["delete"], known=MARKERS | {"refused": "v2"}),
    "a delete without an event does not go on top of the destination's own version":
        Example("v2", source="d1@0 v2@1", destination="w1@2", steps=[], known=MARKERS | known_there("v2")),
    "two-way, a version over our replica wins, though their clock is as far behind as clocks can be":
        Example("v1", source="v1@0", destination=f"r1@{-CLOCK_MARGIN} w1@{-CLOCK_MARGIN}", steps=[], known=TWO_WAY),
    "a delete older than versions that are not looked for is not put back":
        Example("v2", source=f"d1@{LONG_AGO} v1@{LONG_AGO} v2@0", destination=f"d9@{LONG_AGO} r1@{LONG_AGO}", steps=[],
                known=MARKERS | known_there("d1", "v1", "v2")),
}  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_two_histories_determine_the_steps_of_the_plan(example: Example) -> None:
    assert steps(example.facts()) == example.steps


def test_every_step_has_its_reason() -> None:
    for sentence, example in EXAMPLES.items():
        plan = decide(example.facts())
        assert isinstance(plan, Plan), sentence
        assert [step for step in plan.steps if not step.why] == [], sentence


def test_the_first_step_is_guarded_by_the_version_on_top() -> None:
    onto_nothing = make_plan(facts_of("v1", "v1", ""))
    onto_a_version = make_plan(facts_of("v2", "v1 v2", "r1"))
    onto_a_marker = make_plan(facts_of("v2", "v1 v2", "r1 d9"))
    assert [plan.guard for plan in (onto_nothing, onto_a_version, onto_a_marker) if isinstance(plan, Plan)] == [
        Guard(""),
        Guard('"r1"'),
        Guard(""),
    ]


def test_a_plan_has_the_version_on_top_with_its_origin() -> None:
    ours, theirs, gone = (make_plan(facts_of("v1", "v1", there)) for there in ("r1", "w1", "r1 d9"))
    assert isinstance(ours, Plan)
    assert isinstance(theirs, Plan)
    assert isinstance(gone, Plan)
    assert ours.top == replica("r1", origin_of("v1"))
    assert theirs.top == replica("w1", origin_of("w1", 0, WEST))
    assert gone.top is None


def test_the_version_on_top_is_the_newest_entry() -> None:
    plan = make_plan(facts_of("v2", "v1 v2", "r1 r2"))
    assert isinstance(plan, Plan)
    assert plan.top == replica("r2", origin_of("v2", 1))
    assert plan.top_entry
    assert plan.top_entry.version_id == "r2"


def test_a_plan_lists_the_source_versions_that_are_there_or_will_be() -> None:
    plan = make_plan(facts_of("v3", "v1 v2 v3", "r1", refused="v2"))
    assert isinstance(plan, Plan)
    assert plan.present == ("v1", "v3")


def test_a_version_that_is_not_in_the_history_of_the_source_any_more_is_skipped() -> None:
    finish = make_plan(facts_of("v1", "v2", ""))
    assert isinstance(finish, Finish)
    assert (finish.status, finish.reason) == (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


def test_a_null_version_that_was_overwritten_is_copied_again() -> None:
    """Its id stays the same; only its time differs."""
    here, there = history("v1@50"), history("r1@1")
    stale = complete_facts(created("v1", "0F", NOON + 50), here, there, {"r1": origin_of("v1", 0)}, repeated=True)
    assert steps(stale) == ["copy v1"]


def test_a_plan_needs_the_histories_first() -> None:
    assert make_plan(facts(created("v1"))) == Need(histories=True)


def test_a_plan_needs_marks_only_where_they_matter() -> None:
    """Of long histories only the entries around the time of the change are read."""
    source = history(f"v1@{-CLOCK_MARGIN - 1} v2@{-CLOCK_MARGIN} v3@0")
    destination = history(f"r1@{-2 * CLOCK_MARGIN - 1} r2@{-2 * CLOCK_MARGIN} r3@{-CLOCK_MARGIN}")
    unread = facts(created("v3"), histories=Histories(destination, source), repeated=True)
    first = make_plan(unread)
    assert first == Need(marks=frozenset({Ref(EAST, "v2"), Ref(EAST, "v3")}))
    marked = replace(unread, marks={Ref(EAST, "v2"): None, Ref(EAST, "v3"): None})
    assert make_plan(marked) == Need(marks=frozenset({Ref(WEST, "r2"), Ref(WEST, "r3")}))


@pytest.mark.parametrize(
    ("event", "fields"), [("v2", TWO_WAY), ("d2", MARKERS)], ids=["of a version, two-way", "of a delete marker"]
)
def test_the_plan_reads_no_mark_of_a_version_there_that_is_too_old_to_matter(event: str, fields: Fields) -> None:
    given = facts_of(event, f"{event}@0", f"w1@{LONG_AGO} r1@{LONG_AGO}", **fields)
    unread = {ref: mark for ref, mark in given.marks.items() if ref != Ref(WEST, "w1")}
    assert isinstance(make_plan(replace(given, marks=unread)), Plan)


def test_an_upload_with_an_old_time_on_top_does_not_hide_a_newer_version_below_it() -> None:
    """A store may put an upload where it was completed, with the time when it was begun."""
    given = facts_of("v1", "v1@0", f"w1@5 r2@{LONG_AGO}", **TWO_WAY)
    assert given.histories
    below, upload = given.histories.destination
    histories = replace(given.histories, destination=(below, replace(upload, etag='"r2-2"')))
    assert steps(replace(given, histories=histories)) == ["copy v1", "put back w1"]


def test_a_plan_needs_verdicts_of_missing_versions_only() -> None:
    given = replace(facts_of("v2", "v1 v2", "r1"), verdicts={})
    assert make_plan(given) == Need(verdicts=frozenset({"v2"}))
