"""Journal index and queues -> everything that is pending or has failed, and how many messages the queues hold.

It only reads. Separate from the status of an object, which asks the buckets too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.threshold import Count, Pending, Route, Tally
from replicator.flows.watch.monitor import Depths, Index, Queues


@dataclass(frozen=True, slots=True)
class StackStatus:
    """Everything that is pending or has failed, and how many messages the queues hold."""

    depths: Depths
    pending: Tally
    failed: dict[Route, Count] = field(default_factory=dict)

    @property
    def routes(self) -> list[Route]:
        """The (source, destination, rule) for which something is pending or has failed."""
        return sorted({*self.pending.by_route, *self.failed})

    @property
    def is_fine(self) -> bool:
        """Return whether nothing has failed and nothing is pending for longer than its threshold."""
        return not self.failed and not self.depths.dead.all and not self.pending.late


def read_stack_status(index: Index, queues: Queues, now: int, bucket: str = "") -> StackStatus:
    """Read the status of a stack, or of one of its source buckets. Raises Temporary. `now`: epoch milliseconds."""
    pending, failed = Tally(now), dict[Route, Count]()
    for each in _entries(index, Status.PENDING, bucket):
        pending.add(each)
    for each in _entries(index, Status.FAILED, bucket):
        failed.setdefault((each.bucket, each.destination, each.rule_id), Count()).add(each)
    return StackStatus(queues.depths(), pending, failed)


def _entries(index: Index, status: Status, bucket: str) -> Iterator[Pending]:
    for shard in index.shards(status):
        yield from (each for each in shard() if bucket in {"", each.bucket})
