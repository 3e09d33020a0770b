"""Annotations of a version that was copied in parts: listed at the source -> what is missing, one by one.

CopyObject keeps them by itself, a multipart upload begins without any. Putting one twice is the same as once, so a
handler that dies in between leaves nothing wrong: the next one carries on.
"""

from collections.abc import Sequence
from functools import partial

from replicator.core.parts.uploads import CopySource
from replicator.flows.large.ports import LargeObjects, Uploads
from replicator.flows.ports import SideBySide

BATCH = 16
"""Annotations at a time, each of 1 MiB at most: memory stays the same whatever a version has."""


def carry(source: LargeObjects, uploads: Uploads, copied: CopySource, version_id: str, side_by_side: SideBySide) -> int:
    """Return a version of the destination the annotations of what it was copied from; return how many it lacked."""
    names = source.annotations(copied.key, copied.version_id)
    there = set(uploads.annotations(copied.key, version_id)) if names else set()
    missing = [name for name in names if name not in there]
    for batch in _batches(missing):
        side_by_side([partial(_copy_one_annotation, source, uploads, copied, version_id, name) for name in batch])
    return len(missing)


def _batches(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + BATCH] for start in range(0, len(names), BATCH)]


def _copy_one_annotation(
    source: LargeObjects, uploads: Uploads, copied: CopySource, version_id: str, name: str
) -> None:
    payload = source.annotation(copied.key, copied.version_id, name)
    if payload is not None:
        uploads.annotate(copied.key, version_id, name, payload)
