"""The port Forwarding in memory: change queues of several stacks, by the bucket that each serves as a source."""

from collections.abc import Callable
from dataclasses import dataclass, field

from replicator.core.versions.change import Change
from replicator.core.versions.events import write

from tests.fakes.points import Call, Points, Straight


@dataclass(slots=True)
class MemoryForwarding:
    """What one stack may send to. own: the buckets that it serves; the first names its queue.

    send_to: puts a message on the queue of the stack that serves a bucket. known: buckets whose queues are recorded.
    """

    own: tuple[str, ...]
    send_to: Callable[[str, str], object]
    points: Points = field(default_factory=Straight)
    known: frozenset[str] = frozenset()

    def queue_of(self, bucket: str, owner: str) -> str | None:
        call = Call("FIND QUEUE", "rules", bucket, "", f"of {owner}")
        return self.points.call(call, lambda: self._queue_of(owner))

    def send(self, queue: str, change: Change) -> None:
        to, detail = queue or self.own[0], f"{change.kind} {change.version_id}"
        call = Call("FORWARD", "queue", to, change.key, detail)
        self.points.call(call, lambda: self.send_to(to, write(change)))

    def _queue_of(self, owner: str) -> str | None:
        if owner in self.own:
            return ""
        return owner if owner in self.known else None
