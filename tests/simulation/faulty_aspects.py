"""Faults of mutations.py that concern what changes after the write: each takes away one line of the decision.

Separate because they are about states, not about versions: base, intent, lease, who wins, what may never be weakened.
A value that is written before it joins the base is not among them: a test of flows finds that, no world does.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from replicator.core.aspects import merge
from replicator.core.aspects.base import Base
from replicator.core.aspects.merge import Powers, Settled, Sides
from replicator.core.deciding import plan, standing
from replicator.core.outcomes.outcome import Reason
from replicator.core.versions.change import Change
from replicator.core.versions.origin import MARK
from replicator.flows.amend.amender import Amender
from replicator.flows.amend.bases import Bases
from replicator.flows.amend.ending import Looked, Skipped
from replicator.flows.amend.replicas import Look

from tests.fakes.journal import MemoryJournal
from tests.fakes.objects import MemoryObjects
from tests.simulation.faulty_parking import Fault

LEASE = MemoryJournal._lease


def _no_base(*_: object) -> Base:
    return Base()


def _anybody(self: MemoryJournal, pair: Any, holder: str, now: int, until: int) -> Any:
    self.leases.pop(pair, None)
    return LEASE(self, pair, holder, now, until)


def _no_copy(self: Amender, version_id: str) -> Any:
    ending = self._with_lease(version_id).ending
    return Looked.EQUAL if ending is Looked.NOT_COPIED else ending


def _as_source(self: Any, *_: object) -> list[bool]:
    return [True] * len(self.replicas)


def _named_by_time(self: Change) -> str:
    return f"{self.version_id}@{self.time}#{self.aspect}" if not self.creates_entry else self.version_id


def _none(*_: object) -> tuple[Any, ...]:
    return ()


def _never(*_: object) -> bool:
    return False


def _without_mark(self: MemoryObjects, key: str, version_id: str, tags: Mapping[str, str]) -> None:
    PUT_TAGS(self, key, version_id, {name: value for name, value in tags.items() if name != MARK})


def _any_other(old: Any, new: Any, _now: int) -> bool:
    return bool(old != new)


def _forward_nothing(_: Look, mark: Any) -> Any:
    return Skipped(Reason.REPLICA, f"a replica of {mark}")


def _no_side_by_name(sides: Sides, powers: Powers) -> Settled:
    """Take the source's value where no base is known, wherever the change was seen."""
    return SETTLE(sides, powers if sides.base else replace(powers, from_replica=False))


def _nothing_back(sides: Sides, powers: Powers) -> Settled:
    """Leave a changed replica, though the change was seen there."""
    return SETTLE(sides, replace(powers, from_replica=False) if sides.base else powers)


def _as_it_is(sides: Sides, _powers: Any = None) -> Settled:
    return Settled(sides.source, sides.replicas)


PUT_TAGS = MemoryObjects.put_tags
SETTLE = merge._settle
LOCKS = ("later, two-way, holds of unmarked", "later, two-way, event holds")
TAGS = ("later, two-way, tags",)
TWO_WAY = ("later, two-way", "later, two-way, old versions")


def _to_all(sides: Sides) -> Settled:
    return Settled(sides.source, tuple(sides.source for _ in sides.replicas))


FAULTS: tuple[Fault, ...] = (
    ("what two sides agreed on is not remembered", [(Bases, "of", _no_base)], TAGS),
    ("two handlers change one version at a time", [(MemoryJournal, "_lease", _anybody)], TWO_WAY),
    ("of two changes the replica's wins", [(Sides, "source_as_base", True)], TWO_WAY),
    ("a change before the copy copies nothing", [(Amender, "_amend", _no_copy)], ("later, one-way, tag filter",)),
    (
        "a stale replica is taken for changed",
        [(Sides, "changed", _as_source)],
        ("later, two-way, users delete for good",),
    ),
    (
        "later changes of one moment share a journal item",
        [(Change, "item_id", property(_named_by_time))],
        ("later, one-way, annotations removed", "later, two-way"),
        4956,
    ),
    (
        "replicas that were put back are not looked at again",
        [(plan._Planner, "_doubled", _none)],
        ("later, one-way, tags",),
        5179,
    ),
    (
        "a mark that is a tag is lost when tags are written",
        [(MemoryObjects, "put_tags", _without_mark)],
        ("later, two-way, marks are tags",),
        0,
        True,
    ),
    ("a hold is lifted though the base does not know it", [(merge, "_lifts", _never)], LOCKS, 0, True),
    ("a retention is written though it ends sooner", [(merge, "_extends", _any_other)], LOCKS),
    ("what was put back beside its version is not followed", [(standing.Standing, "twins_of", _none)], TAGS),
    ("changes of replicas are not forwarded", [(Look, "_forward", _forward_nothing)], TWO_WAY),
    ("without a base the version's value always stands", [(merge, "_settle", _no_side_by_name)], TWO_WAY),
    ("a changed version is not written to its replicas", [(Base, "is_source_changed", _never)], TWO_WAY),
    ("a changed replica is not written to its version", [(merge, "_settle", _nothing_back)], TWO_WAY),
    ("what users changed at a replica is overwritten", [(merge, "_to_unchanged", _to_all)], TAGS),
    ("other replicas do not follow either while one is changed", [(merge, "_to_unchanged", _as_it_is)], TAGS),
    ("what a crash left between intent and write stays", [(merge, "_finish_intent", _as_it_is)], TAGS, 3220),
)
