"""Settings of a whole bucket, one request each.

Separate from buckets.py, which caches them: what a version may have is asked in other places too. If the permission to
read a setting is missing, the least harmful value is assumed; the docstring of its function says which.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking, expecting
from replicator.aws.errors import DENIED, Side

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Owner = Mapping[str, Any]
"""The argument ExpectedBucketOwner, or nothing if the owner is not known."""
NOT_OFFERED = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
LISTENERS = (
    "QueueConfigurations",
    "TopicConfigurations",
    "LambdaFunctionConfigurations",
    "EventBridgeConfiguration",
)


def is_versioned(client: "S3Client", bucket: str, side: Side, owner: Owner) -> bool:
    """Return whether versioning is enabled. Denied: trouble."""
    with asking("GetBucketVersioning", side):
        return client.get_bucket_versioning(Bucket=bucket, **owner).get("Status") == "Enabled"


def has_acls(client: "S3Client", bucket: str, side: Side, owner: Owner) -> bool:
    """Denied: True, because S3 itself refuses an ACL that the bucket cannot have, and none is lost silently.

    No ownership controls: True, the bucket is older than April 2023.
    """
    answers = {
        "OwnershipControlsNotFoundError": True,
        **dict.fromkeys(DENIED, True),
        **dict.fromkeys(NOT_OFFERED, False),
    }
    with expecting("GetBucketOwnershipControls", side, answers.keys()) as asked:
        rules = (
            client.get_bucket_ownership_controls(Bucket=bucket, **owner).get("OwnershipControls", {}).get("Rules", ())
        )
        return all(rule.get("ObjectOwnership") != "BucketOwnerEnforced" for rule in rules)
    return answers[asked.code]


def has_object_lock(client: "S3Client", bucket: str, side: Side, owner: Owner) -> bool:
    """Denied: True, because S3 itself refuses a lock if the bucket has no Object Lock."""
    answers = {
        "ObjectLockConfigurationNotFoundError": False,
        **dict.fromkeys(DENIED, True),
        **dict.fromkeys(NOT_OFFERED, False),
    }
    with expecting("GetObjectLockConfiguration", side, answers.keys()) as asked:
        answer = client.get_object_lock_configuration(Bucket=bucket, **owner)
        return answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
    return answers[asked.code]


def listens(client: "S3Client", bucket: str, side: Side, owner: Owner) -> bool:
    """Denied: True, because the sides of a two-way pair would differ if it were treated as one-way."""
    answers = {**dict.fromkeys(DENIED, True), **dict.fromkeys(NOT_OFFERED, False)}
    with expecting("GetBucketNotificationConfiguration", side, answers.keys()) as asked:
        answer = client.get_bucket_notification_configuration(Bucket=bucket, **owner)
        return any(listener in answer for listener in LISTENERS)
    return answers[asked.code]
