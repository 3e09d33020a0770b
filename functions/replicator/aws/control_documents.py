"""The ports `ProofRecords` and `RunStates` on S3: documents of the control bucket that are read and replaced.

Separate from coverage_store.py, which the monitor reads and remembers: here every write is conditional, so that nothing
is noted in a record that `rules put` has just replaced.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from typing import TYPE_CHECKING, Any

from replicator.aws.asking import expecting
from replicator.aws.coverage_store import coverage_key
from replicator.aws.errors import GUARD_FAILED, Side
from replicator.aws.rule_store import NO_DOCUMENT, SUFFIX

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

JSON = "application/json"
STATES_PREFIX = "assurance/"


class ControlDocuments:
    """Documents of the control bucket that several may write. Every method raises Temporary or Permanent."""

    def __init__(self, s3: "S3Client", control_bucket: str) -> None:
        self._s3 = s3
        self._control_bucket = control_bucket

    def get(self, key: str) -> tuple[bytes, str] | None:
        """Return a document and its ETag, or None."""
        with expecting("GetObject", Side.RULES, NO_DOCUMENT):
            answer = self._s3.get_object(Bucket=self._control_bucket, Key=key)
            return answer["Body"].read(), answer["ETag"]
        return None

    def put(self, key: str, text: bytes, etag: str) -> str | None:
        """Replace the document that has this ETag, none if it is empty; return the new ETag, None if another did."""
        condition: dict[str, Any] = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        with expecting("PutObject", Side.RULES, GUARD_FAILED):
            answer = self._s3.put_object(Bucket=self._control_bucket, Key=key, Body=text, ContentType=JSON, **condition)
            return answer["ETag"]
        return None


class CoverageProofs:
    """The port `ProofRecords`."""

    def __init__(self, documents: ControlDocuments) -> None:
        self._documents = documents

    def read(self, bucket: str) -> tuple[bytes, str] | None:
        """Return the record of a source bucket and its ETag, or None."""
        return self._documents.get(coverage_key(bucket))

    def write(self, bucket: str, text: bytes, etag: str) -> bool:
        """Replace the record that has this ETag, none if it is empty; return False if there is another one by now."""
        return self._documents.put(coverage_key(bucket), text, etag) is not None


class ScheduledStates:
    """The port `RunStates`: `assurance/<source bucket>.json`. The operator's command has states of its own."""

    def __init__(self, documents: ControlDocuments) -> None:
        self._documents = documents

    def read(self, bucket: str) -> tuple[bytes, str] | None:
        """Return the state and its ETag, or None."""
        return self._documents.get(f"{STATES_PREFIX}{bucket}{SUFFIX}")

    def write(self, bucket: str, text: bytes, etag: str) -> str | None:
        """Replace the state that has this ETag, none if it is empty; return the new ETag, None if another did."""
        return self._documents.put(f"{STATES_PREFIX}{bucket}{SUFFIX}", text, etag)
