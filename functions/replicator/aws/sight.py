"""Whether a role sees all of a version: a HEAD leaves out what its caller may not read, without a word.

A version whose tags or lock are left out would be replicated without them. So of the first version that a container
reads in a bucket, tags, retention and legal hold are asked for by themselves; every five minutes of another one. Other
servers than S3 may tell nothing of tags in a HEAD at all: there they are always asked for.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import expecting
from replicator.aws.remembered import Remembered
from replicator.core.outcomes.outcome import Side

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEEP_SECONDS = 300.0
NONE_HERE = frozenset({400, 404, 405, 501})
"""Statuses that mean: no lock on the version, no Object Lock on the bucket, no such version, or no support for it."""
S3_SERVER = "AmazonS3"
"""The Server header of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html"""


class Sight:
    """The buckets, by side, whose versions were seen to be visible with all they have. One for a container."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._visible: Remembered[tuple[str, Side], None] = Remembered(clock)
        self._by_s3: set[str] = set()

    def check(self, reader: "S3Client", side: Side, named: Mapping[str, Any]) -> bool:
        """Return whether no number of tags in a HEAD means that there are none. named: one of the bucket's versions.

        Raises Permanent if tags or locks of the bucket's versions are left out.
        """
        bucket = str(named["Bucket"])
        self._visible.answer((bucket, side), partial(self._ask, reader, side, named), KEEP_SECONDS)
        return bucket in self._by_s3

    def _ask(self, reader: "S3Client", side: Side, named: Mapping[str, Any]) -> None:
        with expecting("GetObjectTagging", side, statuses=NONE_HERE):
            answer = reader.get_object_tagging(**named)
            if answer["ResponseMetadata"]["HTTPHeaders"].get("server") == S3_SERVER:
                self._by_s3.add(str(named["Bucket"]))
        with expecting("GetObjectRetention", side, statuses=NONE_HERE):
            reader.get_object_retention(**named)
        with expecting("GetObjectLegalHold", side, statuses=NONE_HERE):
            reader.get_object_legal_hold(**named)
