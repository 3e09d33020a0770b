"""How many requests each kind of change takes, in batches of ten: the table of docs/performance.md, row by row.

The counts are the guard against requests that creep in. Times are never tested.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.events import write

from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, OURS, WEST, Stage

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
KEYS = [f"k{number}" for number in range(10)]
COLUMNS = {
    "HEAD": ("HEAD",),
    "COPY": ("COPY",),
    "other S3": ("GET TAGS", "PUT TAGS", "LIST", "GET ACL", "DELETE"),
    "GetItem": ("READ", "READ EARLIER"),
    "UpdateItem": ("SETTLE", "CLOSE", "LEASE", "RELEASE"),
}
"""The columns of the table, and which calls of the fakes each counts."""


def put_all(stage: Stage, **content: object) -> None:
    for key in KEYS:
        stage.put(key, **content)  # type: ignore[arg-type]


def deliver_anew(stage: Stage) -> Counter[str]:
    """Deliver all that is on the queue as one batch, and count its calls."""
    stage.points.calls.clear()
    assert stage.deliver(*stage.queue.visible()) == []
    return Counter(call.operation for call in stage.points.calls)


def new() -> Stage:
    stage = Stage([rule(WEST)])
    put_all(stage)
    return stage


def to_both() -> Stage:
    stage = Stage([rule(WEST, rule_id="west"), rule(NORTH, rule_id="north")])
    put_all(stage)
    return stage


def tagged() -> Stage:
    stage = Stage([rule(WEST)])
    put_all(stage, tags={"team": "blue"})
    return stage


def no_tag_matches() -> Stage:
    stage = Stage([rule(WEST, tags={"team": "red"})])
    put_all(stage)
    return stage


def other_tags() -> Stage:
    stage = Stage([rule(WEST, tags={"team": "red"})])
    put_all(stage, tags={"team": "blue"})
    return stage


def overwritten() -> Stage:
    stage = new()
    stage.deliver_all()
    put_all(stage)
    return stage


def deleted() -> Stage:
    stage = Stage([rule(WEST, delete_markers=True)])
    put_all(stage)
    stage.deliver_all()
    stage.s3.clock.advance(1)
    for key in KEYS:
        stage.s3.delete(EAST, key)
    return stage


def twice() -> Stage:
    stage = new()
    bodies = [message.body for message in stage.queue.visible()]
    stage.deliver_all()
    for body in bodies:
        stage.queue.send(body)
    return stage


def unnamed() -> Stage:
    stage = Stage([rule(WEST, prefix="elsewhere/")])
    put_all(stage)
    return stage


def echoed() -> Stage:
    """Versions that a function wrote here, whose events a filter let through."""
    stage = Stage([rule(WEST)])
    for key in KEYS:
        stage.s3.clock.advance(1)
        stage.queue.send(write(Change(ChangeKind.CREATED, EAST, key, "v", stage.services.now(), principal=OURS)))
    return stage


def existing() -> Stage:
    """Versions that stand alone, asked for by an operator."""
    stage = Stage([rule(WEST)])
    stage.s3.listeners.clear()
    for key in KEYS:
        version = stage.put(key)
        change = Change(ChangeKind.CREATED, EAST, key, version.version_id, stage.services.now(), wish=Wish.EXISTING)
        stage.queue.send(write(replace(change, lone=True)))
    return stage


def retagged() -> Stage:
    stage = new()
    stage.deliver_all()
    for key in KEYS:
        current = stage.s3.buckets[EAST].current(key)
        assert current
        stage.s3.tag(EAST, key, current.version_id, {"team": "blue"})
    return stage


KINDS: dict[str, Callable[[], Stage]] = {
    "a new object": new,
    "to two destinations": to_both,
    "with tags": tagged,
    "a rule with a tag filter, no tags": no_tag_matches,
    "a rule with a tag filter, other tags": other_tags,
    "onto an older version": overwritten,
    "a delete marker": deleted,
    "an event that comes twice": twice,
    "a key that no rule names": unnamed,
    "a replica's own event": echoed,
    "an existing object (`resync`)": existing,
    "tags that changed later": retagged,
}


def promised() -> dict[str, list[str]]:
    """Return the rows of the table by their kind."""
    section = PAGE.read_text(encoding="utf-8").partition("## Requests")[2].partition("\n## ")[0]
    lines = re.findall(r"^\|.*\|$", section, re.MULTILINE)
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_takes_as_many_requests_as_the_table_says(kind: str) -> None:
    made = deliver_anew(KINDS[kind]())
    known = {name for names in COLUMNS.values() for name in names} | {"READ AHEAD", "READ GATES"}
    assert made.keys() <= known, "every call is in some column"
    row = [f"{sum(made[name] for name in names) / len(KEYS):g}" for names in COLUMNS.values()]
    ahead = "0.1" if made["READ AHEAD"] else "0"
    assert promised()[kind] == [*row, ahead]


def test_the_table_has_these_rows_and_no_other() -> None:
    heading, line, *titles = promised()
    assert (heading, line) == ("", "---")
    assert titles == [*KINDS]
    assert promised()[""] == [*COLUMNS, "BatchGetItem"]
