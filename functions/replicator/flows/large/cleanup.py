"""Removes the uploads of a change from the bucket and the journal, once its result is recorded.

Separate because of the order: while an upload is in the journal, a repeated message continues it, so it is removed last
of all. After a crash, the next delivery removes it; if trouble persists, the monitor does.
"""

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.result import Result
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.parts.uploads import Failure, Upload
from replicator.flows.large.ports import Multipart, Uploads

TRIES = 5
"""Deliveries that try to clean up. After these the monitor does: a change that is done must not come back forever."""


def clean_up(result: Result, multipart: Multipart | None) -> bool:
    """Remove the uploads of a change with a final result at one destination.

    Return False if the message should come back to try again; the result stays as it is. A failure that another
    delivery reports leaves the uploads to that one: it may still be working, and may yet succeed.
    """
    outcome, change, delivery = result.outcome, result.attempt.change, result.attempt.delivery
    if multipart is None or not outcome.destination or outcome.status is Status.PENDING:
        return True
    if outcome.status is Status.FAILED and result.trail.reported:
        return True
    if not result.trail.in_parts and max(change.size, outcome.size) <= multipart.large:
        return True
    pair = result.attempt.pair
    try:
        for upload in multipart.journal.of(pair):
            if upload.change_id == change.item_id:
                _remove(pair, upload, result, multipart)
        if delivery.repeated:
            abort_unrecorded(pair, multipart.uploads(result.attempt.target), multipart)
    except Temporary as trouble:
        multipart.warn(f"upload of {change.key} not removed yet from {outcome.destination}: {trouble}")
        return delivery.receive_count >= TRIES
    except Permanent as trouble:
        multipart.warn(f"upload of {change.key} not removed from {outcome.destination}: {trouble}")
    return True


def _remove(pair: Pair, upload: Upload, result: Result, multipart: Multipart) -> None:
    outcome = result.outcome
    failed = outcome.status is Status.FAILED
    if failed:  # before it is aborted: otherwise a worker that misses it would start another one
        failure = Failure(outcome.reason or Reason.UNKNOWN, outcome.detail, result.attempt.delivery.message)
        multipart.journal.fail(pair, upload.ref, failure)
    multipart.uploads(Target(pair.destination, upload.account)).abort(upload.source.key, upload.id)
    if failed:
        multipart.journal.retire(pair, upload.ref)
    else:
        multipart.journal.end(pair, upload.ref)


def abort_unrecorded(pair: Pair, uploads: Uploads, multipart: Multipart) -> None:
    """Abort uploads that an earlier delivery started but, because it crashed, did not record. Trouble is only logged.

    If another handler is just about to record one, it will find it gone, and start another.
    """
    try:
        ours = [upload for upload in uploads.under_way(pair.key) if multipart.is_ours(upload.initiator)]
        recorded = {upload.id for upload in multipart.journal.of(pair)} if ours else set()  # after the listing
        for upload in ours:
            if upload.id not in recorded:
                uploads.abort(pair.key, upload.id)
    except (Temporary, Permanent) as trouble:
        multipart.warn(f"unrecorded uploads of {pair.key} not removed from {pair.destination}: {trouble}")
