"""The change queues of other stacks, read from `peers/<source bucket>.json` in the control bucket.

`s3replicator rules put` records there which queue receives the events of each destination that is a source itself.
Separate from the rule store: only changes of replicas need it. A record that cannot be read makes those wait.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from replicator.aws.asking import expecting
from replicator.aws.errors import Side
from replicator.aws.remembered import Remembered
from replicator.aws.rule_store import NO_DOCUMENT, SUFFIX
from replicator.core.outcomes.outcome import Reason, Temporary

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX = "peers/"
KEEP_SECONDS = 30.0


def document_key(bucket: str) -> str:
    """Return the control bucket's key of what is recorded for a source bucket."""
    return f"{PREFIX}{bucket}{SUFFIX}"


class PeerQueues:
    """The queues of other stacks, at most KEEP_SECONDS old. Thread-safe."""

    def __init__(self, s3: "S3Client", control_bucket: str, clock: Callable[[], float] = time.time) -> None:
        """Take a client and a wall clock in seconds."""
        self._s3 = s3
        self._control_bucket = control_bucket
        self._known: Remembered[str, Mapping[str, str]] = Remembered(clock)

    def queue_of(self, bucket: str, owner: str) -> str | None:
        """Return the ARN of the queue that receives the events of `owner`, as recorded for `bucket`.

        None if none is recorded: then the record is read again each time, once. Raises Temporary.
        """
        read_now = False

        def read() -> Mapping[str, str]:
            nonlocal read_now
            read_now = True
            return self._read(bucket)

        queue = self._known.answer(bucket, read, KEEP_SECONDS).get(owner)
        return queue if queue or read_now else self._known.answer(bucket, read, 0).get(owner)

    def _read(self, bucket: str) -> Mapping[str, str]:
        key = document_key(bucket)
        with expecting("GetObject", Side.RULES, NO_DOCUMENT):
            text = self._s3.get_object(Bucket=self._control_bucket, Key=key)["Body"].read()
            try:
                return dict(json.loads(text)["queues"])
            except (ValueError, KeyError, TypeError) as error:
                why = f"s3://{self._control_bucket}/{key}: {type(error).__name__}"
                raise Temporary(Reason.RULES_UNREADABLE, why, Side.RULES) from error
        return {}
