"""One change -> matching rules -> every matching destination, side by side -> one outcome each.

The door that live events, redriven failures and batch tasks all go through.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.bucket import BucketFacts
from replicator.core.deciding.eligibility import Limits
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary, Trouble
from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.versions.change import Aspect, Change
from replicator.core.versions.origin import Origin
from replicator.flows.change.reading import Marks, Reader, Versions
from replicator.flows.change.redelivery import EarlierByDestination, begin_alone, look_back, told_before
from replicator.flows.change.synchronise import Synchroniser
from replicator.flows.delivery import Delivery, troubled
from replicator.flows.large.ports import Multipart
from replicator.flows.large.writing import LargeWriter
from replicator.flows.ports import Buckets, Journal, Replicas, SideBySide


@dataclass(frozen=True, slots=True)
class Services:
    """All that replicating needs, built once per container.

    `rules` gives a bucket's rules, at most a minute old, and raises Temporary if they cannot be read or understood;
    `now` gives epoch milliseconds; `own_principals` are the principal ids under which replicator functions write.
    Without `multipart`, one request copies every version.
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


def replicate(change: Change, delivery: Delivery, services: Services, only: str = "") -> list[Outcome]:
    """Bring one change to all its destinations, or to just one. Trouble is an outcome; nothing is raised for it.

    Raises Suspected for a repeated delivery that must be alone with its change.
    """
    if change.principal and change.principal in services.own_principals:
        return [_skipped(change, Reason.OWN_WRITE, "written by a replicator function")]
    if not change.is_replicated:
        return [_skipped(change, Reason.KIND_NOT_REPLICATED, f"{change.kind}: {change.name}")]
    try:
        rules = services.rules(change.bucket)
    except Temporary as trouble:
        return [troubled(Status.PENDING, trouble, change, only)]
    except Permanent as trouble:
        return [troubled(Status.FAILED, trouble, change, only)]
    candidates = tuple(each for each in rules.candidates(change.key) if only in {"", each.destination})
    if not candidates:
        disabled = "every rule that names its key is disabled"
        detail = disabled if rules.only_disabled(change.key) else "no enabled rule has a prefix that matches its key"
        nobody = _skipped(change, Reason.NO_RULE, detail)
        return [replace(nobody, destination=only)]
    return _bring_everywhere(change, candidates, delivery, services)


def _bring_everywhere(
    change: Change, candidates: Sequence[Candidate], delivery: Delivery, services: Services
) -> list[Outcome]:
    try:
        found = look_back(change, candidates, delivery, services.journal)
    except Temporary as trouble:
        return [troubled(Status.PENDING, trouble, change, candidate.destination) for candidate in candidates]
    source = versions_of_source(change, candidates, services)
    if change.aspect is Aspect.CONTENT and len(candidates) > 1:
        _read_once(change, source)
    bring = partial(_bring, change, delivery, found, source, services)
    return services.side_by_side([partial(bring, candidate) for candidate in candidates])


def _bring(  # noqa: PLR0913, PLR0917 - all but the last are the same for every destination
    change: Change,
    delivery: Delivery,
    found: EarlierByDestination,
    source: Versions,
    services: Services,
    candidate: Candidate,
) -> Outcome:
    pair = Pair(change.bucket, candidate.destination, change.key)
    if told := told_before(change, pair, found, delivery):
        return told
    try:
        if delivery.alone:
            begin_alone(change, pair, found.get(pair.destination), delivery, services.journal)
        return make_synchroniser(change, candidate, source, delivery, services).run(services.journal.read(pair))
    except Temporary as trouble:
        return _before_it_began(Status.PENDING, trouble, change, candidate)
    except Permanent as trouble:
        return _before_it_began(Status.FAILED, trouble, change, candidate)


def _before_it_began(status: Status, trouble: Trouble, change: Change, candidate: Candidate) -> Outcome:
    """Return the outcome of trouble with a destination as a whole, with its rule unless tags would decide which."""
    rule = candidate.select({})
    return replace(troubled(status, trouble, change, candidate.destination), rule_id=rule.id if rule else "")


def note_completed(change: Change, outcomes: Sequence[Outcome], delivery: Delivery, services: Services) -> None:
    """Spare what is completed a second look when the message comes back for the sake of another destination.

    Only saves money: trouble here is nobody's.
    """
    with suppress(Temporary, Permanent):
        for outcome in outcomes:
            if outcome.status is Status.COMPLETED and not outcome.told:
                pair = Pair(change.bucket, outcome.destination, change.key)
                services.journal.note_completed(pair, change.item_id, delivery.message, services.now())


def make_synchroniser(
    change: Change, candidate: Candidate, source: Versions, delivery: Delivery, services: Services
) -> Synchroniser:
    """Put together what brings one change to one destination. Raises Temporary or Permanent."""
    pair = Pair(change.bucket, candidate.destination, change.key)
    account = candidate.rules[0].destination.account or ""
    destination = services.buckets.destination(pair.destination, account)
    there = _facts_of(candidate, services)
    far = Versions(destination, pair.destination, change.key, lambda: there.acls_enabled)
    reader = Reader(source, far, there, candidate, services.limits, services.marks, services.side_by_side, services.now)
    large = _make_large_writer(change, pair, destination, account, delivery, services)
    return Synchroniser(change, candidate, delivery, pair, reader, destination, services.journal, services.now, large)


def _make_large_writer(  # noqa: PLR0913, PLR0917 - it works for one change at one destination
    change: Change, pair: Pair, destination: Replicas, account: str, delivery: Delivery, services: Services
) -> LargeWriter | None:
    if services.multipart is None:
        return None
    uploads = services.multipart.uploads(pair.destination, account)
    return LargeWriter(
        multipart=services.multipart,
        uploads=uploads,
        destination=destination,
        change=change,
        pair=pair,
        account=account,
        delivery=delivery,
        side_by_side=services.side_by_side,
        now=services.now,
    )


def _facts_of(candidate: Candidate, services: Services) -> BucketFacts:
    return services.buckets.destination_facts(candidate.destination, candidate.rules[0].destination.account or "")


def versions_of_source(change: Change, candidates: Sequence[Candidate], services: Services) -> Versions:
    """Return the source's versions of the key; their ACLs are read only if some destination can take one."""

    def may_take_one(candidate: Candidate) -> bool:
        try:
            return _facts_of(candidate, services).acls_enabled
        except (Temporary, Permanent):
            return True  # its own trouble, and told there: the others must not fail for it

    def with_grants() -> bool:
        return any(map(may_take_one, candidates)) and services.buckets.source_facts(change.bucket).acls_enabled

    return Versions(services.buckets.source(change.bucket), change.bucket, change.key, with_grants, natives_only=True)


def _read_once(change: Change, source: Versions) -> None:
    """Read the version before its destinations share it; what goes wrong is met again, and told, by each of them."""
    try:
        source.get(change.version_id)
    except (Temporary, Permanent):
        return


def _skipped(change: Change, reason: Reason, detail: str) -> Outcome:
    origin = Origin(change.bucket, change.version_id, change.time // 1000)
    return Outcome(Status.SKIPPED, reason, detail, origin=origin, size=change.size)
