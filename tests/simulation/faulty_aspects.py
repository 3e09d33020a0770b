"""Faults of mutations.py that concern what changes after the write: each takes away one line of the decision.

Separate because they are about states, not about versions: base, intent, lease, who wins, what may never be weakened.
"""

from collections.abc import Sequence
from typing import Any

from replicator.core.aspects.base import Base
from replicator.core.aspects.merge import Sides
from replicator.core.versions.change import Change
from replicator.flows.amend.amender import Amender
from replicator.flows.amend.bases import Bases
from replicator.flows.amend.ending import Looked

from tests.fakes.journal import MemoryJournal

Fault = tuple[str, Sequence[tuple[object, str, object]], Sequence[str]]

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


TWO_WAY = ("later, two-way", "later, two-way, old versions")

FAULTS: tuple[Fault, ...] = (
    ("what two sides agreed on is not remembered", [(Bases, "of", _no_base)], TWO_WAY),
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
    ),
)
