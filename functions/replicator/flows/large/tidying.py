"""After the outcome is written down: nothing is left of its uploads, in the bucket or in the journal.

Separate because of the order: as long as an upload is remembered, a repeated message carries its change on; so it is
forgotten last of all. Whoever dies before leaves it to the next delivery; what keeps meeting trouble, to the monitor.
"""

from contextlib import suppress

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.parts.uploads import Failure, Upload
from replicator.core.versions.change import Change
from replicator.flows.delivery import Delivery
from replicator.flows.large.ports import Multipart, Uploads

TRIES = 5
"""Deliveries that try to clear away. A change that is done should not come back for ever."""


def tidy(change: Change, outcome: Outcome, delivery: Delivery, multipart: Multipart | None) -> bool:
    """Clear away what a change's final outcome left of its uploads at one destination.

    False if its message should come back for that. It is no trouble of the change, which has ended. A failure that
    somebody else tells of leaves all to them: they may not have come to it, and get through yet.
    """
    if multipart is None or not outcome.destination or outcome.status is Status.PENDING:
        return True
    if outcome.status is Status.FAILED and outcome.told:
        return True
    if not outcome.in_parts and max(change.size, outcome.size) <= multipart.large:
        return True
    pair = Pair(change.bucket, outcome.destination, change.key)
    try:
        for upload in multipart.journal.of(pair):
            if upload.change_id == change.item_id:
                _clear_away(pair, upload, outcome, delivery.message, multipart)
        if delivery.repeated:
            abort_forgotten(pair, multipart.uploads(pair.destination, ""), multipart)
    except Temporary:
        return delivery.attempts >= TRIES
    except Permanent:
        return True
    return True


def _clear_away(pair: Pair, upload: Upload, outcome: Outcome, message: str, multipart: Multipart) -> None:
    failed = outcome.status is Status.FAILED
    if failed:  # before the upload is gone: who finds it gone would begin another one
        failure = Failure(outcome.reason or Reason.UNKNOWN, outcome.detail, message)
        multipart.journal.fail(pair, upload.ref, failure)
    multipart.uploads(pair.destination, upload.account).abort(upload.source.key, upload.id)
    if failed:
        multipart.journal.retire(pair, upload.ref)
    else:
        multipart.journal.end(pair, upload.ref)


def abort_forgotten(pair: Pair, uploads: Uploads, multipart: Multipart) -> None:
    """Abort what an earlier delivery began and died before it could remember it. Trouble here is the monitor's.

    Another handler may be about to remember one: it will find it gone, and begin another.
    """
    with suppress(Temporary, Permanent):
        ours = [upload for upload in uploads.under_way(pair.key) if multipart.is_ours(upload.initiator)]
        known = {upload.id for upload in multipart.journal.of(pair)} if ours else set()  # after the listing
        for upload in ours:
            if upload.id not in known:
                uploads.abort(pair.key, upload.id)
