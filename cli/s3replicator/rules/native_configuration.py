"""The replication configuration that S3 itself has for a bucket, read and written with the operator's credentials.

Separate from the settings of buckets, of which it is one more: only taking rules over writes it.
"""

from collections.abc import Mapping
from typing import Any

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed


class AwsNativeConfigurations:
    """The port `NativeConfigurations` on S3. Every method raises CallFailed."""

    # Any: boto3 makes its clients at run time.
    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def read(self, bucket: str) -> Mapping[str, Any] | None:
        """Return a bucket's configuration in S3's shape, or None."""
        try:
            with calling("s3:GetReplicationConfiguration"):
                found: Mapping[str, Any] = self._s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
        except CallFailed as failed:
            if failed.call.code == "ReplicationConfigurationNotFoundError":
                return None
            raise
        return found

    def write(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        """Replace a bucket's configuration. S3 also asks for iam:PassRole on its role."""
        with calling("s3:PutReplicationConfiguration"):
            self._s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=configuration)
