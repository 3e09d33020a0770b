"""The parts of an upload: which have been copied, and in which order the others are copied.

Separate from the writer because the workers of the part queue need the same.
"""

from collections.abc import Sequence

from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import Part
from replicator.flows.large.ports import PAGE, Uploads


def in_lanes(parts: Sequence[PartRange], lanes: int) -> list[Sequence[PartRange]]:
    """Distribute parts over lanes. Lanes run side by side, the parts of one lane one after the other."""
    return [parts[lane::lanes] for lane in range(min(lanes, len(parts)))]


def all_parts(uploads: Uploads, key: str, upload_id: str, count: int) -> list[Part]:
    """List all parts of an upload that has at most `count`. Raises UploadGone."""
    found: list[Part] = []
    while True:
        page = uploads.parts(key, upload_id, found[-1].number if found else 0)
        found += page
        if len(page) < PAGE or found[-1].number >= count:
            return found


def all_there(uploads: Uploads, key: str, upload_id: str, count: int) -> bool:
    """Return whether all `count` parts of an upload are there. Raises UploadGone.

    Lists the last page first: parts are copied roughly in order, so until nearly the end some are missing there, and
    one request is enough.
    """
    for after in reversed(range(0, count, PAGE)):
        wanted = min(PAGE, count - after)
        page = [part for part in uploads.parts(key, upload_id, after) if part.number <= after + wanted]
        if len(page) < wanted:
            return False
    return True
