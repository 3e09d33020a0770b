"""Creating a world's buckets, with the API calls that their owner would make."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from emulator import clients
from emulator.world.document import World, WorldBucket
from emulator.world.fields import WorldError

_ALL_BLOCKED = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def create_buckets(world: World) -> None:
    """Create every bucket of the world. Raises WorldError for a policy that S3 refuses."""
    for index, bucket in enumerate(world.buckets):
        _create(bucket)
        if bucket.policy:
            _put_policy(bucket, f"buckets[{index}].policy")


def _create(bucket: WorldBucket) -> None:
    s3 = clients.client("s3", bucket.region, bucket.account)
    s3.create_bucket(
        Bucket=bucket.name,
        ObjectOwnership=bucket.ownership,
        ObjectLockEnabledForBucket=bucket.object_lock,
        **clients.location_constraint(bucket.region),
    )
    s3.put_bucket_ownership_controls(
        Bucket=bucket.name, OwnershipControls={"Rules": [{"ObjectOwnership": bucket.ownership}]}
    )
    if bucket.block_public_access:
        s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=_ALL_BLOCKED)
    else:
        s3.delete_public_access_block(Bucket=bucket.name)
    if bucket.versioning != "Disabled":
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": bucket.versioning})
    if bucket.retention:
        rule: dict[str, Any] = {"DefaultRetention": dict(bucket.retention)}
        s3.put_object_lock_configuration(
            Bucket=bucket.name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
    if bucket.encryption:
        s3.put_bucket_encryption(
            Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [dict(bucket.encryption)]}
        )


def _put_policy(bucket: WorldBucket, path: str) -> None:
    s3 = clients.client("s3", bucket.region, bucket.account)
    try:
        s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(bucket.policy))
    except ClientError as error:
        raise WorldError(path, error.response["Error"]["Message"]) from None
