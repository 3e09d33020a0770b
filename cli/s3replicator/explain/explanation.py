"""One version -> its rules -> the facts at each destination -> what would be done now. Nothing is written.

It reads the facts that a redelivered event would read, and calls the decision that live events get, so it shows what a
redelivery would do at this moment.
"""

from dataclasses import dataclass, replace

from replicator.core.deciding.actions import Decided, FastCopy, Finish, Step
from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.facts import Absent, Facts
from replicator.core.outcomes.outcome import Permanent, Temporary, Trouble
from replicator.core.rules.matching import Candidate, Match
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Head, MarkerHead, StoredVersion
from replicator.flows.amend.sync import Step as LaterStep
from replicator.flows.change.replicate import (
    Services,
    attempt_at,
    make_amender,
    make_synchroniser,
    versions_of_source,
)
from replicator.flows.ports import Earlier
from replicator.flows.reading import Versions, unlisted

EVENT_NAME = "explain"
REDELIVERY = Delivery(redriven=True)

Subject = StoredVersion | MarkerHead | Absent
"""What the explained version is."""


@dataclass(frozen=True, slots=True)
class AtDestination:
    """One destination: the facts and the decision that follows from them, or the trouble that prevents reading them.

    `earlier`: what the journal remembers of deliveries of this version that did not succeed at once. `later`: what a
    native version and its replicas have of each aspect that may change after the write; empty if it has no replica, or
    if `later_trouble` prevents reading them.
    """

    destination: str
    facts: Facts | None = None
    decision: Decided | None = None
    earlier: Earlier | None = None
    trouble: Trouble | None = None
    later: tuple[LaterStep, ...] = ()
    later_trouble: Trouble | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What would be done; nothing if the decision finishes the change, or if there is none."""
        if self.decision is None or isinstance(self.decision, Finish):
            return ()
        return (self.decision.copy,) if isinstance(self.decision, FastCopy) else self.decision.steps


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one version. `origin`: set if it is a replica."""

    change: Change
    subject: Subject
    origin: Origin | None
    matches: tuple[Match, ...]
    destinations: tuple[AtDestination, ...]


def explain_version(bucket: str, key: str, version_id: str, services: Services) -> Explanation:
    """Explain one version; an empty id means the current one. Raises Temporary or Permanent if it cannot be read."""
    change, subject = _find(bucket, key, version_id, services)
    rules = services.rules(bucket)
    candidates = () if isinstance(subject, Absent) else rules.candidates(key)
    source = versions_of_source(change, services)
    tags = subject.tags if isinstance(subject, StoredVersion) else {}
    return Explanation(
        change,
        subject,
        source.mark(change.version_id) if isinstance(subject, StoredVersion) else None,
        rules.match_all(key, tags),
        tuple(_at_destination(change, candidate, source, services) for candidate in candidates),
    )


def _find(bucket: str, key: str, version_id: str, services: Services) -> tuple[Change, Subject]:
    """Find out what the version is. A key that is deleted at the source is explained by its delete marker."""
    objects = services.buckets.source(bucket)
    change = Change(ChangeKind.CREATED, bucket, key, version_id, name=EVENT_NAME)
    if not version_id:
        top = objects.top(key)
        if isinstance(top, Absent):
            return change, top
        change = replace(change, version_id=top.version_id)
    head = objects.head(key, change.version_id)
    if isinstance(head, Head):
        tags = objects.tags(key, head.version_id) if head.tag_count != 0 else {}
        return replace(change, time=head.modified * 1000, size=head.size), StoredVersion(head, tags)
    marker = next((entry for entry in objects.history(key) if entry.version_id == change.version_id), None)
    if marker is None and objects.exists(key, change.version_id):
        raise unlisted("source", change.version_id)
    if marker is None or marker.is_version:
        return change, head
    change = replace(change, kind=ChangeKind.MARKED_DELETED, time=marker.modified * 1000)
    return change, MarkerHead(marker.version_id)


def _at_destination(change: Change, candidate: Candidate, source: Versions, services: Services) -> AtDestination:
    attempt = attempt_at(candidate, change, REDELIVERY, services.threshold_ms)
    try:
        synchroniser = make_synchroniser(attempt, candidate, source, services)
        facts, decision = synchroniser.dry_run(services.journal.read(attempt.pair))
        earlier = services.journal.earlier(attempt.pair, change.item_id)
    except (Temporary, Permanent) as trouble:
        return AtDestination(candidate.destination, trouble=trouble)
    at = AtDestination(candidate.destination, facts, decision, earlier)
    try:
        return replace(at, later=_later(attempt, candidate, source, services))
    except (Temporary, Permanent) as trouble:
        return replace(at, later_trouble=trouble)


def _later(attempt: Attempt, candidate: Candidate, source: Versions, services: Services) -> tuple[LaterStep, ...]:
    """Examine what may change after the write. A delete marker has nothing, a replica is its owner's to look at."""
    change = attempt.change
    if change.kind is not ChangeKind.CREATED or source.mark(change.version_id):
        return ()
    state = replace(attempt, change=replace(change, kind=ChangeKind.STATE))
    return make_amender(state, candidate, source, services).examine()
