"""One change -> matching rules -> every matching destination, side by side -> one result each.

The door that live events, redriven failures and batch tasks all go through.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.eligibility import Limits
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.versions.change import Aspect, Change
from replicator.flows.change.reading import Marks, Reader, Versions
from replicator.flows.change.redelivery import EarlierByDestination, begin_alone, look_back, reported_before
from replicator.flows.change.synchronise import Synchroniser
from replicator.flows.large.ports import Multipart
from replicator.flows.large.writing import LargeWriter
from replicator.flows.ports import Buckets, Journal, Replicas, SideBySide


@dataclass(frozen=True, slots=True)
class Services:
    """All that replicating needs, built once per container.

    `rules` returns a bucket's rules, at most a minute old, and raises Temporary if they cannot be read or understood;
    `now` returns epoch milliseconds; `own_principals` are the principal ids under which replicator functions write.
    Without `multipart`, one request copies every version. `threshold_ms` is the stack's own, for rules that name none.
    """

    buckets: Buckets
    rules: Callable[[str], RuleSet]
    journal: Journal
    marks: Marks
    limits: Limits
    side_by_side: SideBySide
    now: Callable[[], int]
    own_principals: frozenset[str] = frozenset()
    multipart: Multipart | None = None
    threshold_ms: int = 15 * 60_000


def replicate(change: Change, delivery: Delivery, services: Services, only: str = "") -> list[Result]:
    """Bring one change to all its destinations, or to just one. Trouble is a result; nothing is raised for it.

    Raises Suspected for a repeated delivery that must be alone with its change.
    """
    anywhere, there = (Attempt(change, delivery, Target(bucket), services.threshold_ms) for bucket in ("", only))
    if change.principal and change.principal in services.own_principals:
        return [ended(anywhere, Status.SKIPPED, Reason.OWN_WRITE, "written by a replicator function")]
    if not change.is_replicated:
        return [ended(anywhere, Status.SKIPPED, Reason.KIND_NOT_REPLICATED, f"{change.kind}: {change.name}")]
    try:
        rules = services.rules(change.bucket)
    except (Temporary, Permanent) as trouble:
        return [troubled(there, trouble)]
    candidates = tuple(each for each in rules.candidates(change.key) if only in {"", each.destination})
    if not candidates:
        disabled = "every rule that names its key is disabled"
        why = disabled if rules.only_disabled(change.key) else "no enabled rule has a prefix that matches its key"
        return [ended(there, Status.SKIPPED, Reason.NO_RULE, why)]
    return _bring_everywhere(change, delivery, candidates, services)


def attempt_at(candidate: Candidate, change: Change, delivery: Delivery, threshold_ms: int) -> Attempt:
    """Return the attempt of a change at the destination of a candidate."""
    return Attempt(change, delivery, Target(candidate.destination, candidate.account), threshold_ms)


def _bring_everywhere(
    change: Change, delivery: Delivery, candidates: Sequence[Candidate], services: Services
) -> list[Result]:
    attempts = [attempt_at(candidate, change, delivery, services.threshold_ms) for candidate in candidates]
    try:
        found = look_back(attempts, delivery, services.journal)
    except Temporary as trouble:
        return [troubled(attempt, trouble) for attempt in attempts]
    source = versions_of_source(change, candidates, services)
    if change.aspect is Aspect.CONTENT and len(candidates) > 1:
        _read_once(change, source)
    bring = _Bring(found, source, services)
    pairs = zip(attempts, candidates, strict=True)
    return services.side_by_side([partial(bring, attempt, candidate) for attempt, candidate in pairs])


@dataclass(frozen=True, slots=True)
class _Bring:
    """Brings one change to its destinations; what is in here is the same for all of them."""

    found: EarlierByDestination
    source: Versions
    services: Services

    def __call__(self, attempt: Attempt, candidate: Candidate) -> Result:
        earlier, journal = self.found.get(attempt.target.bucket), self.services.journal
        if reported := reported_before(attempt, earlier):
            return reported
        try:
            if attempt.delivery.alone:
                begin_alone(attempt, earlier, journal)
            synchroniser = make_synchroniser(attempt, candidate, self.source, self.services)
            return synchroniser.run(journal.read(attempt.pair))
        except (Temporary, Permanent) as trouble:
            # Trouble with the destination as a whole; its rule is named unless tags would decide which.
            rule = candidate.select({})
            return troubled(attempt, trouble).but(rule_id=rule.id if rule else "")


def make_synchroniser(attempt: Attempt, candidate: Candidate, source: Versions, services: Services) -> Synchroniser:
    """Put together what brings one change to one destination. Raises Temporary or Permanent."""
    replicas = services.buckets.replicas(attempt.target)
    attempt = replace(attempt, target=services.buckets.describe(attempt.target))
    acls = attempt.target.capabilities.acls
    far = Versions(replicas, attempt.target.bucket, attempt.change.key, lambda: acls)
    reader = Reader(
        source, far, attempt.target, candidate, services.limits, services.marks, services.side_by_side, services.now
    )
    large = _make_large_writer(attempt, replicas, services)
    return Synchroniser(attempt, candidate, reader, replicas, services.journal, services.now, large)


def _make_large_writer(attempt: Attempt, replicas: Replicas, services: Services) -> LargeWriter | None:
    multipart = services.multipart
    if multipart is None:
        return None
    uploads = multipart.uploads(attempt.target)
    return LargeWriter(multipart, uploads, replicas, attempt, services.side_by_side, services.now)


def versions_of_source(change: Change, candidates: Sequence[Candidate], services: Services) -> Versions:
    """Return the source's versions of the key; their ACLs are read only if some destination can take one."""
    buckets = services.buckets

    def may_take_one(candidate: Candidate) -> bool:
        try:
            return buckets.describe(Target(candidate.destination, candidate.account)).capabilities.acls
        except (Temporary, Permanent):
            return True  # its own trouble, and reported there: the others must not fail for it

    def with_grants() -> bool:
        return any(map(may_take_one, candidates)) and buckets.source_has_acls(change.bucket)

    return Versions(buckets.source(change.bucket), change.bucket, change.key, with_grants, natives_only=True)


def _read_once(change: Change, source: Versions) -> None:
    """Read the version before its destinations share it; each of them meets, and reports, what goes wrong."""
    try:
        source.get(change.version_id)
    except (Temporary, Permanent):
        return
