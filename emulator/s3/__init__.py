"""S3, as far as moto differs from it.

One function answers each operation on objects, on buckets that moto stores; the table below says which. Operations on
buckets stay moto's, with small patches declared in the modules that need them. Each module names the page of the AWS
documentation whose behaviour it imitates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.calls.answers import Answer, S3Error
from emulator.calls.call import Call
from emulator.s3 import (
    access,
    acls,
    bucket_creation,
    bucket_listings,
    bucket_policies,
    bucket_tagging,
    buckets,
    completions,
    copies,
    copy_sources,
    deletes,
    listings,
    lock_configurations,
    locks,
    notifications,
    object_annotations,
    object_attributes,
    object_listings,
    puts,
    reads,
    redirects,
    restores,
    tagging,
    trail,
    upload_listings,
    uploads,
)
from emulator.s3.histories import find_bucket
from emulator.s3.native import configuration as replication
from emulator.s3.native import replicating  # noqa: F401 - replicates what is written
from emulator.s3.requests import Request

__all__ = ["answer", "implemented", "regions"]

_OPERATIONS: Mapping[str, Callable[[Request], Answer | None]] = {
    "AbortMultipartUpload": uploads.abort_multipart_upload,
    "CompleteMultipartUpload": completions.complete_multipart_upload,
    "CopyObject": copies.copy_object,
    "CreateBucket": bucket_creation.create_bucket,
    "CreateMultipartUpload": uploads.create_multipart_upload,
    "DeleteBucket": bucket_creation.delete_bucket,
    "DeleteBucketOwnershipControls": bucket_creation.delete_bucket_ownership_controls,
    "DeleteBucketReplication": replication.delete,
    "DeleteBucketTagging": bucket_tagging.delete_bucket_tagging,
    "DeleteObject": deletes.delete_object,
    "DeleteObjectAnnotation": object_annotations.delete_object_annotation,
    "DeleteObjectTagging": tagging.delete_object_tagging,
    "DeleteObjects": deletes.delete_objects,
    "GetBucketAcl": acls.get_bucket_acl,
    "GetBucketLocation": bucket_creation.get_bucket_location,
    "GetBucketNotificationConfiguration": notifications.get,
    "GetBucketOwnershipControls": bucket_creation.get_bucket_ownership_controls,
    "GetBucketPolicyStatus": bucket_policies.get_bucket_policy_status,
    "GetBucketReplication": replication.get,
    "GetBucketTagging": bucket_tagging.get_bucket_tagging,
    "GetObject": reads.get_object,
    "GetObjectAcl": acls.get_object_acl,
    "GetObjectAnnotation": object_annotations.get_object_annotation,
    "GetObjectAttributes": object_attributes.get_object_attributes,
    "GetObjectLegalHold": locks.get_object_legal_hold,
    "GetObjectLockConfiguration": lock_configurations.get_object_lock_configuration,
    "GetObjectRetention": locks.get_object_retention,
    "GetObjectTagging": tagging.get_object_tagging,
    "HeadBucket": buckets.head_bucket,
    "HeadObject": reads.head_object,
    "ListBuckets": bucket_listings.list_buckets,
    "ListMultipartUploads": upload_listings.list_multipart_uploads,
    "ListObjectAnnotations": object_annotations.list_object_annotations,
    "ListObjectVersions": listings.list_object_versions,
    "ListObjects": object_listings.list_objects,
    "ListObjectsV2": object_listings.list_objects_v2,
    "ListParts": upload_listings.list_parts,
    "PutBucketAcl": acls.put_bucket_acl,
    "PutBucketNotificationConfiguration": notifications.put,
    "PutBucketOwnershipControls": bucket_creation.put_bucket_ownership_controls,
    "PutBucketPolicy": bucket_policies.put_bucket_policy,
    "PutBucketReplication": replication.put,
    "PutBucketTagging": bucket_tagging.put_bucket_tagging,
    "PutBucketVersioning": buckets.put_bucket_versioning,
    "PutObject": puts.put_object,
    "PutObjectAcl": acls.put_object_acl,
    "PutObjectAnnotation": object_annotations.put_object_annotation,
    "PutObjectLegalHold": locks.put_object_legal_hold,
    "PutObjectLockConfiguration": lock_configurations.put_object_lock_configuration,
    "PutObjectRetention": locks.put_object_retention,
    "PutObjectTagging": tagging.put_object_tagging,
    "RestoreObject": restores.restore_object,
    "UploadPart": uploads.upload_part,
    "UploadPartCopy": uploads.upload_part_copy,
}
# Operations that moto implements well enough. It would take any other for a CreateBucket or a PutObject.
_LEFT_TO_MOTO = frozenset(
    {
        *("PostObject", "SelectObjectContent", "DeleteBucketLifecycle"),
        "GetBucketVersioning",
        *(f"{verb}Bucket{what}" for verb in ("Get", "Put") for what in ("Logging", "AccelerateConfiguration")),
        *(f"{verb}BucketLifecycleConfiguration" for verb in ("Get", "Put")),
        *(f"{verb}PublicAccessBlock" for verb in ("Get", "Put", "Delete")),
        *(
            f"{verb}Bucket{what}"
            for verb in ("Get", "Put", "Delete")
            for what in ("Cors", "Encryption", "Policy", "Website")
        ),
        *(f"{verb}BucketInventoryConfiguration" for verb in ("Get", "Put")),
        "ListBucketInventoryConfigurations",
    }
)


def implemented() -> frozenset[str]:
    """Return the names of all operations that are answered, by the table above or by moto."""
    return _LEFT_TO_MOTO.union(_OPERATIONS)


def answer(call: Call, environ: dict[str, Any]) -> Answer | None:
    """Answer or refuse an S3 call; None leaves it to moto."""
    if call.service != "s3":
        return None
    request = Request(call, environ)
    try:
        redirects.check(request)
        access.check(request)
        answered = _OPERATIONS.get(call.operation, _left_to_moto)(request)
    except S3Error as error:
        seen = access.as_seen(request, error)
        trail.log(request, seen)
        return seen.answer()
    trail.log(request)
    return answered


def _left_to_moto(request: Request) -> None:
    operation = request.call.operation
    if operation not in _LEFT_TO_MOTO and request.method != "OPTIONS":
        raise S3Error(501, "NotImplemented", f"The emulator does not implement {operation}.")


def regions(call: Call) -> tuple[str | None, str | None]:
    """Return the Regions of the call's bucket and of the copy source's bucket; None for a missing bucket."""
    bucket = find_bucket(call.bucket)
    source = copy_sources.region(call.copy_source) if call.copy_source else None
    return (bucket.region_name if bucket else None), source
