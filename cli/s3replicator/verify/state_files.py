"""How far verifications have come, in the control bucket: `verify/<bucket>.json`, with the differences beside it.

Every write of the state is conditional, so that two runs cannot both go on with the same one.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from typing import TYPE_CHECKING, Any

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX = "verify/"
OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class StateFiles:
    """The port `States` on S3. Every method raises CallFailed."""

    def __init__(self, s3: "S3Client", control_bucket: str, bucket: str) -> None:
        self._s3 = s3
        self._control_bucket = control_bucket
        self._bucket = bucket

    def read(self) -> tuple[bytes, str] | None:
        """Return the state and its ETag, or None."""
        return self._get(f"{PREFIX}{self._bucket}.json")

    def write(self, text: bytes, etag: str) -> str | None:
        """Replace the state that has this ETag, none if it is empty, and return the new one's; None if another did."""
        condition: dict[str, Any] = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        try:
            return self._put(f"{PREFIX}{self._bucket}.json", text, **condition)
        except CallFailed as failed:
            if failed.call.code in OVERTAKEN:
                return None
            raise

    def append(self, run: str, number: int, lines: bytes) -> None:
        """Store a piece of the differences of a run."""
        self._put(self._piece(run, number), lines)

    def piece(self, run: str, number: int) -> bytes:
        """Return a piece of the differences of a run; empty if it was deleted."""
        found = self._get(self._piece(run, number))
        return found[0] if found else b""

    def _piece(self, run: str, number: int) -> str:
        return f"{PREFIX}{self._bucket}/{run}/{number:06}.jsonl"

    def _get(self, key: str) -> tuple[bytes, str] | None:
        try:
            with calling("s3:GetObject"):
                answer = self._s3.get_object(Bucket=self._control_bucket, Key=key)
                return answer["Body"].read(), answer["ETag"]
        except CallFailed as failed:
            if failed.call.code == "NoSuchKey":
                return None
            raise

    def _put(self, key: str, text: bytes, **condition: Any) -> str:
        with calling("s3:PutObject"):
            answer = self._s3.put_object(
                Bucket=self._control_bucket, Key=key, Body=text, ContentType="application/json", **condition
            )
            return answer["ETag"]
