"""The port Forwarding in memory: change queues of several stacks, by the bucket that each serves as a source."""

from collections.abc import Callable
from dataclasses import dataclass, field

from replicator.core.outcomes.outcome import Permanent, Reason, Side, Temporary
from replicator.core.versions.change import Change
from replicator.core.versions.events import write

from tests.fakes.points import Call, Points, Straight


@dataclass(slots=True)
class MemoryForwarding:
    """What one stack may send to. own: the buckets that it serves; the first names its queue.

    send_to: puts a message on the queue of the stack that serves a bucket; raises KeyError if there is none. recorded:
    for which bucket the queue of which other bucket's stack is recorded. denied: queues that take nothing from it.
    """

    own: tuple[str, ...]
    send_to: Callable[[str, str], object]
    points: Points = field(default_factory=Straight)
    recorded: frozenset[tuple[str, str]] = frozenset()
    denied: frozenset[str] = frozenset()

    def queue_of(self, bucket: str, owner: str) -> str | None:
        call = Call("FIND QUEUE", "rules", bucket, "", f"of {owner}")
        return self.points.call(call, lambda: owner if (bucket, owner) in self.recorded else None)

    def send(self, queue: str, change: Change) -> None:
        to, detail = queue or self.own[0], f"{change.kind} {change.version_id}"
        call = Call("FORWARD", "queue", to, change.key, detail)
        self.points.call(call, lambda: self._send(to, change))

    def _send(self, to: str, change: Change) -> None:
        if to in self.denied:
            raise Permanent(Reason.OWNER_DENIED, "AccessDenied 403", Side.QUEUE)
        try:
            self.send_to(to, write(change))
        except KeyError:
            raise Temporary(Reason.SERVICE, "QueueDoesNotExist 400", Side.QUEUE) from None
