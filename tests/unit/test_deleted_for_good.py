"""A version that was deleted for good at the source: it is skipped, once what its replica was written over is on top.

Names are those of `histories.py`; g is the replica of the version that is gone, which was written at noon.
"""

from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.actions import Finish, Need, Plan
from replicator.core.deciding.decision import decide
from replicator.core.deciding.facts import ABSENT, Facts, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Reason, Status

from tests.unit.histories import DELETE_SETTLED, MARKERS, TWO_WAY, Fields, history, replicas, steps
from tests.unit.values import EAST, complete_facts, created, facts, origin_of

SKIPPED = (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


def facts_when_gone(source: str, destination: str, **fields: Any) -> Facts:
    here, there = history(source), history(destination)
    origins = {**replicas(here, there), "g": origin_of("gone")}
    found = complete_facts(created("gone", "0A"), here, there, origins, **({"repeated": True} | fields))
    gone = Ref(EAST, "gone")
    return replace(found, marks={**found.marks, gone: None}, verdicts={**found.verdicts, "gone": ABSENT})


def skipped(given: Facts) -> bool:
    decision = decide(given)
    return isinstance(decision, Finish) and (decision.status, decision.reason) == SKIPPED


DELETE_REPLICATED: Fields = MARKERS | DELETE_SETTLED

PUT_BACK: dict[str, tuple[str, str, Fields, list[str]]] = {
    # source, destination, other facts, steps
    "a later version is put back on top": ("v1@1", "r1@2 g@3", {}, ["put back r1"]),
    "a version above one that was put back and then deleted for good is put back":
        ("v1@1 v2@2", "g@1 r2@3 r1@4", {}, ["put back r2"]),
    "a later version is put back, though the gone one was settled meanwhile":
        ("v1@1", "r1@2 g@3", {"memory": Memory(2, None, "", ("gone",))}, ["put back r1"]),
    "a replicated delete is written again": ("d1@1", "d9@2 g@3", DELETE_REPLICATED, ["delete"]),
    "two-way, a later version of theirs is put back": ("", "w1@2 g@3", TWO_WAY, ["put back w1"]),
}  # fmt: skip
LEFT_ALONE: dict[str, tuple[str, str, Fields]] = {
    # source, destination, other facts
    "a first delivery: nobody can have copied it yet": ("v1@1", "r1@2 g@3", {"repeated": False}),
    "nothing is there": ("v1@1", "", {}),
    "nothing else is there": ("", "g@3", {}),
    "another version is missing: its own change copies it": ("v1@1", "g@3", {}),
    "the other version is far older": ("v1@-9999", "r1@-9998 g@3", {}),
    "what must be on top is on top": ("v1@1", "g@1 r1@2", {}),
    "a user's version is on top": ("v1@1", "g@1 r1@2 w1@3", {}),
    "a user's delete marker is on top": ("v1@1", "g@1 r1@2 d9@3", {}),
    "a delete is below a version that is not looked for":
        ("d1@-9999 v1@-9998", "d9@-9997 r1@-9996", DELETE_REPLICATED),
    "a delete without an event is not replicated": ("d1@1", "g@3", MARKERS),
}  # fmt: skip


@pytest.mark.parametrize(("source", "destination", "fields", "expected"), PUT_BACK.values(), ids=PUT_BACK)
def test_what_the_replica_of_a_gone_version_was_written_over_is_put_back(
    source: str, destination: str, fields: Fields, expected: list[str]
) -> None:
    given = facts_when_gone(source, destination, **fields)
    plan = decide(given)
    assert isinstance(plan, Plan)
    assert plan.gone
    assert steps(given) == expected


@pytest.mark.parametrize(("source", "destination", "fields"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_a_gone_version_is_skipped_where_nothing_must_be_put_back(
    source: str, destination: str, fields: Fields
) -> None:
    assert skipped(facts_when_gone(source, destination, **fields))


def test_a_first_delivery_of_a_gone_version_needs_no_histories() -> None:
    first = facts(created("gone"), verdicts={"gone": ABSENT}, marks={Ref(EAST, "gone"): None})
    assert skipped(first)
    assert decide(replace(first, repeated=True)) == Need(histories=True)
