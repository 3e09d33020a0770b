"""Which rule documents are still the ones that a container remembers: one list for all of them.

Separate from reading a document: a container that serves hundreds of buckets would otherwise make one more request for
nearly every change, as the rules of each bucket are looked at again after half a minute. A list costs as much as some
forty conditional reads, so there is one only after many.
"""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from replicator.aws.asking import asking
from replicator.aws.errors import Side

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

READS_BEFORE_A_LIST = 25
MOST_PAGES = 10
"""Of 1,000 documents each. Those of a larger stack are read one by one."""


class RuleSurvey:
    """Counts conditional reads, and lists instead once there were many within a time. Thread-safe.

    window: seconds in which reads are counted, and for which a list stays good.
    """

    def __init__(self, s3: "S3Client", control_bucket: str, prefix: str, window: float) -> None:
        self._s3 = s3
        self._control_bucket = control_bucket
        self._prefix = prefix
        self._window = window
        self._lock = threading.Lock()
        self._since = 0.0
        self._reads = 0

    def etags(self, clock: Callable[[], float]) -> Mapping[str, str] | None:
        """Note that a document is about to be read again; return the ETags of all, by key, if that is cheaper.

        None: read it. Raises Temporary or Permanent.
        """
        with self._lock:
            now = clock()
            if not 0 <= now - self._since < self._window:
                self._since, self._reads = now, 0
            self._reads += 1
            if self._reads != READS_BEFORE_A_LIST:
                return None
        return self._list()

    def _list(self) -> Mapping[str, str] | None:
        found: dict[str, str] = {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._control_bucket, Prefix=self._prefix)
        with asking("ListObjectsV2", Side.RULES):
            for number, page in enumerate(pages, 1):
                found |= {each["Key"]: each["ETag"] for each in page.get("Contents", ())}
                if number == MOST_PAGES:
                    return None
        return found
