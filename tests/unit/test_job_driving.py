"""A job has one driver at a time, and what it did is written down: on a store in memory and a clock that is set."""

from dataclasses import dataclass, field, replace

import pytest
from replicator.core.verifying.listed import Span
from s3replicator.jobs.completion_report import Named, read_named
from s3replicator.jobs.driving import CHECKPOINT_MS, Cancelled, Driver, Lost, segment
from s3replicator.jobs.job import LEASE_MS, Engine, Job, State, Totals, decode, new_id
from s3replicator.jobs.job_store import Conflict, Stored
from s3replicator.jobs.selection import Selection

ONE = Named("a/ü +", "v1")
TWO = Named("b", "v2", is_marker=True)


@dataclass(slots=True)
class MemoryStore:
    """Keeps one job and its files."""

    stored: Stored = field(default_factory=lambda: Stored(Job("j", "east", Engine.QUEUE, Selection()), "0"))
    files: dict[str, bytes] = field(default_factory=dict)
    writes: int = 0

    def write(self, job: Job, before: Stored) -> Stored:
        if before.tag != self.stored.tag:
            raise Conflict
        self.writes += 1
        self.stored = Stored(decode(job.encode()), str(self.writes))
        return self.stored

    def read(self, _job_id: str) -> Stored | None:
        return self.stored

    def put_file(self, _job_id: str, name: str, body: bytes) -> str:
        self.files[name] = body
        return "etag"


@dataclass(slots=True)
class Clock:
    now: int = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def driver(store: MemoryStore, clock: Clock, name: str = "first") -> Driver:
    return Driver(store, store.stored, name, clock)


def test_a_job_is_read_as_it_was_written() -> None:
    job = Job("j", "east", Engine.BATCH, Selection("a/"), State.READY, 1, 2, (Span("a", None), Span("b", "c")), 3)
    job = job.driven_by("me", 5)
    assert decode(job.encode()) == job
    for text in (b"[]", b"{}"):
        with pytest.raises(ValueError, match="not the document of a job"):
            decode(text)


def test_ids_sort_by_time() -> None:
    assert new_id(1_000, "ff") < new_id(2_000, "00") < new_id(10**13, "00")


def test_of_two_drivers_one_has_the_job_until_its_lease_has_ended(store: MemoryStore, clock: Clock) -> None:
    driver(store, clock).take()
    with pytest.raises(Lost):
        driver(store, clock, "second").take()
    clock.now += LEASE_MS + 1
    driver(store, clock, "second").take()
    assert store.stored.job.driver
    assert store.stored.job.driver.name == "second"


def test_two_that_take_a_job_at_once_do_not_both_get_it(store: MemoryStore, clock: Clock) -> None:
    first, second = driver(store, clock), driver(store, clock, "second")
    first.take()
    with pytest.raises(Lost):
        second.take()


def test_a_driver_that_was_overtaken_writes_nothing_more(store: MemoryStore, clock: Clock) -> None:
    first = driver(store, clock)
    first.take()
    clock.now += LEASE_MS + 1
    driver(store, clock, "second").take()
    writes = store.writes
    with pytest.raises(Lost):
        first.keep([ONE], Totals(sent=1), ())
    assert store.writes == writes


def test_what_was_done_is_written_down_every_now_and_then_with_its_names_first(
    store: MemoryStore, clock: Clock
) -> None:
    first = driver(store, clock)
    first.take()
    first.keep([ONE], Totals(sent=1), [Span("a")])
    assert (store.stored.job.totals.sent, store.files) == (0, {})
    clock.now += CHECKPOINT_MS
    first.keep([TWO], Totals(sent=1), [Span("b")])
    assert (store.stored.job.totals.sent, store.stored.job.left, store.stored.job.segments) == (2, (Span("b"),), 1)
    assert list(read_named(store.files[segment(0)])) == [ONE, TWO]


def test_a_crash_after_the_names_were_written_leaves_a_file_that_the_next_driver_writes_again(
    store: MemoryStore, clock: Clock
) -> None:
    store.files[segment(0)] = b"left behind,v0,0\n"
    first = driver(store, clock)
    first.take()
    first.keep([ONE], Totals(sent=1), ())
    first.release()
    assert list(read_named(store.files[segment(0)])) == [ONE]
    assert (store.stored.job.driver, store.stored.job.segments) == (None, 1)


def test_a_driver_notices_that_its_job_was_cancelled(store: MemoryStore, clock: Clock) -> None:
    first = driver(store, clock)
    first.take()
    other = replace(store.stored.job, state=State.CANCELLING)
    store.write(other, store.stored)
    with pytest.raises(Cancelled):
        first.checkpoint()
    first.save(first.job.ended_as(State.CANCELLED, clock()))
    assert (store.stored.job.state, store.stored.job.driver) == (State.CANCELLED, None)
