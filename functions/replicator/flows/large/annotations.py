"""Annotations of a version that was copied in parts: list them at the source -> copy those that are missing.

CopyObject copies annotations by itself, a multipart upload starts without any. Putting one twice is the same as once,
so a handler that crashes in between does no harm: the next one copies the rest.
"""

from collections.abc import Callable, Sequence
from functools import partial

from replicator.core.deciding.attempt import Delivery
from replicator.core.outcomes.backoff import UNREADABLE_RECEIVES
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.parts.uploads import CopySource
from replicator.flows.large.ports import LargeObjects, Uploads
from replicator.flows.ports import SideBySide

BATCH = 16
"""Annotations that are copied concurrently. Each has 1 MiB at most, so that the memory they take is bounded."""
TRIES = 100
"""Parkings after which copying is tried again after temporary trouble, which is at least half a day."""


def may_try_again(trouble: Temporary, delivery: Delivery) -> bool:
    """Return whether copying may be tried again after this delivery, or the replica does without annotations."""
    receives = max(delivery.receive_count, delivery.part_receives)
    if trouble.reason is Reason.UNREADABLE:
        return receives < UNREADABLE_RECEIVES and not delivery.parked
    return delivery.parked < TRIES


def copy_missing(
    source: LargeObjects, uploads: Uploads, copied: CopySource, version_id: str, side_by_side: SideBySide
) -> None:
    """Copy the annotations that a version of the destination lacks from the version that it was copied from.

    Raises Permanent if there are some, and the destination does not support annotations.
    """
    etags = source.annotations(copied.key, copied.version_id)
    if not etags:
        return
    there = uploads.annotations(copied.key, version_id)
    if there is None:
        raise Permanent(Reason.UNKNOWN, "the destination has no annotations")
    missing = [name for name in etags if name not in there]
    reads = {name: partial(source.annotation, copied.key, copied.version_id, name, etags[name]) for name in missing}
    writes = {name: partial(uploads.annotate, copied.key, version_id, name) for name in missing}
    for batch in _batches(missing):
        side_by_side([partial(_copy_one, reads[name], writes[name]) for name in batch])


def _batches(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + BATCH] for start in range(0, len(names), BATCH)]


def _copy_one(read: Callable[[], bytes | None], write: Callable[[bytes], None]) -> None:
    payload = read()
    if payload is not None:
        write(payload)
