"""Uploads that the journal remembers -> what became of their changes -> those that nobody needs are aborted.

Handlers clear their uploads away themselves, and one that died is followed by the next delivery. What is left are the
uploads of those whose last call failed, and of changes whose messages are gone for good. The monitor asks for no more
than what is under way, so that it costs nothing when nothing is.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Status, Temporary
from replicator.core.parts.uploads import Upload
from replicator.flows.large.ports import UploadJournal, Uploads
from replicator.flows.ports import Journal

YOUNG_MS = 60_000
"""Below this age its own handlers may just be about to say what became of it."""
UNATTENDED_MS = 15 * 60_000
"""Above this age somebody would have shown a change as waiting, or its message would have come back."""
LOST_MS = 15 * 24 * 3600 * 1000
"""Above this age no message of it can be left on a queue."""


@dataclass(frozen=True, slots=True)
class UploadWatch:
    """What looking after uploads needs. `uploads` returns a bucket, `now` epoch milliseconds."""

    journal: Journal
    remembered: UploadJournal
    uploads: Callable[[Target], Uploads]
    now: Callable[[], int]


def abort_stale(watch: UploadWatch) -> int:
    """Abort what is left over; return how many that were. What meets trouble is left to the next run."""
    try:
        under_way = [*watch.remembered.under_way()]
    except (Temporary, Permanent):
        return 0
    stale = [(pair, upload) for pair, upload in under_way if _is_stale(pair, upload, watch)]
    return sum(_abort(pair, upload, watch) for pair, upload in stale)


def _is_stale(pair: Pair, upload: Upload, watch: UploadWatch) -> bool:
    age = watch.now() - upload.started
    if age < YOUNG_MS:
        return False
    return age > LOST_MS or upload.failure is not None or _is_settled(pair, upload, age, watch)


def _is_settled(pair: Pair, upload: Upload, age: int, watch: UploadWatch) -> bool:
    """Return whether its change came to an end at this destination, well or not.

    Without a note it was left out, as a deleted version is. Before its parts are sent, though, there is none yet.
    """
    with suppress(Temporary, Permanent):
        if upload.change_id in watch.journal.read(pair).settled:
            return True  # even if another hand left a note that it waits
        earlier = watch.journal.earlier(pair, upload.change_id)
        return upload.sent or age > UNATTENDED_MS if earlier is None else earlier.status is not Status.PENDING
    return False


def _abort(pair: Pair, upload: Upload, watch: UploadWatch) -> bool:
    try:
        watch.uploads(Target(pair.destination, upload.account)).abort(pair.key, upload.id)
        if upload.failure:
            watch.remembered.retire(pair, upload.ref)
        else:
            watch.remembered.end(pair, upload.ref)
    except (Temporary, Permanent):
        return False
    return True
