"""A version that was deleted for good at the source: skipped, once nothing is left that an earlier attempt disturbed.

Names are those of test_plan.py; g is the replica of the version that is gone, which was written at noon.
"""

from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.actions import Finish, Need, Plan
from replicator.core.deciding.decision import decide
from replicator.core.deciding.facts import ABSENT, Facts, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Reason, Status

from tests.unit.histories import GONE_OVER, MARKERS, TWO_WAY, Fields, history, replicas, steps
from tests.unit.values import EAST, created, facts, known, native

SKIPPED = (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


def look(source: str, destination: str, **fields: Any) -> Facts:
    here, there = history(source), history(destination)
    stands = {**replicas(here, there), "g": native("gone")}
    found = known(created("gone", "0A"), here, there, stands, **({"repeated": True} | fields))
    gone = Ref(EAST, "gone")
    return replace(found, marks={**found.marks, gone: None}, verdicts={**found.verdicts, "gone": ABSENT})


def skipped(given: Facts) -> bool:
    decision = decide(given)
    return isinstance(decision, Finish) and (decision.status, decision.reason) == SKIPPED


TOLD: Fields = MARKERS | GONE_OVER
PUT_RIGHT: list[tuple[str, str, str, Fields, list[str]]] = [
    ("a later version comes back on top", "v1@1", "r1@2 g@3", {}, ["put back r1"]),
    ("also over what was put back before somebody deleted it", "v1@1 v2@2", "g@1 r2@3 r1@4", {}, ["put back r2"]),
    ("others were settled by then", "v1@1", "r1@2 g@3", {"memory": Memory(2, None, "", ("gone",))}, ["put back r1"]),
    ("a delete that went over comes back", "d1@1", "d9@2 g@3", TOLD, ["delete"]),
    ("two-way, a later write of the destination comes back", "", "w1@2 g@3", TWO_WAY, ["put back w1"]),
]
LEFT_ALONE: list[tuple[str, str, str, Fields]] = [
    ("nobody can have written it yet", "v1@1", "r1@2 g@3", {"repeated": False}),
    ("there is nothing", "v1@1", "", {}),
    ("there is nothing else", "", "g@3", {}),
    ("what is missing is left to its own change", "v1@1", "g@3", {}),
    ("what is far older stays below", "v1@-9999", "r1@-9998 g@3", {}),
    ("what must be on top is there", "v1@1", "g@1 r1@2", {}),
    ("a user's write is on top", "v1@1", "g@1 r1@2 w1@3", {}),
    ("a user's delete is on top", "v1@1", "g@1 r1@2 d9@3", {}),
    ("a delete is below a version that is not looked for", "d1@-9999 v1@-9998", "d9@-9997 r1@-9996", TOLD),
    ("a delete that no event told of does not go over", "d1@1", "g@3", MARKERS),
]


@pytest.mark.parametrize("row", PUT_RIGHT, ids=[row[0] for row in PUT_RIGHT])
def test_what_it_was_written_over_is_put_back(row: tuple[str, str, str, Fields, list[str]]) -> None:
    _, source, destination, fields, expected = row
    given = look(source, destination, **fields)
    plan = decide(given)
    assert isinstance(plan, Plan)
    assert plan.gone
    assert steps(given) == expected


@pytest.mark.parametrize("row", LEFT_ALONE, ids=[row[0] for row in LEFT_ALONE])
def test_otherwise_it_is_skipped(row: tuple[str, str, str, Fields]) -> None:
    _, source, destination, fields = row
    assert skipped(look(source, destination, **fields))


def test_a_first_delivery_asks_for_no_more_than_the_head() -> None:
    first = facts(created("gone"), verdicts={"gone": ABSENT}, marks={Ref(EAST, "gone"): None})
    assert skipped(first)
    assert decide(replace(first, repeated=True)) == Need(histories=True)
