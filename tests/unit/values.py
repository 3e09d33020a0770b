"""Builders of the core's values: a field that a test does not name has the plainest value there is."""

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
"""Epoch seconds; when most things in these tests happened."""


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
    """Return bucket `west` as it was described; `can`: its capabilities."""
    return Target(WEST, region="us-west-2", capabilities=Capabilities(**can), listens=listens)


def proposed_copy(
    version: Head,
    tags: Mapping[str, str] | None = None,
    *,
    under: Rule | None = None,
    limits: Limits | None = None,
    **can: bool,
) -> ProposedCopy:
    """Return what the eligibility of a version is judged by, and what its replica is composed of."""
    origin = Origin(EAST, version.version_id, version.modified)
    return ProposedCopy(KEY, version, under or rule(), tags or {}, origin, target(**can), limits or Limits(), NOON)


def created(version_id: str = "v1", sequencer: str = "", at: int = NOON, **fields: Any) -> Change:
    return Change(ChangeKind.CREATED, EAST, KEY, version_id, time=at * 1000, sequencer=sequencer, **fields)


def deleted(version_id: str, sequencer: str = "", at: int = NOON) -> Change:
    return Change(ChangeKind.MARKED_DELETED, EAST, KEY, version_id, time=at * 1000, sequencer=sequencer)


def version(version_id: str, at: int = 0) -> Entry:
    """Return a history's entry that is a version, written `at` seconds after noon."""
    return Entry(version_id, EntryKind.VERSION, NOON + at, f'"{version_id}"', 7)


def marker(version_id: str, at: int = 0) -> Entry:
    """Return a history's entry that is a delete marker, written `at` seconds after noon."""
    return Entry(version_id, EntryKind.MARKER, NOON + at)


def origin_of(version_id: str, at: int = 0, where: str = EAST) -> Origin:
    """Return the origin of a native version of the bucket `where`, written `at` seconds after noon."""
    return Origin(where, version_id, NOON + at)


def replica(version_id: str, of: Origin) -> Replica:
    return Replica(version_id, f'"{version_id}"', of)


def attempt(change: Change | None = None, **delivery: Any) -> Attempt:
    """Return the attempt of a change at bucket `west`; `delivery`: the fields of its delivery."""
    return Attempt(change or created(), Delivery(**delivery), target(), threshold_ms=900_000)


def facts(change: Change, **fields: Any) -> Facts:
    """Return the facts of a change as they are before anything is read, but for the given fields."""
    there = target(listens=fields.pop("two_way", False), versions=fields.pop("versioned", True))
    return Facts(Attempt(change, Delivery(), there), **({"memory": Memory()} | fields))


def complete_facts(
    change: Change,
    source: History,
    destination: History,
    replicas: Mapping[str, Origin] | None = None,
    **fields: Any,
) -> Facts:
    """Return facts in which everything has been read. `replicas`: their origins; other versions are native."""
    origins = replicas or {}
    verdicts: dict[str, Verdict] = {entry.version_id: rule() for entry in source if entry.is_version}
    verdicts.update(fields.pop("verdicts", {}))
    marks = {
        Ref(where, entry.version_id): origins.get(entry.version_id)
        for where, history in ((EAST, source), (WEST, destination))
        for entry in history
        if entry.is_version
    }
    return facts(change, histories=Histories(destination, source), marks=marks, verdicts=verdicts, **fields)
