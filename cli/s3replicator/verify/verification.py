"""One verification from its beginning, or from where an earlier run of it ended, to its totals.

It stores how far it has come every few seconds, so that Ctrl-C, a lost connection or another machine change nothing.
Two runs at the same time do no harm, since both only read; only one of them stores its state.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from replicator.core.rules.matching import RuleSet
from replicator.core.verifying.differences import Difference
from replicator.core.verifying.listed import Span
from replicator.core.verifying.run_state import RunState, Scope
from replicator.core.verifying.totals import Totals
from replicator.flows.change.replicate import Services
from replicator.flows.verify.examine import Examiner
from replicator.flows.verify.ports import Listing
from replicator.flows.verify.survey import Survey
from replicator.flows.verify.verifying import Verifier, differing

from s3replicator.failed_calls import CallFailed
from s3replicator.formatting import utc_minute
from s3replicator.verify.spool import Spool, lines_of, read_lines

SAVE_MS = 5_000
LEASE_MS = 120_000
"""How long a run that stores nothing still counts as running."""


class States(Protocol):
    """Where the state of a bucket's verification is stored. Every method raises CallFailed."""

    def read(self) -> tuple[bytes, str] | None:
        """Return the state and its ETag, or None."""

    def write(self, text: bytes, etag: str) -> str | None:
        """Replace the state that has this ETag, none if it is empty; return the new ETag, None if another did."""

    def append(self, run: str, number: int, lines: bytes) -> None:
        """Store a piece of the differences of a run."""

    def piece(self, run: str, number: int) -> bytes:
        """Return a piece of the differences of a run; empty if it was deleted."""


class Traffic(Protocol):
    """The queues of the stack. Every method raises CallFailed."""

    def is_busy(self) -> bool:
        """Return whether a queue holds messages."""

    def send(self, bodies: Iterable[str]) -> int:
        """Send messages, and return how many."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification has come, for whoever waits."""

    keys: int
    differences: int
    suspects: int

    def __str__(self) -> str:
        """Return it as one line."""
        again = f", {self.suspects:,} keys to look at again" if self.suspects else ""
        return f"{self.keys:,} keys, {self.differences:,} differences are certain{again}"


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs it, where, and how. owner: for people, with the process. is_over: the process of an owner has ended.

    now: epoch milliseconds. wait: returns after some milliseconds. say: takes a line for people.
    """

    owner: str
    run: str
    now: Callable[[], int]
    wait: Callable[[int], None]
    say: Callable[[str], None]
    show: Callable[[Progress], None]
    is_over: Callable[[str], bool] = lambda _: False
    workers: int = 8


@dataclass(slots=True)
class Verification:
    """One verification. state: how far it has come. saves: it stores its state."""

    scope: Scope
    rules: RuleSet
    listing: Listing
    services: Services
    traffic: Traffic
    states: States
    runner: Runner
    spool: Spool = field(default_factory=Spool)
    state: RunState = field(init=False)
    verifier: Verifier = field(init=False)
    saves: bool = True
    _etag: str = ""
    _saved_at: int = 0

    @property
    def totals(self) -> dict[str, Totals]:
        """The counts by destination: of all that rules name and that is verified, even if nothing was found there."""
        return by_destination(self.scope, self.rules, self.verifier.totals)

    @property
    def unproven(self) -> int:
        """Entries that are left in doubt: none, since listings are examined to the end."""
        return 0

    def run(self, *, restart: bool = False) -> None:
        """Verify all that is left. Raises Temporary, Permanent or CallFailed; what is done is stored first."""
        self._begin(restart=restart)
        examiner = Examiner(self.services, self.scope.deep, self.traffic.is_busy)
        self.verifier = Verifier(
            rules=self.rules,
            examiner=examiner,
            side_by_side=self.services.side_by_side,
            now=self.runner.now,
            record=self.spool.add,
            kept=self._kept,
            totals=dict(self.state.totals),
            suspects={key: dict.fromkeys(names) for key, names in self.state.suspects.items()},
            keys=self.state.keys,
        )
        try:
            if self.state.left:
                self._survey(self.state.left)
            self.verifier.look_again(self.runner.wait)
        except BaseException:
            with suppress(CallFailed):
                self._save(lease=0)
            raise
        self._save(lease=0, done=True)

    def _survey(self, left: Sequence[Span]) -> None:
        survey = Survey(
            self.rules,
            self.listing,
            self.verifier,
            destinations=frozenset(self.scope.destinations),
            prefix=self.scope.prefix,
            everything=self.scope.deep,
            workers=self.runner.workers,
        )
        survey.run(left)
        self.state = replace(self.state, left=())

    # Where an earlier run ended

    def _begin(self, *, restart: bool) -> None:
        found = self.states.read()
        text, self._etag = found or (b"", "")
        earlier, now = RunState.read(text) if text else None, self.runner.now()
        self.state = RunState(self.scope, self.runner.run, self.runner.owner, now)
        if earlier and not earlier.done and now < earlier.lease and not self.runner.is_over(earlier.owner):
            since = utc_minute(earlier.begun // 1000)
            self._stop_saving(f"{earlier.owner} verifies this bucket since {since} UTC; this run stores no state")
        elif earlier and not earlier.done and not restart:
            self._go_on(earlier)
        self._save(lease=now + LEASE_MS)

    def _go_on(self, earlier: RunState) -> None:
        since = utc_minute(earlier.begun // 1000)
        if earlier.scope != self.scope:
            self.runner.say(f"beginning anew: the verification of {since} UTC had other options, or other rules")
            return
        self.runner.say(f"going on with the verification of {since} UTC: {earlier.keys:,} keys are verified")
        for number in range(earlier.chunks):
            self.spool.restore(read_lines(self.states.piece(earlier.run, number)))
        self.state = replace(earlier, owner=self.runner.owner)

    # How far this one has come

    def _kept(self, left: Sequence[Span]) -> None:
        verifier, now = self.verifier, self.runner.now()
        self.state = replace(self.state, left=tuple(left))
        found = differing(verifier.totals).total()
        self.runner.show(Progress(verifier.keys, found, len(verifier.suspects)))
        if now >= self._saved_at + SAVE_MS:
            self._save(lease=now + LEASE_MS)

    def _save(self, *, lease: int, done: bool = False) -> None:
        """Store the state, after the differences that it counts. A run that cannot do that goes on without."""
        if not self.saves:
            return
        self._saved_at = self.runner.now()
        try:
            unsaved: list[Difference] = self.spool.unsaved
            if unsaved:
                self.states.append(self.state.run, self.state.chunks, lines_of(unsaved))
                self.state = replace(self.state, chunks=self.state.chunks + 1)
                self.spool.unsaved = []
            etag = self.states.write(self._stored(lease=lease, done=done).text(), self._etag)
        except CallFailed as failed:
            self._stop_saving(f"the state cannot be stored: {failed.call.advice('the control bucket')}")
            return
        if etag is None:
            self._stop_saving("another run goes on with this verification; this one stores no state any more")
        else:
            self._etag = etag

    def _stored(self, *, lease: int, done: bool) -> RunState:
        state = replace(self.state, lease=lease, done=done)
        if not hasattr(self, "verifier"):
            return state
        verifier = self.verifier
        suspects = {key: tuple(found) for key, found in verifier.suspects.items()}
        return replace(state, keys=verifier.keys, totals=verifier.totals, suspects=suspects)

    def _stop_saving(self, why: str) -> None:
        self.saves = False
        self.spool.store_nothing()
        self.runner.say(why)


def by_destination(scope: Scope, rules: RuleSet, found: Mapping[str, Totals]) -> dict[str, Totals]:
    """Return the counts of all destinations that are verified, in order of their names."""
    names = scope.destinations or {rule.destination.bucket for rule in rules.rules if rule.enabled}
    return {name: found.get(name, Totals()) for name in sorted(names)}
