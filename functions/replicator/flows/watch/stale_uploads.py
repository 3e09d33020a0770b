"""Uploads in the journal -> the state of their changes -> abort those that are not needed any more.

Handlers remove their own uploads, and after a crash the next delivery does. What is left are uploads whose removal
failed, and uploads of changes whose messages are lost. Only uploads in progress are listed, so that this costs nothing
when there are none.
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
"""Below this age, the upload's own handlers may be about to record its result."""
UNATTENDED_MS = 15 * 60_000
"""Above this age, the change would have been recorded as waiting, or its message would have come back."""
LOST_MS = 15 * 24 * 3600 * 1000
"""Above this age, no message of the change can be left on a queue. Parts that are parked for longer begin anew."""


@dataclass(frozen=True, slots=True)
class UploadCleanup:
    """What aborting stale uploads needs. `uploads` returns a bucket, `now` epoch milliseconds."""

    journal: Journal
    upload_journal: UploadJournal
    uploads: Callable[[Target], Uploads]
    now: Callable[[], int]


def abort_stale(services: UploadCleanup) -> int:
    """Abort uploads that are not needed any more; return how many. Those that meet trouble are left to the next run."""
    try:
        under_way = [*services.upload_journal.under_way()]
    except (Temporary, Permanent):
        return 0
    stale = [(pair, upload) for pair, upload in under_way if _is_stale(pair, upload, services)]
    return sum(_abort(pair, upload, services) for pair, upload in stale)


def _is_stale(pair: Pair, upload: Upload, services: UploadCleanup) -> bool:
    age = services.now() - upload.started
    if age < YOUNG_MS:
        return False
    return age > LOST_MS or upload.failure is not None or _is_settled(pair, upload, age, services)


def _is_settled(pair: Pair, upload: Upload, age: int, services: UploadCleanup) -> bool:
    """Return whether the change has ended at this destination, in whichever way.

    If nothing is recorded about it, it was skipped, as a deleted version is; or its parts have not been sent yet.
    """
    with suppress(Temporary, Permanent):
        if upload.change_id in services.journal.read(pair).settled:
            return True  # even if another handler recorded that it waits
        earlier = services.journal.earlier(pair, upload.change_id)
        return upload.sent or age > UNATTENDED_MS if earlier is None else earlier.status is not Status.PENDING
    return False


def _abort(pair: Pair, upload: Upload, services: UploadCleanup) -> bool:
    try:
        services.uploads(Target(pair.destination, upload.account)).abort(pair.key, upload.id)
        if upload.failure:
            services.upload_journal.retire(pair, upload.ref)
        else:
            services.upload_journal.end(pair, upload.ref)
    except (Temporary, Permanent):
        return False
    return True
