"""One change -> matching rules -> every matching destination, side by side -> one result each.

The entry point for live events, redriven failures and batch tasks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.eligibility import Limits
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import NO_TARGET, Target
from replicator.core.outcomes.outcome import Permanent, Reason, Side, Status, Temporary
from replicator.core.outcomes.parking import Parked
from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.versions.change import Aspect, Change, ChangeKind
from replicator.core.versions.events import write
from replicator.core.versions.origin import Origin
from replicator.flows.amend.amender import Amender
from replicator.flows.amend.ending import Scene
from replicator.flows.amend.removal import pass_on
from replicator.flows.change.deadline import Threads, run_until
from replicator.flows.change.gatekeeper import Gatekeeper
from replicator.flows.change.redelivery import EarlierByDestination, begin_alone, read_earlier, reported_before
from replicator.flows.change.shares import Shares
from replicator.flows.change.synchronise import Synchroniser
from replicator.flows.large.ports import Multipart
from replicator.flows.large.writing import LargeWriter
from replicator.flows.ports import Buckets, Earlier, Forwarding, Journal, NoForwarding, Replicas, SideBySide, Waiting
from replicator.flows.reading import Marks, Reader, Versions


@dataclass(frozen=True, slots=True)
class Services:
    """All that replicating needs, built once per container.

    rules: returns a bucket's rules, at most a minute old; raises Temporary if they cannot be read or are invalid. now:
    returns epoch milliseconds. own_principals: the principal ids under which replicator functions write. multipart:
    without it, every version is copied by one request. threshold_ms: the stack's own, for rules that name none.
    gatekeeper: without it, all gates are open. shares: without it, no bucket waits for others. threads: for deliveries
    that end at a given time. forwarding: sends changes of replicas to the stacks that own their versions. warn: takes a
    line for the log. read_before: takes the journal's entry of a pair if it was read for the batch, once. enlist: makes
    sure that what is parked for a destination is found; raises Temporary.
    """

    buckets: Buckets
    rules: Callable[[str], RuleSet]
    journal: Journal
    marks: Marks
    limits: Limits
    side_by_side: SideBySide
    threads: Threads
    now: Callable[[], int]
    own_principals: frozenset[str] = frozenset()
    multipart: Multipart | None = None
    threshold_ms: int = 15 * 60_000
    gatekeeper: Gatekeeper | None = None
    shares: Shares | None = None
    forwarding: Forwarding = field(default_factory=NoForwarding)
    warn: Callable[[str], None] = lambda _: None
    read_before: Callable[[Pair], Memory | None] = lambda _: None
    enlist: Callable[[str], None] = lambda _: None


LOOK_AGAIN_MS = 10_000
"""After which a version is looked at whose lease another function held."""


def replicate(change: Change, delivery: Delivery, services: Services, only: str = "") -> list[Result]:
    """Replicate one change to all its destinations, or only to one. Trouble is a result; it is never raised.

    Raises Suspected if the message must be processed alone.
    """
    anywhere = Attempt(change, delivery, NO_TARGET, services.threshold_ms)
    there = replace(anywhere, target=Target(only))
    if dropped := drop(change, services):
        return [ended(anywhere, Status.SKIPPED, *dropped)]
    try:
        rules = services.rules(change.bucket)
    except (Temporary, Permanent) as trouble:
        return [troubled(there, trouble)]
    candidates = candidates_of(change, rules, only)
    if not candidates:
        disabled = "every rule that names its key is disabled"
        why = disabled if rules.only_disabled(change.key) else "no enabled rule has a prefix that matches its key"
        return [ended(there, Status.SKIPPED, Reason.NO_RULE, why)]
    return _replicate_to_all(change, delivery, candidates, services)


def candidates_of(change: Change, rules: RuleSet, only: str) -> tuple[Candidate, ...]:
    """Return the candidates to whose destinations a change is carried over. only: the one destination, empty for all.

    One that was seen at a replica is compared with that destination first: the others follow the version.
    """
    named = ({"", each.destination} for each in rules.candidates(change.key))
    return tuple(
        each
        for each, names in zip(rules.candidates(change.key), named, strict=True)
        if only in names and change.seen_at in names
    )


def drop(change: Change, services: Services) -> tuple[Reason, str] | None:
    """Return why a change is skipped, in words too, if its event says so; None if rules must be asked."""
    if change.principal and change.principal in services.own_principals:
        return Reason.OWN_WRITE, "written by a replicator function"
    return None if change.is_replicated else (Reason.KIND_NOT_REPLICATED, f"{change.kind}: {change.name}")


def attempt_at(candidate: Candidate, change: Change, delivery: Delivery, threshold_ms: int) -> Attempt:
    """Return the attempt for the destination of a candidate."""
    return Attempt(change, delivery, _target(candidate), threshold_ms)


def _target(candidate: Candidate) -> Target:
    return Target(candidate.destination, candidate.account)


def _replicate_to_all(
    change: Change, delivery: Delivery, candidates: Sequence[Candidate], services: Services
) -> list[Result]:
    """Replicate one change to some destinations. What needs no request to a bucket is settled before any is made."""
    attempts = [attempt_at(candidate, change, delivery, services.threshold_ms) for candidate in candidates]
    named = list(zip(attempts, candidates, strict=True))
    try:
        earlier = read_earlier(attempts, delivery, services.journal)
    except (Temporary, Permanent) as trouble:
        return [_with_rule(troubled(attempt, trouble), candidate) for attempt, candidate in named]
    done = [_without_request(*each, earlier, services) for each in named]
    left = [each for each, result in zip(named, done, strict=True) if result is None]
    asked = iter(_ask_all(change, delivery, left, earlier, services) if left else ())
    return [result or next(asked) for result in done]


def _without_request(
    attempt: Attempt, candidate: Candidate, earlier: EarlierByDestination, services: Services
) -> Result | None:
    """Return what is known already: an earlier delivery's result, or that it waits for a gate, or for other buckets.

    A change that the handler of another message completed cannot be parked, and what this one left is checked at once.
    """
    before = earlier.get(attempt.target.bucket)
    if reported := reported_before(attempt, before):
        return reported
    if services.gatekeeper is None or (before and before.status is Status.COMPLETED):
        return None
    held = services.gatekeeper.hold(attempt) or (services.shares.hold(attempt) if services.shares else None)
    return _with_rule(held, candidate) if held else None


def _ask_all(
    change: Change,
    delivery: Delivery,
    named: Sequence[tuple[Attempt, Candidate]],
    earlier: EarlierByDestination,
    services: Services,
) -> list[Result]:
    candidates = [candidate for _, candidate in named]
    try:
        source = versions_of_source(change, services, asked_for=delivery.copies_replicas)
    except (Temporary, Permanent) as trouble:  # with the whole source bucket
        return [_with_rule(troubled(attempt, trouble), candidate) for attempt, candidate in named]
    if change.aspect is Aspect.CONTENT and len(candidates) > 1:
        _read_once(change, source)
    tasks = [
        partial(_ask, attempt, candidate, earlier.get(attempt.target.bucket), source, services)
        for attempt, candidate in named
    ]
    results = _in_time(delivery, named, tasks, services)
    if services.gatekeeper:
        for result in results:
            services.gatekeeper.saw(result)
    return results


def _in_time(
    delivery: Delivery,
    named: Sequence[tuple[Attempt, Candidate]],
    tasks: Sequence[Callable[[], Result]],
    services: Services,
) -> list[Result]:
    """Run tasks side by side. What does not end in time is the destination's trouble: reads end much earlier."""
    if not delivery.until:
        return services.side_by_side(tasks)
    results = run_until(delivery.until, tasks, services.threads, services.now)
    late = Temporary(Reason.TIMED_OUT, "it did not end in time", Side.DESTINATION)
    return [
        result or _with_rule(troubled(attempt, late), candidate)
        for result, (attempt, candidate) in zip(results, named, strict=True)
    ]


def _ask(
    attempt: Attempt, candidate: Candidate, earlier: Earlier | None, source: Versions, services: Services
) -> Result:
    try:
        if attempt.delivery.alone:
            begin_alone(attempt, earlier, services.journal)
        if attempt.change.amends:
            return _or_later(make_amender(attempt, candidate, source, services).run(), attempt, candidate, services)
        synchroniser = make_synchroniser(attempt, candidate, source, services)
        memory = _memory(attempt, services)
        if pass_on(synchroniser.attempt, candidate, memory, services.forwarding):
            asked = ended(attempt, Status.SKIPPED, Reason.KIND_NOT_REPLICATED, "a deletion; asked whether of a marker")
            return _with_rule(asked, candidate)
        result = synchroniser.run(memory)
        return _undo_what_was_removed(result, attempt, candidate, source, services)
    except (Temporary, Permanent) as trouble:
        return _with_rule(troubled(attempt, trouble), candidate)


def _memory(attempt: Attempt, services: Services) -> Memory:
    """Return the journal's entry, as it was read for the batch or as it is. Raises Temporary."""
    ahead = None if attempt.delivery.alone else services.read_before(attempt.pair)
    return services.journal.read(attempt.pair) if ahead is None else ahead


def _or_later(result: Result, attempt: Attempt, candidate: Candidate, services: Services) -> Result:
    """Park a look that another stack asked for, if its pair is busy; return the result of its message.

    That stack asks once for each of its handlers. What waits within some seconds becomes one. Raises Temporary.
    """
    change, outcome = attempt.change, result.outcome
    is_busy = (outcome.status, outcome.reason) == (Status.PENDING, Reason.BUSY)
    if change.kind is not ChangeKind.STATE or change.wish or attempt.delivery.parked or not is_busy:
        return result
    _park(attempt, Temporary(Reason.BUSY, outcome.detail), services)
    return _with_rule(ended(attempt, Status.SKIPPED, Reason.NOT_COPIED, "it is busy, and looked at later"), candidate)


def _undo_what_was_removed(
    result: Result, attempt: Attempt, candidate: Candidate, source: Versions, services: Services
) -> Result:
    """Undo a delete marker that was removed while it was replicated; return its result, or why it must come back.

    The event of the removal may have come before the journal knew of the marker, and then meant nothing.
    """
    change = attempt.change
    if change.aspect is not Aspect.MARKER or not _is_gone(result, source):
        return result
    removed = replace(attempt, change=replace(change, kind=ChangeKind.REMOVED))
    undone = make_synchroniser(removed, candidate, source, services).run(services.journal.read(attempt.pair))
    return replace(undone, attempt=attempt) if undone.outcome.status in {Status.PENDING, Status.FAILED} else result


def _is_gone(result: Result, source: Versions) -> bool:
    """Return whether the delete marker of a change does not exist any more. If it was replicated, a HEAD says so."""
    if result.outcome.status is Status.COMPLETED:
        return not source.objects.exists(source.key, result.attempt.change.version_id)
    return result.outcome.reason is Reason.SRC_VERSION_NOT_FOUND


def _with_rule(result: Result, candidate: Candidate) -> Result:
    """Return the result of an attempt that read no tags, with its rule, unless that depends on them."""
    rule = candidate.select({})
    return result.with_outcome(rule_id=rule.id if rule else "")


def make_synchroniser(attempt: Attempt, candidate: Candidate, source: Versions, services: Services) -> Synchroniser:
    """Return what replicates one change to one destination. Raises Temporary or Permanent."""
    attempt, reader, replicas = _prepare(attempt, candidate, source, services)
    large = _make_large_writer(attempt, replicas, services)
    look_again = partial(_look_again, attempt, candidate, source, services)
    return Synchroniser(attempt, candidate, reader, replicas, services.journal, services.now, large, look_again)


def make_amender(attempt: Attempt, candidate: Candidate, source: Versions, services: Services) -> Amender:
    """Return what carries a later change over to one destination. Raises Temporary or Permanent."""
    attempt, reader, _ = _prepare(attempt, candidate, source, services)
    scene = Scene(
        attempt,
        candidate,
        reader,
        services.buckets.amendable(Target(attempt.change.bucket), Side.SOURCE),
        services.buckets.amendable(attempt.target, Side.DESTINATION),
        partial(services.buckets.source_has_acls, attempt.change.bucket),
        services.journal,
        services.forwarding,
        lambda bucket: bool(services.rules(bucket).rules),
        services.now,
        services.warn,
    )
    copy = partial(_copy_version, attempt, candidate, services, set())
    others = services.rules(attempt.change.bucket).candidates(attempt.change.key)
    return Amender(scene, copy, elsewhere=len(others) > 1)


def _prepare(
    attempt: Attempt, candidate: Candidate, source: Versions, services: Services
) -> tuple[Attempt, Reader, Replicas]:
    replicas = services.buckets.replicas(attempt.target)
    recent = attempt.delivery.redriven and not attempt.change.wish  # a resync is about very many
    attempt = replace(attempt, target=services.buckets.describe(attempt.target, recent=recent))
    acls = attempt.target.capabilities.acls
    destination = Versions(replicas, attempt.target.bucket, attempt.change.key, lambda: acls)
    has_grants = partial(services.buckets.source_has_acls, attempt.change.bucket)
    source = replace(source, across=destination, with_grants=has_grants if acls else source.with_grants)
    destination.across = source
    reader = Reader(
        source,
        destination,
        attempt.target,
        candidate,
        services.limits,
        services.marks,
        services.side_by_side,
        services.now,
    )
    return attempt, reader, replicas


def _copy_version(
    attempt: Attempt, candidate: Candidate, services: Services, looked: set[Origin], version_id: str
) -> Result:
    """Replicate a version that has no replica, as if its own event had come back. What it has is read anew.

    looked: what was looked at again for other versions of the key.
    """
    change = replace(attempt.change, kind=ChangeKind.CREATED, version_id=version_id, name="")
    again = replace(attempt, change=change, delivery=replace(attempt.delivery, tried=True))
    source = versions_of_source(change, services)
    synchroniser = make_synchroniser(again, candidate, source, services)
    synchroniser.looked = looked
    return synchroniser.run(services.journal.read(attempt.pair))


def _look_again(attempt: Attempt, candidate: Candidate, source: Versions, services: Services, origin: Origin) -> None:
    """Compare the replicas of a version with it, after one of them was written. Raises Temporary or Permanent.

    If that cannot be done now, it is parked: what was written is no reason to write it again. A version of the
    destination is its own stack's to look at.
    """
    version_id = origin.version_id
    change = replace(attempt.change, kind=ChangeKind.STATE, version_id=version_id, name="", sequencer="", seen_at="")
    if origin.bucket == change.bucket:
        attempt = replace(attempt, change=change)
        try:
            make_amender(attempt, candidate, source, services).look_again()
        except Temporary as trouble:
            _park(attempt, trouble, services)
        return
    queue = services.forwarding.queue_of(change.bucket, origin.bucket)
    if queue and any(rule.replica_modifications for rule in candidate.rules):
        services.forwarding.send(queue, replace(change, bucket=origin.bucket))


def _park(attempt: Attempt, trouble: Temporary, services: Services) -> None:
    """Park a look at a version for some seconds. Raises Temporary.

    All that are parked within LOOK_AGAIN_MS are one, released once that time has passed twice: very many deliveries of
    one version would otherwise leave very many looks, each in the way of the others. Where that look is over already,
    because this comes late or by a slow clock, the next one is taken.
    """
    now = services.now()
    services.enlist(attempt.target.bucket)
    for start in count(now - now % LOOK_AGAIN_MS, LOOK_AGAIN_MS):
        look = replace(attempt, change=replace(attempt.change, time=start))
        parked = Parked(start + 2 * LOOK_AGAIN_MS, write(look.change), tried=False)
        waiting = Waiting.of(look, troubled(look, trouble).outcome, now, parked)
        before = services.journal.wait(look.pair, waiting)
        if before is None or before.status is not Status.COMPLETED:
            return


def _make_large_writer(attempt: Attempt, replicas: Replicas, services: Services) -> LargeWriter | None:
    multipart = services.multipart
    if multipart is None:
        return None
    uploads = multipart.uploads(attempt.target)
    return LargeWriter(multipart, uploads, replicas, attempt, services.side_by_side, services.now)


def versions_of_source(change: Change, services: Services, *, asked_for: bool = False) -> Versions:
    """Return the source's versions of the key, without their ACLs.

    asked_for: the change's own version is copied even if it is a replica.
    """
    objects, chosen = services.buckets.source(change.bucket), change.version_id if asked_for else ""
    return Versions(objects, change.bucket, change.key, lambda: False, natives_only=True, asked_for=chosen)


def _read_once(change: Change, source: Versions) -> None:
    """Read the version once, before all destinations need it. Trouble is met again, and reported, by each."""
    try:
        source.get(change.version_id)
    except (Temporary, Permanent):
        return
