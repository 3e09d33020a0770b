"""After the outcome is written down: nothing is left of its uploads, in the bucket or in the journal.

Separate because of the order: as long as an upload is remembered, a repeated message carries its change on; so it is
forgotten last of all. Whoever dies before leaves it to the next delivery; what keeps meeting trouble, to the monitor.
"""

from contextlib import suppress

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.result import Result
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.parts.uploads import Failure, Upload
from replicator.flows.large.ports import Multipart, Uploads

TRIES = 5
"""Deliveries that try to clear away. A change that is done should not come back for ever."""


def tidy(result: Result, multipart: Multipart | None) -> bool:
    """Clear away what a final result left of its change's uploads at one destination.

    False if its message should come back for that. It is no trouble of the change, which has ended. A failure that
    another delivery reports leaves all to that one: it may not have come to it, and get through yet.
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
                _clear_away(pair, upload, result, multipart)
        if delivery.repeated:
            abort_forgotten(pair, multipart.uploads(Target(pair.destination)), multipart)
    except Temporary:
        return delivery.attempts >= TRIES
    except Permanent:
        return True
    return True


def _clear_away(pair: Pair, upload: Upload, result: Result, multipart: Multipart) -> None:
    outcome = result.outcome
    failed = outcome.status is Status.FAILED
    if failed:  # before the upload is gone: who finds it gone would begin another one
        failure = Failure(outcome.reason or Reason.UNKNOWN, outcome.detail, result.attempt.delivery.message)
        multipart.journal.fail(pair, upload.ref, failure)
    multipart.uploads(Target(pair.destination, upload.account)).abort(upload.source.key, upload.id)
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
