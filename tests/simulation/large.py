"""Large objects in the simulation: what a stack needs to copy in parts, and its workers.

Small enough to be played thousands of times: a byte of a large body counts as 5 MiB, three of them make a part, and a
worker's message has one part. A body of up to six bytes goes as parts in one function, a longer one over several.
"""

from collections.abc import Callable
from dataclasses import replace

from replicator.core.parts.cost import CostModel
from replicator.core.parts.parts import MIB
from replicator.flows.change.consume import Consumer, Message
from replicator.flows.change.replicate import Services
from replicator.flows.copy_parts import TimeBudget, copy_parts
from replicator.flows.large.ports import Multipart
from replicator.flows.watch.stale_uploads import UploadCleanup, abort_stale

from tests.fakes.points import Points
from tests.fakes.queue import MemoryQueue
from tests.fakes.upload_journal import MemoryPartQueue, MemoryUploadJournal
from tests.fakes.uploads import MemoryUploads, UploadStore
from tests.simulation.choices import Choices

SCALE = 5 * MIB
MODEL = CostModel(multipart_from=2 * SCALE, spread_from=6 * SCALE, part_size=3 * SCALE, side_by_side=1)
BODIES = ("large {}", "here{}")
"""Of a large version: over several functions, and in one."""


def with_parts(
    services: Services,
    store: UploadStore,
    points: Points,
    author: str,
    *,
    parts: MemoryQueue,
    journal: MemoryUploadJournal,
) -> Services:
    """Return services that copy in parts."""
    multipart = Multipart(
        model=MODEL,
        source=lambda bucket: MemoryUploads(store, bucket, "source", points, author),
        uploads=lambda target: MemoryUploads(store, target.bucket, "destination", points, author),
        journal=journal,
        queue=MemoryPartQueue(parts),
        is_ours=lambda initiator: initiator == author,
        warn=lambda _: None,
    )
    return replace(services, multipart=multipart)


def work(messages: list[Message], consumer: Consumer, choices: Choices) -> list[str]:
    """Run a worker that sometimes runs out of time; return the ids of the messages that must come back."""
    may_begin: Callable[[], bool] = lambda: not choices.chance(5)  # noqa: E731
    return copy_parts(messages, consumer, TimeBudget(may_begin, hidden=315))


def look_after(services: Services) -> None:
    """Let the monitor abort what is left over."""
    if services.multipart:
        multipart = services.multipart
        abort_stale(UploadCleanup(services.journal, multipart.journal, multipart.uploads, services.now))
