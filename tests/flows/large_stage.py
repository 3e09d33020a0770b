"""The stage for large objects: beside the change queue a part queue, and workers that copy parts.

A body's bytes count as 5 MiB each, so that objects are large and tests are not. `number` counts calls over all
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
from tests.fakes.queue import FailedMessage, MemoryQueue
from tests.fakes.stored import Stored
from tests.fakes.upload_journal import MemoryPartQueue, MemoryUploadJournal
from tests.fakes.uploads import MemoryUploads, UploadStore
from tests.flows.stage import EAST, OURS, WEST, Killed, Stage

SCALE = 5 * MIB
HERE = CostModel(multipart_from=3 * SCALE, spread_from=6 * SCALE, part_size=SCALE, side_by_side=2)
"""Up to 3 bytes one request, up to 6 one function, above that two parts in a message."""


@dataclass(slots=True)
class LargeStage(Stage):
    """A stage that copies in parts."""

    rules: Sequence[Rule] = ()
    model: CostModel = HERE
    number: int = 0
    wrong_at: dict[int, Mishap] = field(default_factory=dict)
    may_begin: Callable[[], bool] = lambda: True
    uploads: UploadStore = field(init=False)
    upload_journal: MemoryUploadJournal = field(init=False)
    parts: MemoryQueue = field(init=False)
    parts_desk: Consumer = field(init=False)

    def __post_init__(self) -> None:
        Stage.__post_init__(self)
        self.uploads = UploadStore(self.s3)
        self.upload_journal = MemoryUploadJournal(self.points)
        self.parts = MemoryQueue(self.s3.clock, self.points, timeout=1800.0)
        self.parts.dead = self.queue.dead  # there is one dead-letter queue
        multipart = Multipart(
            model=self.model,
            source=lambda bucket: MemoryUploads(self.uploads, bucket, "source", self.points, OURS),
            uploads=lambda target: MemoryUploads(self.uploads, target.bucket, "destination", self.points, OURS),
            journal=self.upload_journal,
            queue=MemoryPartQueue(self.parts),
            is_ours=lambda initiator: initiator == OURS,
        )
        self.change_services(multipart=multipart)
        self.parts_desk = replace(self.consumer, queue=self.parts)

    def _mishap(self, call: Call) -> Mishap | None:
        self.number += 1
        mishap = self.wrong_at.pop(self.number, None)
        if mishap and (call.operation != "HIDE" or isinstance(mishap.error, Killed)):  # that port raises nothing
            return mishap
        return Stage._mishap(self, call)

    def put_large(self, body: bytes = b"seven77", key: str = "k", bucket: str = EAST, **content: Any) -> Stored:
        """Write a version of 5 MiB for each byte of the body."""
        return self.put(key, body, bucket, scale=SCALE, **content)

    def work(self, *letters: FailedMessage) -> list[str]:
        """Hand messages of parts, by default the first visible one, to a worker; return the ids that must come back."""
        batch = list(letters) or self.parts.visible()[:1]
        messages = [self.parts.receive(letter) for letter in batch]
        budget = TimeBudget(self.may_begin, hidden=315)
        try:
            waiting = copy_parts(messages, self.parts_desk, budget)
        except Killed:
            return [message.id for message in messages]
        self.parts.delete([message.id for message in messages if message.id not in waiting])
        return waiting

    def rest(self, deliveries: int = 300) -> int:
        """Deliver from both queues and wait until no message is left; return how many batches that took."""
        for count in range(deliveries):
            letters = [*self.queue.letters.values(), *self.parts.letters.values()]
            if not letters:
                return count
            nearest = min(letter.visible for letter in letters)
            self.s3.clock.advance(max(0.0, nearest - self.s3.clock.now))
            if self.queue.visible():
                self.deliver()
            else:
                self.work()
        raise AssertionError(f"still there after {deliveries} batches: {[*self.queue.letters, *self.parts.letters]}")

    def monitor(self) -> int:
        """Let the monitor look after uploads, two minutes later; return how many it cleared away."""
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
        """Put every failure back on the change queue, whichever queue it came from."""
        dead, self.queue.dead = self.queue.dead, []
        self.parts.dead = self.queue.dead
        for letter in dead:
            self.queue.send(letter.body, redriven=True)

    def leftovers(self) -> list[str]:
        """Return what must not be there at rest: uploads under way, remembered ones, versions that wait."""
        found = [f"upload {begun.id} of {begun.key}" for begun in self.uploads.under_way(WEST)]
        found += [
            f"item of {upload.id}"
            for upload in self.upload_journal.uploads.values()
            if upload.id not in self.upload_journal.retired
        ]
        found += [f"{version} {status} {reason}" for version, (status, reason) in self.waiting().items()]
        return found

    def body(self, key: str = "k", bucket: str = WEST) -> bytes | None:
        """Return what readers see."""
        current = self.s3.buckets[bucket].current(key)
        return current.content.body if current and current.is_version else None
