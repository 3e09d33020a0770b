"""Verification on a schedule goes on where an invocation stopped, ends, and notes and publishes what it proved."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Side, Temporary
from replicator.core.rules.coverage import Coverage, Record, read_record, record_text
from replicator.core.verifying.run_state import RunState, Scope, digest_of
from replicator.flows.verify import survey
from replicator.flows.verify.scheduled import TICK_MS, Completed, ScheduledServices, verify_for_a_while

from tests.fakes.listings import MemoryListing
from tests.fakes.reporting import MemoryLog
from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, WEST, Fault, Killed, Stage
from tests.flows.surveying import a_day_old

SINCE = "2000-01-01T00:00:00+00:00"
INVOCATION_MS = 4 * 60_000


@dataclass(slots=True)
class Documents:
    """Documents of the control bucket by source bucket."""

    texts: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    writes: int = 0

    def read(self, bucket: str) -> tuple[bytes, str] | None:
        found = self.texts.get(bucket)
        return (found[0], str(found[1])) if found else None

    def put(self, bucket: str, text: bytes, etag: str) -> str | None:
        known = self.texts.get(bucket)
        if etag != (str(known[1]) if known else ""):
            return None
        self.writes += 1
        self.texts[bucket] = text, self.writes
        return str(self.writes)


@dataclass(slots=True)
class States(Documents):
    """last_words: writes until whoever writes is killed. between: happens once between a read and the next write."""

    last_words: int = 99
    between: Callable[[], object] | None = None

    def read(self, bucket: str) -> tuple[bytes, str] | None:
        found = Documents.read(self, bucket)
        act, self.between = self.between, None
        if act:
            act()
        return found

    def write(self, bucket: str, text: bytes, etag: str) -> str | None:
        if not self.last_words:
            raise Killed
        self.last_words -= 1
        return self.put(bucket, text, etag)

    def of(self, bucket: str) -> RunState:
        state = RunState.read(self.texts[bucket][0])
        assert state
        return state


class Proofs(Documents):
    def write(self, bucket: str, text: bytes, etag: str) -> bool:
        return self.put(bucket, text, etag) is not None

    def of(self, bucket: str) -> Record:
        return read_record(self.texts[bucket][0])


@dataclass(slots=True)
class Assured:
    """A stage that is verified by a schedule. refusals: what the next events end in."""

    on: Stage
    sources: Sequence[str] = (EAST,)
    states: States = field(default_factory=States)
    proofs: Proofs = field(default_factory=Proofs)
    published: list[Completed] = field(default_factory=list)
    log: MemoryLog = field(default_factory=MemoryLog)
    refusals: list[Temporary] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = record_text({WEST: Coverage(SINCE, had_versions=True)})
        self.proofs.texts = dict.fromkeys(self.sources, (text, 0))

    def services(self) -> ScheduledServices:
        runs = count(1)
        return ScheduledServices(
            services=self.on.services,
            listing=MemoryListing(self.on.s3, self.on.points, page=10),
            sources=lambda: self.sources,
            states=self.states,
            records=self.proofs,
            announce=self.announce,
            log=self.log,
            is_busy=lambda: bool(self.on.queue.messages),
            wait=lambda milliseconds: self.on.s3.clock.advance(milliseconds / 1000),
            run=lambda: f"run {next(runs)}",
            workers=1,
        )

    def announce(self, done: Completed) -> None:
        if self.refusals:
            raise self.refusals.pop()
        self.published.append(done)

    def invoke(self, *, begin: bool = False) -> dict[str, bool]:
        """Invoke the function, and let the time until the next tick pass."""
        now = self.on.services.now()
        until, lease = now + INVOCATION_MS, now + INVOCATION_MS + 45_000
        try:
            return verify_for_a_while(self.services(), begin=begin, until=until, lease=lease)
        finally:
            self.on.s3.clock.advance(max(0, now + TICK_MS - self.on.services.now()) / 1000)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Assured:
    """Return a bucket of thirty keys, two of which differ, where ten keys take 100 seconds to list."""
    monkeypatch.setattr(survey, "MOST_ROWS", 10)
    assured = Assured(a_day_old(missing=(3, 27)))
    assured.on.slow("LIST", 100, 99, bucket=EAST)
    return assured


def test_what_is_equal_is_proven_noted_and_published() -> None:
    assured = Assured(a_day_old())
    begun = assured.on.services.now()
    assert assured.invoke(begin=True) == {EAST: True}
    entry = assured.proofs.of(EAST)[WEST]
    assert entry.proven_ms == begun // 1000 * 1000
    assert entry.is_complete
    [done] = assured.published
    assert (done.bucket, done.keys, done.totals[WEST].checked, done.noted) == (EAST, 30, 30, {WEST: entry})


def test_what_differs_is_counted_and_nothing_is_proven() -> None:
    assured = Assured(a_day_old(missing=(3,)))
    assured.invoke(begin=True)
    entry = assured.proofs.of(EAST)[WEST]
    assert entry.verification
    assert entry.verification.differences == {"deleted-there": 1}
    assert not entry.is_complete


def test_a_bucket_that_takes_longer_is_finished_by_later_invocations(slow: Assured) -> None:
    assert slow.invoke(begin=True) == {EAST: False}
    assert slow.states.of(EAST).keys == 20
    assert [slow.invoke() for _ in range(3)] == [{EAST: False}, {EAST: True}, {}]
    [done] = slow.published
    assert (done.keys, done.totals[WEST].checked, done.totals[WEST].differences) == (30, 30, {"deleted-there": 2})


def test_the_second_look_at_what_differs_is_left_to_the_next_invocation_if_there_is_no_time_to_wait() -> None:
    assured = Assured(a_day_old(5, missing=(3,)))
    assured.on.slow("LIST", (INVOCATION_MS / 1000 - 20) / 2, 2, bucket=EAST)
    assert assured.invoke(begin=True) == {EAST: False}
    assert assured.states.of(EAST).left == ()
    assert assured.invoke() == {EAST: True}


def test_an_invocation_that_is_killed_costs_only_what_it_had_not_stored(slow: Assured) -> None:
    slow.states.last_words = 2
    with pytest.raises(Killed):
        slow.invoke(begin=True)
    assert (slow.states.of(EAST).keys, slow.published) == (10, [])
    slow.states.last_words = 99
    slow.on.s3.clock.advance(TICK_MS / 1000)
    results = [slow.invoke() for _ in range(4)]
    assert results[-1] == {}
    [done] = slow.published
    assert (done.keys, done.totals[WEST].checked, done.totals[WEST].differences) == (30, 30, {"deleted-there": 2})


def test_another_invocation_leaves_alone_what_one_works_on() -> None:
    assured = Assured(a_day_old())
    assured.states.put(EAST, theirs().text(), "")
    assert assured.invoke(begin=True) == {}
    assert assured.states.of(EAST) == theirs()


def test_two_invocations_that_claim_the_same_at_once_do_not_both_go_on() -> None:
    assured = Assured(a_day_old())
    assured.states.between = lambda: assured.states.put(EAST, theirs().text(), "")
    assert assured.invoke(begin=True) == {}
    assert assured.states.of(EAST) == theirs()


def theirs() -> RunState:
    """Return the state of a verification that another invocation works on."""
    scope = Scope(rules=digest_of(a_day_old(0).rule_sets.of(EAST)))
    return RunState(scope, "theirs", "theirs", begun=0, lease=2**50)


def test_a_tick_begins_nothing_but_what_was_never_verified() -> None:
    assured = Assured(a_day_old())
    assert assured.invoke() == {EAST: True}
    assert assured.invoke() == {}
    assert assured.invoke(begin=True) == {EAST: True}
    assert len(assured.published) == 2


def test_under_other_rules_a_verification_begins_anew(slow: Assured) -> None:
    slow.invoke(begin=True)
    slow.on.rule_sets.put(EAST, rule(WEST, prefix="k00"))
    for _ in range(4):
        slow.invoke()
    [done] = slow.published
    assert done.totals[WEST].checked == 10


def test_trouble_with_one_bucket_leaves_the_others_their_turn_and_is_raised() -> None:
    on = a_day_old()
    on.rule_sets.put(NORTH, rule(WEST))
    denied = Permanent(Reason.DST_BUCKET_DENIED, "ListObjectVersions: AccessDenied", Side.DESTINATION)
    assured = Assured(on, sources=(EAST, NORTH))
    on.fail("LIST", denied, bucket=EAST)
    with pytest.raises(Permanent):
        assured.invoke(begin=True)
    assert [done.bucket for done in assured.published] == [NORTH]
    assert not assured.states.of(EAST).done
    assured.invoke()
    assert [done.bucket for done in assured.published] == [NORTH, EAST]


@pytest.mark.parametrize(("late", "other"), [(EAST, NORTH), (NORTH, EAST)])
def test_every_bucket_is_the_first_one_once_in_a_while(late: str, other: str) -> None:
    """One source answers so late that nothing is left of an invocation, each time: the other one has its turn."""
    on = a_day_old()
    on.rule_sets.put(NORTH, rule(WEST))
    assured = Assured(on, sources=(EAST, NORTH))
    trouble = Temporary(Reason.TIMED_OUT, "no answer", Side.SOURCE)
    on.faults.append(Fault("LIST", trouble, 99, after=False, key="", bucket=late, seconds=INVOCATION_MS / 1000))
    for _ in range(2):
        with suppress(Temporary):
            assured.invoke()
    assert [done.bucket for done in assured.published] == [other]


def test_a_run_that_cannot_publish_does_so_the_next_time() -> None:
    assured = Assured(a_day_old())
    assured.refusals = [Temporary(Reason.SERVICE, "PutEvents: 503")]
    with pytest.raises(Temporary):
        assured.invoke(begin=True)
    assert assured.invoke() == {EAST: True}
    assert len(assured.published) == 1
