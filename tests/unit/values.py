"""Short ways to say the values of the core: what a test does not care about is left at its dullest."""

from collections.abc import Mapping
from typing import Any

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.eligibility import Limits, ProposedCopy
from replicator.core.deciding.facts import Facts, Histories, Ref, Verdict
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.deciding.target import Capabilities, Target
from replicator.core.rules.rule import Destination, Rule
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, EntryKind, Head, History, Replica

EAST, WEST, KEY = "east", "west", "photos/1.jpg"
PAIR = Pair(EAST, WEST, KEY)
NOON = 1_700_000_000
"""Epoch seconds; the time of most things."""


def rule(**fields: Any) -> Rule:
    destination = Destination(WEST, **fields.pop("to", {}))
    defaults: dict[str, Any] = {
        "id": "rule",
        "enabled": True,
        "priority": 1,
        "prefix": "",
        "tags": frozenset[tuple[str, str]](),
    }
    return Rule(**(defaults | fields), destination=destination)


def head(version_id: str = "v1", **fields: Any) -> Head:
    defaults: dict[str, Any] = {"version_id": version_id, "etag": f'"{version_id}"', "size": 7, "modified": NOON}
    return Head(**(defaults | fields))


def target(*, listens: bool = False, **can: bool) -> Target:
    return Target(WEST, region="us-west-2", capabilities=Capabilities(**can), listens=listens)


def case(
    version: Head,
    tags: Mapping[str, str] | None = None,
    *,
    under: Rule | None = None,
    limits: Limits | None = None,
    **there: bool,
) -> ProposedCopy:
    origin = Origin(EAST, version.version_id, version.modified)
    return ProposedCopy(KEY, version, under or rule(), tags or {}, origin, target(**there), limits or Limits(), NOON)


def created(version_id: str = "v1", sequencer: str = "", at: int = NOON, **fields: Any) -> Change:
    return Change(ChangeKind.CREATED, EAST, KEY, version_id, time=at * 1000, sequencer=sequencer, **fields)


def deleted(version_id: str, sequencer: str = "", at: int = NOON) -> Change:
    return Change(ChangeKind.MARKED_DELETED, EAST, KEY, version_id, time=at * 1000, sequencer=sequencer)


def version(version_id: str, at: int = 0) -> Entry:
    """Return an entry that is an object, `at` seconds after noon."""
    return Entry(version_id, EntryKind.VERSION, NOON + at, f'"{version_id}"', 7)


def marker(version_id: str, at: int = 0) -> Entry:
    """Return an entry that is a delete marker, `at` seconds after noon."""
    return Entry(version_id, EntryKind.MARKER, NOON + at)


def native(version_id: str, at: int = 0, where: str = EAST) -> Origin:
    """Return the origin that a native version of `where` stands for."""
    return Origin(where, version_id, NOON + at)


def replica(version_id: str, of: Origin) -> Replica:
    return Replica(version_id, f'"{version_id}"', of)


def facts(change: Change, **fields: Any) -> Facts:
    there = target(listens=fields.pop("two_way", False), versions=fields.pop("versioned", True))
    return Facts(Attempt(change, Delivery(), there), **({"memory": Memory()} | fields))


def known(
    change: Change,
    source: History,
    destination: History,
    replicas: Mapping[str, Origin] | None = None,
    **fields: Any,
) -> Facts:
    """Return facts in which everything is read: each version is native unless `replicas` says what it stands for."""
    stands_for = replicas or {}
    verdicts: dict[str, Verdict] = {entry.version_id: rule() for entry in source if entry.is_version}
    verdicts.update(fields.pop("verdicts", {}))
    marks = {
        Ref(where, entry.version_id): stands_for.get(entry.version_id)
        for where, history in ((EAST, source), (WEST, destination))
        for entry in history
        if entry.is_version
    }
    return facts(change, histories=Histories(destination, source), marks=marks, verdicts=verdicts, **fields)
