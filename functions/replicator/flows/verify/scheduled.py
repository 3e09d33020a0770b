"""Verification on a schedule: a schedule begins, every few minutes an invocation goes on until its time is up.

How far each bucket's verification has come is in the control bucket, so that an invocation that is killed loses less
than a minute. No invocation starts another one, so nothing can loop. Survey, examination and decision are those of
`s3replicator verify`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.rules.coverage import Record
from replicator.core.rules.matching import RuleSet
from replicator.core.verifying.listed import Span
from replicator.core.verifying.run_state import RunState, Scope, digest_of
from replicator.core.verifying.totals import Totals
from replicator.flows.change.replicate import Services
from replicator.flows.ports import Log
from replicator.flows.verify.examine import Examiner
from replicator.flows.verify.ports import Listing
from replicator.flows.verify.proof import ProofRecords, checked_of, note_verification
from replicator.flows.verify.survey import Survey
from replicator.flows.verify.verifying import EVENT_MS, MOMENT_MS, Verifier

SAVE_MS = 15_000
SHORTEST_MS = 60_000
"""The least time that a bucket gets in one invocation: the wait for events that are on their way fits into it."""
LOOK_AGAIN_MS = EVENT_MS + MOMENT_MS
TICK_MS = 5 * 60_000
"""How often the template has the function go on."""


class RunStates(Protocol):
    """How far the verification of each bucket has come. Both methods raise Temporary or Permanent."""

    def read(self, bucket: str) -> tuple[bytes, str] | None:
        """Return the state and its ETag, or None."""

    def write(self, bucket: str, text: bytes, etag: str) -> str | None:
        """Replace the state that has this ETag, none if it is empty; return the new ETag, None if another did."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A verification of all keys of a bucket that came to its end. begun, ended: epoch milliseconds.

    noted: the coverage record of each destination, if it has one.
    """

    bucket: str
    begun: int
    ended: int
    keys: int
    totals: Mapping[str, Totals]
    noted: Record


@dataclass(frozen=True, slots=True)
class ScheduledServices:
    """What verifying on a schedule needs.

    sources: returns the source buckets. announce: publishes the event of a verification that completed. run: a name for
    each new verification. wait: returns after some milliseconds. created: see `note_verification`.
    """

    services: Services
    listing: Listing
    sources: Callable[[], Sequence[str]]
    states: RunStates
    records: ProofRecords
    announce: Callable[[Completed], None]
    log: Log
    is_busy: Callable[[], bool]
    wait: Callable[[int], None]
    run: Callable[[], str]
    created: tuple[str, str] = ("", "")
    workers: int = 4


class _TimeIsUp(Exception):
    """The rest is left to the next invocation."""


class _Overtaken(Exception):
    """Another invocation goes on with this verification."""


def verify_for_a_while(services: ScheduledServices, *, begin: bool, until: int, lease: int) -> dict[str, bool]:
    """Go on with the verifications that are under way, and return whether each has completed.

    begin: begin one for each bucket that has none under way; a bucket that was never verified begins in any case.
    until: when to stop. lease: when the invocation is over whatever happens; nobody else goes on with the same before.
    Both epoch milliseconds. Raises the first trouble, Temporary or Permanent, after all buckets had their turn.
    """
    troubles: list[Temporary | Permanent] = []
    completed: dict[str, bool] = {}
    now = services.services.now
    buckets = _in_turn(services.sources(), now())
    for place, bucket in enumerate(buckets):
        share = max(SHORTEST_MS, (until - now()) // (len(buckets) - place))
        if now() + SHORTEST_MS > until:
            break
        try:
            if run := _claim(services, bucket, begin=begin, lease=lease):
                completed[bucket] = run.go_on(min(until, now() + share))
        except (Temporary, Permanent) as trouble:
            services.log.incomplete(f"the verification of {bucket} waits: {trouble}")
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return completed


def _in_turn(buckets: Sequence[str], now: int) -> Sequence[str]:
    """Let each bucket be the first one once in a while: there may not be time for all."""
    first = now // TICK_MS % len(buckets) if buckets else 0
    return [*buckets[first:], *buckets[:first]]


def _claim(services: ScheduledServices, bucket: str, *, begin: bool, lease: int) -> "_Run | None":
    """Take over a verification that is under way, or begin one; None if there is nothing to do."""
    rules, now = services.services.rules(bucket), services.services.now()
    if not any(rule.enabled for rule in rules.rules):
        return None
    text, etag = services.states.read(bucket) or (b"", "")
    state, scope = RunState.read(text) if text else None, Scope(rules=digest_of(rules))
    if state and not state.done and now < state.lease:
        return None
    if state and state.done and not begin:
        return None
    if state is None or state.done or state.scope != scope:
        name = services.run()
        state = RunState(scope, name, name, now)
    run = _Run(services, rules, replace(state, lease=lease), etag)
    with suppress(_Overtaken):
        run.save()
        return run
    return None


@dataclass(slots=True)
class _Run:
    """One invocation's part of the verification of one bucket. etag: of the state that is stored."""

    services: ScheduledServices
    rules: RuleSet
    state: RunState
    etag: str
    until: int = 0
    saved_at: int = 0
    verifier: Verifier = field(init=False)

    def __post_init__(self) -> None:
        services = self.services.services
        self.verifier = Verifier(
            rules=self.rules,
            examiner=Examiner(services, is_busy=self.services.is_busy),
            side_by_side=services.side_by_side,
            now=services.now,
            kept=self._kept,
            totals=dict(self.state.totals),
            suspects={key: dict.fromkeys(names) for key, names in self.state.suspects.items()},
            keys=self.state.keys,
        )

    def go_on(self, until: int) -> bool:
        """Verify until then; return whether it has completed. Raises Temporary or Permanent."""
        self.until = until
        try:
            if self.state.left:
                survey = Survey(self.rules, self.services.listing, self.verifier, workers=self.services.workers)
                survey.run(self.state.left)
                self.state = replace(self.state, left=())
            self._look_again()
        except _Overtaken:
            return False
        except _TimeIsUp:
            self._let_go()
            return False
        except BaseException:
            self._let_go()
            raise
        self._complete()
        return True

    def _look_again(self) -> None:
        if self.verifier.suspects and self._now() + LOOK_AGAIN_MS > self.until:
            raise _TimeIsUp
        self.verifier.look_again(self.services.wait)

    def save(self) -> None:
        """Store how far it has come. Raises _Overtaken, Temporary or Permanent."""
        self.saved_at = self._now()
        verifier = self.verifier
        suspects = {key: tuple(found) for key, found in verifier.suspects.items()}
        self.state = replace(self.state, keys=verifier.keys, totals=verifier.totals, suspects=suspects)
        etag = self.services.states.write(self.rules.bucket, self.state.text(), self.etag)
        if etag is None:
            raise _Overtaken
        self.etag = etag

    def _now(self) -> int:
        return self.services.services.now()

    def _kept(self, left: Sequence[Span]) -> None:
        self.state = replace(self.state, left=tuple(left))
        if self._now() >= self.until:
            raise _TimeIsUp
        if self._now() >= self.saved_at + SAVE_MS:
            self.save()

    def _let_go(self) -> None:
        """Store how far it has come, for whoever goes on. What cannot be stored is done again."""
        self.state = replace(self.state, lease=0)
        with suppress(_Overtaken, Temporary, Permanent):
            self.save()

    def _complete(self) -> None:
        """Note what was proven, publish it, and only then end: a run that is killed here does both once more."""
        bucket, begun = self.rules.bucket, self.state.begun
        totals = {name: self.verifier.totals.get(name, Totals()) for name in _destinations(self.rules)}
        checked = {name: checked_of(each, begun) for name, each in totals.items()}
        noted = note_verification(self.services.records, bucket, checked, self.services.created)
        self.services.announce(Completed(bucket, begun, self._now(), self.verifier.keys, totals, noted))
        self.state = replace(self.state, lease=0, done=True)
        with suppress(_Overtaken):
            self.save()


def _destinations(rules: RuleSet) -> Iterator[str]:
    yield from sorted({rule.destination.bucket for rule in rules.rules if rule.enabled})
