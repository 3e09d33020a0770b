"""Settings of buckets, KMS keys and the change queue, read and written on AWS with the operator's credentials.

Only the command uses this: functions never change a bucket's settings. A call that fails is kept in the view, so that
one missing permission does not hide everything else.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.rules.bucket_checks import AWS_MANAGED_KEY, BucketView, KeyView, NativeRoute
from s3replicator.rules.queue_policy import accepts_events_of
from s3replicator.stack_facts import StackFacts

# Any: boto3 has one client type per service, chosen by the text of its name.
ClientOf = Callable[[str, str], Any]
Elsewhere = Callable[[str], ClientOf]
ClientToward = Callable[[str, str, str, str], Any]
_NO_SUCH_BUCKET = {"404", "NoSuchBucket"}


class AwsBucketSettings:
    """The port `BucketSettings` on AWS."""

    def __init__(
        self,
        clients: ClientOf,
        stack: StackFacts,
        elsewhere: Elsewhere | None = None,
        toward: ClientToward | None = None,
    ) -> None:
        """Take clients. elsewhere: those to use for what another account owns, by that account.

        toward: those to use for a destination, by its name and account, in place of these.
        """
        self._clients = clients
        self._stack = stack
        self._elsewhere = elsewhere or (lambda _: clients)
        self._toward = toward

    def _of(self, account: str | None) -> ClientOf:
        own = not account or account == self._stack.account
        return self._clients if own else self._elsewhere(str(account))

    def _of_destination(self, bucket: str, account: str | None) -> ClientOf:
        return partial(self._toward, bucket, account or "") if self._toward else self._of(account)

    def view_source(self, bucket: str) -> BucketView:
        """Read the settings of a source bucket."""
        reading = _Reading(self._of(self._stack.source_account), bucket, self._stack.region)
        if not reading.exists:
            return reading.absent()
        return BucketView(
            bucket,
            exists=True,
            region=reading.region,
            versioning=reading.versioning(),
            object_lock=reading.object_lock(),
            ownership=reading.ownership(),
            kms_key=reading.kms_key(),
            native_routes=reading.native_routes(),
            failed_calls=tuple(reading.failed_calls),
        )

    def view_destination(self, bucket: str, account: str | None) -> BucketView:
        """Read the settings of a destination bucket; with an account, also whether that account owns it."""
        reading = _Reading(self._of_destination(bucket, account), bucket, self._stack.region)
        if not reading.exists:
            return reading.absent()
        return BucketView(
            bucket,
            exists=True,
            region=reading.region,
            owner_matches=reading.belongs_to(account) if account else None,
            versioning=reading.versioning(),
            object_lock=reading.object_lock(),
            ownership=reading.ownership(),
            aborts_uploads=reading.aborts_uploads(),
            kms_key=reading.kms_key(),
            native_routes=reading.native_routes(),
            failed_calls=tuple(reading.failed_calls),
        )

    def view_key(self, arn: str) -> KeyView:
        """Read the state of a KMS key, by its ARN or the ARN of an alias."""
        try:
            with calling("kms:DescribeKey"):
                key = self._of(arn.split(":")[4])("kms", arn.split(":")[3]).describe_key(KeyId=arn)["KeyMetadata"]
        except CallFailed as failed:
            missing = failed.call.code == "NotFoundException"
            return KeyView(exists=False if missing else None, failed_call=None if missing else failed.call)
        symmetric = key.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        return KeyView(
            exists=True,
            arn=key.get("Arn", arn),
            state=key.get("KeyState", "Enabled"),
            symmetric=symmetric and key.get("KeyUsage", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT",
        )

    def queue_takes_from(self, bucket: str) -> bool:
        """Return whether the change queue's policy lets S3 send the events of this bucket. Raises CallFailed."""
        with calling("sqs:GetQueueAttributes"):
            attributes = self._clients("sqs", self._stack.region).get_queue_attributes(
                QueueUrl=self._stack.change_queue_url, AttributeNames=["Policy"]
            )
        return accepts_events_of(
            attributes.get("Attributes", {}).get("Policy", ""), self._stack.change_queue_arn, bucket
        )

    def notifications(self, bucket: str, account: str | None = None) -> Mapping[str, Any]:
        """Return a bucket's notification configuration. account: of a destination. Raises CallFailed."""
        with calling("s3:GetBucketNotification"):
            s3 = self._notifying(bucket, account)
            answer = s3.get_bucket_notification_configuration(Bucket=bucket)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def set_notifications(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        """Replace a bucket's notification configuration. Raises CallFailed."""
        with calling("s3:PutBucketNotification"):
            self._notifying(bucket).put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration=configuration
            )

    def _notifying(self, bucket: str, account: str | None = None) -> Any:
        """Return the client for the notifications of a source; destinations are asked for theirs, too."""
        if account or not self._stack.reads_from(bucket):
            return self._of_destination(bucket, account)("s3", self._stack.region)
        return self._of(self._stack.source_account)("s3", self._stack.region)


class _Reading:
    """One bucket's settings, each by a call of its own."""

    def __init__(self, clients: ClientOf, bucket: str, home_region: str) -> None:
        self.bucket = bucket
        self.failed_calls: list[FailedCall] = []
        self.region: str | None = None
        self._s3 = clients("s3", home_region)
        self.exists = self._find()
        if self.region is not None:
            self._s3 = clients("s3", self.region)

    def absent(self) -> BucketView:
        return BucketView(self.bucket, exists=self.exists, region=self.region, failed_calls=tuple(self.failed_calls))

    def versioning(self) -> str | None:
        answer = self._call("s3:GetBucketVersioning", self._s3.get_bucket_versioning)
        return None if answer is None else answer.get("Status", "Disabled")

    def object_lock(self) -> bool | None:
        answer = self._call(
            "s3:GetBucketObjectLockConfiguration",
            self._s3.get_object_lock_configuration,
            "ObjectLockConfigurationNotFoundError",
        )
        enabled = "Enabled"
        return None if answer is None else answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == enabled

    def ownership(self) -> str | None:
        answer = self._call(
            "s3:GetBucketOwnershipControls", self._s3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError"
        )
        if answer is None:
            return None
        rules = answer.get("OwnershipControls", {}).get("Rules", [])
        # A bucket without ownership controls is older than they are: its ACLs count.
        return str(rules[0].get("ObjectOwnership", "ObjectWriter")) if rules else "ObjectWriter"

    def aborts_uploads(self) -> bool | None:
        answer = self._call(
            "s3:GetLifecycleConfiguration",
            self._s3.get_bucket_lifecycle_configuration,
            "NoSuchLifecycleConfiguration",
        )
        if answer is None:
            return None
        return any(
            rule.get("Status") == "Enabled" and "AbortIncompleteMultipartUpload" in rule
            for rule in answer.get("Rules", [])
        )

    def kms_key(self) -> str | None:
        answer = self._call(
            "s3:GetEncryptionConfiguration",
            self._s3.get_bucket_encryption,
            "ServerSideEncryptionConfigurationNotFoundError",
        )
        if answer is None:
            return None
        for rule in answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", []):
            default = rule.get("ApplyServerSideEncryptionByDefault", {})
            if str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
                return str(default.get("KMSMasterKeyID") or AWS_MANAGED_KEY)
        return ""

    def native_routes(self) -> tuple[NativeRoute, ...] | None:
        answer = self._call(
            "s3:GetReplicationConfiguration",
            self._s3.get_bucket_replication,
            "ReplicationConfigurationNotFoundError",
        )
        if answer is None:
            return None
        rules = answer.get("ReplicationConfiguration", {}).get("Rules", [])
        return tuple(_native_route(rule) for rule in rules if rule.get("Status") == "Enabled")

    def belongs_to(self, account: str) -> bool | None:
        try:
            with calling("s3:ListBucket"):
                self._s3.head_bucket(Bucket=self.bucket, ExpectedBucketOwner=account)
        except CallFailed as failed:
            if failed.call.code in {"403", "AccessDenied"}:
                return False
            self.failed_calls.append(failed.call)
            return None
        return True

    def _find(self) -> bool | None:
        try:
            with calling("s3:ListBucket"):
                self.region = self._s3.head_bucket(Bucket=self.bucket).get("BucketRegion")
        except CallFailed as failed:
            if failed.call.code in _NO_SUCH_BUCKET:
                return False
            self.failed_calls.append(failed.call)
            return None
        if self.region is None:
            location = self._call("s3:GetBucketLocation", self._s3.get_bucket_location)
            self.region = None if location is None else _region_of(location.get("LocationConstraint"))
        return True

    def _call(self, action: str, operation: Callable[..., Any], absent: str = "") -> Mapping[str, Any] | None:
        try:
            with calling(action):
                answer: Mapping[str, Any] = operation(Bucket=self.bucket)
        except CallFailed as failed:
            if failed.call.code == absent:
                return {}
            self.failed_calls.append(failed.call)
            return None
        return answer


def _native_route(rule: Mapping[str, Any]) -> NativeRoute:
    """Read a rule of either version of the format."""
    selected = rule.get("Filter", {})
    prefix = selected.get("And", selected).get("Prefix") or rule.get("Prefix") or ""
    return NativeRoute(str(rule.get("Destination", {}).get("Bucket", "")).rpartition(":")[2], prefix)


def _region_of(constraint: str | None) -> str:
    # S3's two oldest answers: none for us-east-1, EU for eu-west-1.
    return {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(constraint) or str(constraint)
