"""The port Forwarding in memory: change queues of several stacks, by the bucket that each serves as a source."""

from collections.abc import Callable
from dataclasses import dataclass, field

from replicator.core.versions.change import Change
from replicator.core.versions.events import write

from tests.fakes.points import Call, Points, Straight


@dataclass(slots=True)
class MemoryForwarding:
    """What one stack may send to. send_to: puts a message on the queue of the stack that serves a bucket.

    own: a bucket that this stack serves. unknown: buckets whose queue nobody recorded.
    """

    own: str
    send_to: Callable[[str, str], object]
    points: Points = field(default_factory=Straight)
    serves: Callable[[str], bool] = lambda _: True
    unknown: frozenset[str] = frozenset()

    def queue_of(self, bucket: str, owner: str) -> str | None:
        known = self.serves(owner) and owner not in self.unknown
        return self.points.call(
            Call("FIND QUEUE", "rules", bucket, "", f"of {owner}"), lambda: owner if known else None
        )

    def send(self, queue: str, change: Change) -> None:
        detail = f"{change.kind} {change.version_id}"
        self.points.call(
            Call("FORWARD", "queue", queue or self.own, change.key, detail),
            lambda: self.send_to(queue or self.own, write(change)),
        )
