"""What a survey leaves in doubt -> messages on the backfill queue, noted with what is left to look at.

Sent before noted: a crash in between sends a few versions twice, and a version that is there is not copied again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import NamedTuple, Protocol

from replicator.core.verifying.listed import Span
from replicator.flows.verify.survey import Batch

from s3replicator.jobs.completion_report import Named
from s3replicator.jobs.job import Totals
from s3replicator.resync.selecting import Selector, is_lone, messages


class Queue(Protocol):
    """The backfill queue."""

    def send(self, bodies: Sequence[str], destination: str, is_stopped: Callable[[], bool]) -> None:
        """Send messages as soon as there is room. Raises CallFailed, Unsent or Interrupted."""
        ...


class Keeper(Protocol):
    """Who keeps what was done: the driver of the job."""

    def keep(self, named: Sequence[Named], added: Totals, left: Sequence[Span]) -> None:
        """Note what was sent, and what is left. Raises Lost or Cancelled."""
        ...


class Sent(NamedTuple):
    """What was sent of one batch of keys."""

    named: list[Named]
    totals: Totals


@dataclass(slots=True)
class Sender:
    """A consumer of a survey that sends what is selected. destinations: where to; all of the rules if empty.

    now: returns epoch milliseconds. queue: None for a dry run. stopping: set once the command is to end. trouble: why
    what was sent could not be noted.
    """

    bucket: str
    selector: Selector
    destinations: Sequence[str]
    queue: Queue | None
    keeper: Keeper
    now: Callable[[], int]
    stopping: Event = field(default_factory=Event)
    trouble: BaseException | None = None

    def examine(self, batch: Batch) -> Sent:
        """Send what is selected of some keys. Called by several threads at once."""
        named, bodies, size = list[Named](), list[str](), 0
        for doubt in batch.doubts:
            entries = self.selector.entries(doubt)
            bodies += messages(self.bucket, entries, self.selector.wish, self.now(), lone=is_lone(doubt))
            named += [Named(doubt.key, each.entry.version_id, not each.entry.is_version) for each in entries]
            size += sum(each.entry.size for each in entries)
        if self.queue and bodies:
            for destination in self.destinations or ("",):
                self.queue.send(bodies, destination, self.stopping.is_set)
        equal = sum(batch.equal.values())
        return Sent(named, Totals(keys=batch.keys, equal=equal, sent=len(named), bytes=size))

    def keep(self, found: Sent, left: Sequence[Span]) -> None:
        """Note what was sent. Called by one thread at a time."""
        try:
            self.keeper.keep(found.named, found.totals, left)
        except BaseException as trouble:
            self.trouble = self.trouble or trouble
            self.stopping.set()
            raise
