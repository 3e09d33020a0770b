"""A version whose parts are under way -> the journal's upload -> ListParts -> how far it has come. It only reads."""

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.target import Target
from replicator.core.parts.uploads import UploadGone
from replicator.flows.large.ports import Multipart, all_parts

from s3replicator.status.progress import Progress, progress_of


def progress(pair: Pair, change_id: str, multipart: Multipart, now: int) -> Progress | None:
    """Look at the upload of one change at one destination; None if there is none. Raises Temporary or Permanent.

    `now` is epoch milliseconds. Costs one query and one ListParts for each 1,000 parts.
    """
    for upload in multipart.journal.of(pair):
        if upload.change_id == change_id and upload.failure is None:
            uploads = multipart.uploads(Target(pair.destination, upload.account))
            try:
                parts = all_parts(uploads, pair.key, upload.id, upload.cut.count)
            except UploadGone:
                return None
            return progress_of(upload, parts, now)
    return None
