"""Whether a role may see the lock of a version: a HEAD leaves out what its caller may not read, without a word.

A version whose retention or legal hold is left out would be replicated without it. So of the first version that a
container reads in a bucket with Object Lock, both are asked for by themselves; every five minutes of another one.
(Tags are left out likewise; `BucketObjects` counts on a HEAD only where it was seen to tell of them.)
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import expecting
from replicator.aws.bucket_settings import has_object_lock
from replicator.aws.denials import Side

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEEP_SECONDS = 300.0
NONE_HERE = frozenset({400, 404, 405, 501})
"""Statuses that mean: no lock on the version, no Object Lock on the bucket, no such version, or no support for it."""


class Sight:
    """The buckets, by side, whose versions were seen to be visible with their locks. One for a container."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._visible_until: dict[tuple[str, Side], float] = {}
        self._lock = threading.Lock()

    def check(self, reader: "S3Client", side: Side, named: dict[str, Any]) -> None:
        """Raise Permanent if locks of the bucket's versions are left out. named: one of its versions."""
        place = (str(named["Bucket"]), side)
        with self._lock:  # one thread asks, the others wait for its answer
            if self._clock() < self._visible_until.get(place, 0.0):
                return
            if has_object_lock(reader, place[0], side):
                for operation, ask in (
                    ("GetObjectRetention", reader.get_object_retention),
                    ("GetObjectLegalHold", reader.get_object_legal_hold),
                ):
                    with expecting(operation, side, statuses=NONE_HERE):
                        ask(**named)
            self._visible_until[place] = self._clock() + KEEP_SECONDS
