"""The stage for large objects: the part queue beside the change queue, and workers that copy parts.

Each byte of a body counts as 5 MiB, so that objects are large and tests are fast. `calls_made` counts the calls of all
functions, so that a test can let any one of them go wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replicator.core.parts.cost import CostModel
from replicator.core.parts.parts import MIB
from replicator.core.rules.rule import Rule
from replicator.flows.change.consume import Consumer
from replicator.flows.copy_parts import TimeBudget, copy_parts
from replicator.flows.large.ports import Multipart
from replicator.flows.watch.stale_uploads import UploadCleanup, abort_stale

from tests.fakes.points import Call, Mishap
from tests.fakes.queue import MemoryQueue, QueuedMessage
from tests.fakes.stored import Stored
from tests.fakes.upload_journal import MemoryPartQueue, MemoryUploadJournal
from tests.fakes.uploads import MemoryUploads, UploadStore
from tests.flows.stage import EAST, OURS, WEST, Killed, Stage

SCALE = 5 * MIB
SCALED_DOWN = CostModel(multipart_from=3 * SCALE, spread_from=6 * SCALE, part_size=SCALE, side_by_side=2)
"""Up to 3 bytes in one request, up to 6 in one function, above that two parts per message."""


@dataclass(slots=True)
class LargeStage(Stage):
    """A stage that copies in parts."""

    rules: Sequence[Rule] = ()
    model: CostModel = SCALED_DOWN
    calls_made: int = 0
    mishaps_at: dict[int, Mishap] = field(default_factory=dict)
    may_begin: Callable[[], bool] = lambda: True
    uploads: UploadStore = field(init=False)
    upload_journal: MemoryUploadJournal = field(init=False)
    part_queue: MemoryQueue = field(init=False)
    part_consumer: Consumer = field(init=False)

    def __post_init__(self) -> None:
        Stage.__post_init__(self)
        self.uploads = UploadStore(self.s3)
        self.upload_journal = MemoryUploadJournal(self.points)
        self.part_queue = MemoryQueue(self.s3.clock, self.points, timeout=1800.0)
        self.part_queue.dead = self.queue.dead  # there is one dead-letter queue
        self.parking.uploads, self.outbox.parts = self.upload_journal, self.part_queue
        multipart = Multipart(
            model=self.model,
            source=lambda bucket: MemoryUploads(self.uploads, bucket, "source", self.points, OURS),
            uploads=lambda target: MemoryUploads(self.uploads, target.bucket, "destination", self.points, OURS),
            journal=self.upload_journal,
            queue=MemoryPartQueue(self.part_queue),
            is_ours=lambda initiator: initiator == OURS,
            warn=self.log.incomplete,
        )
        self.change_services(multipart=multipart)
        self.part_consumer = replace(self.consumer, queue=self.part_queue)

    def _mishap(self, call: Call) -> Mishap | None:
        self.calls_made += 1
        mishap = self.mishaps_at.pop(self.calls_made, None)
        if mishap and (call.operation != "HIDE" or isinstance(mishap.error, Killed)):  # `hide` raises nothing
            return mishap
        return Stage._mishap(self, call)

    def put_large(self, body: bytes = b"seven77", key: str = "k", bucket: str = EAST, **content: Any) -> Stored:
        """Write a version of 5 MiB for each byte of the body."""
        return self.put(key, body, bucket, scale=SCALE, **content)

    def run_worker(self, *messages: QueuedMessage) -> list[str]:
        """Deliver part messages, by default the first visible one; return the ids of those that come back."""
        batch = [self.part_queue.receive(message) for message in messages or self.part_queue.visible()[:1]]
        budget = TimeBudget(self.may_begin, hidden=315)
        try:
            waiting = copy_parts(batch, self.part_consumer, budget)
        except Killed:
            return [message.id for message in batch]
        self.part_queue.delete([message.id for message in batch if message.id not in waiting])
        return waiting

    def deliver_all(self, at_most: int = 500) -> int:
        """Deliver from both queues, and wait for hidden and parked messages, until there are none; return the batches.

        That is, how many of them it took.
        """
        for count in range(at_most):
            messages = [*self.queue.messages.values(), *self.part_queue.messages.values()]
            if not messages and not self.parked() and not self.upload_journal.parked:
                return count
            if not messages:
                self.wait_for_parked()
                continue
            nearest = min(message.visible for message in messages)
            self.s3.clock.advance(max(0.0, nearest - self.s3.clock.now))
            if self.queue.visible():
                self.deliver()
            else:
                self.run_worker()
        left = [*self.queue.messages, *self.part_queue.messages]
        raise AssertionError(f"still on the queues after {at_most} batches: {left}")

    def abort_stale_uploads(self) -> int:
        """Let the monitor abort stale uploads, two minutes later; return how many it aborted."""
        self.s3.clock.advance(120)
        return abort_stale(
            UploadCleanup(
                self.journal,
                self.upload_journal,
                lambda target: MemoryUploads(self.uploads, target.bucket, "destination", self.points, OURS),
                self.s3.clock.milliseconds,
            )
        )

    def redrive(self) -> None:
        """Send every failure back to the change queue, whichever queue it came from."""
        dead, self.queue.dead = self.queue.dead, []
        self.part_queue.dead = self.queue.dead
        for failed in dead:
            self.queue.send(failed.body, redriven=True)

    def leftovers(self) -> list[str]:
        """Return what must not be left at the end: uploads in the bucket or the journal, versions that wait."""
        found = [f"upload {begun.id} of {begun.key}" for begun in self.uploads.under_way(WEST)]
        found += [
            f"item of {upload.id}"
            for upload in self.upload_journal.uploads.values()
            if upload.id not in self.upload_journal.retired
        ]
        found += [f"{version} {status} {reason}" for version, (status, reason) in self.waiting().items()]
        return found

    def body(self, key: str = "k", bucket: str = WEST) -> bytes | None:
        """Return what a GET of the key returns, None if it is not there."""
        current = self.s3.buckets[bucket].current(key)
        return current.content.body if current and current.is_version else None
