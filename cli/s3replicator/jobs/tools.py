"""What driving a job needs of a deployed stack, put together once for all commands that do so."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from replicator.core.rules.matching import RuleSet
from replicator.core.versions.change import Wish
from replicator.flows.change.replicate import Services
from replicator.flows.verify.ports import Listing
from replicator.flows.verify.survey import Consumer, Survey

from s3replicator.jobs.backfill_queue import BackfillQueue
from s3replicator.jobs.delivery import Deliveries, Undelivered
from s3replicator.jobs.driver_name import own_name, without_dead_driver
from s3replicator.jobs.driving import Driver
from s3replicator.jobs.job import Job
from s3replicator.jobs.job_store import JobStore, Stored
from s3replicator.jobs.selection import REPLICAS, Selection
from s3replicator.jobs.waiting import Waiting, named_in_segments
from s3replicator.operator_services import operator_listing, operator_services
from s3replicator.stack import Stack

F = TypeVar("F")
WORKERS = 8
BUSY_SECONDS = 2.0
"""How long a count of the queues is taken for the present one while versions are looked at."""


def now() -> int:
    """Return the time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Tools:
    """The stack's jobs, its queues, and what reads its buckets."""

    store: JobStore
    queue: BackfillQueue
    services: Services
    listing: Listing

    def driver(self, stored: Stored) -> Driver:
        """Return a driver of a job for this process."""
        return Driver(self.store, replace(stored, job=without_dead_driver(stored.job)), own_name(), now)

    def rules(self, bucket: str, selection: Selection) -> RuleSet:
        """Return the rules that a job is about. Raises Temporary or Permanent."""
        rules = self.services.rules(bucket)
        chosen = tuple(each for each in rules.rules if selection.rule in {"", each.id})
        return rules if len(chosen) == len(rules.rules) else RuleSet(bucket, chosen)

    def survey(self, job: Job, consumer: Consumer[F], *, everything: bool = False) -> Survey[F]:
        """Return a survey of what a job is about. Raises Temporary or Permanent."""
        selection = job.selection
        return Survey(
            self.rules(job.bucket, selection),
            self.listing,
            consumer,
            frozenset(selection.destinations),
            selection.prefix,
            everything=everything,
            workers=WORKERS,
        )

    def waiting(self, driver: Driver, show: Callable[[int | None], None]) -> Waiting:
        """Return what waits until a job is delivered, and reports. Raises Temporary or Permanent."""
        job = driver.job
        wish = Wish.REPLICAS if job.selection.asks_for(REPLICAS) else Wish.EXISTING
        deliveries = Deliveries(job.bucket, self.services, wish, _Remembering(self.queue.held).is_busy)
        undelivered = Undelivered(deliveries, job.selection)
        survey = self.survey(job, undelivered)
        return Waiting(
            driver,
            self.queue,
            self.store,
            self.store.bucket,
            undelivered,
            survey,
            time.sleep,
            show,
            lambda: named_in_segments(driver.job, self.store),
        )


@dataclass(slots=True)
class _Remembering:
    """Whether queues hold something, asked every now and then only."""

    held: Callable[[], int]
    busy: bool = False
    asked_at: float = -BUSY_SECONDS

    def is_busy(self) -> bool:
        if time.monotonic() - self.asked_at >= BUSY_SECONDS:
            self.busy, self.asked_at = self.held() > 0, time.monotonic()
        return self.busy


def tools_of(stack: Stack) -> Tools:
    """Build what driving a job of a stack needs."""
    urls = stack.output("BackfillQueue"), stack.output("PartQueue")
    return Tools(
        store_of(stack),
        BackfillQueue(stack.client("sqs"), *urls, time.sleep),
        operator_services(stack),
        operator_listing(stack),
    )


def store_of(stack: Stack) -> JobStore:
    """Return the jobs of a stack."""
    return JobStore(stack.client("s3"), stack.facts.control_bucket)
