"""Every field of S3's API that a replica could have has been decided about; a newer botocore with more of them fails.

The tables say what becomes of each field: where it is read, where it is written, or why it is neither.
"""

import botocore.session
import pytest
from botocore.model import StringShape, StructureShape
from replicator.aws.objects import CHECKSUMS, HEADERS
from replicator.aws.writing import GRANT_ARGUMENTS
from replicator.core.rules.destination_reader import REPLICA_STORAGE_CLASSES

S3 = botocore.session.Session().get_service_model("s3")

LOCK = {
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
    "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays",
    "ObjectLockEventHoldDurationYears",
}
ENCRYPTION = {"ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"}
CUSTOMER_KEYS = {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}  # S3 keeps them from everybody

# HeadObject
SUMS = {f"Checksum{each}" for each in CHECKSUMS}
CARRIED = {"Metadata", "StorageClass", *HEADERS.values(), *ENCRYPTION, *LOCK, *SUMS}
LOOKED_AT = {
    "ArchiveStatus", "ChecksumType", "ContentLength", "DeleteMarker", "ETag", "LastModified", "MissingMeta",
    "PartsCount", "Restore", "TagCount", "VersionId",
}  # fmt: skip
NOT_THE_VERSIONS_OWN = {
    "AcceptRanges", "ContentRange", "RequestCharged",  # of this very answer
    "Expiration",  # of the bucket's lifecycle rules
    "ReplicationStatus",  # of S3's own replication
    "Expires",  # botocore's reading of ExpiresString
    *CUSTOMER_KEYS,
}  # fmt: skip

# CopyObject and CreateMultipartUpload
WRITTEN = {"Bucket", "Key", "Metadata", "StorageClass", "Tagging", "ACL", "ChecksumAlgorithm", "ExpectedBucketOwner",
           *HEADERS, *ENCRYPTION, *LOCK, *GRANT_ARGUMENTS.values()}  # fmt: skip
WRITTEN_BY_COPY = {"CopySource", "CopySourceIfMatch", "IfMatch", "IfNoneMatch", "MetadataDirective", "TaggingDirective"}
NOT_WRITTEN = {
    "RequestPayer",  # buckets whose requester pays are not supported
    "SSEKMSEncryptionContext",  # S3 tells nobody which one an object has
    *CUSTOMER_KEYS,
}
NOT_WRITTEN_BY_COPY = {
    "AnnotationDirective",  # COPY by default
    "CopySourceIfModifiedSince", "CopySourceIfNoneMatch", "CopySourceIfUnmodifiedSince",  # the ETag says it all
    "ExpectedSourceBucketOwner",  # the events of the bucket come by a queue that names its account
    *(f"CopySource{each}" for each in CUSTOMER_KEYS),
}  # fmt: skip

DECIDED: dict[str, tuple[StructureShape | None, set[str]]] = {
    "HeadObject": (S3.operation_model("HeadObject").output_shape, CARRIED | LOOKED_AT | NOT_THE_VERSIONS_OWN),
    "CopyObject": (
        S3.operation_model("CopyObject").input_shape,
        WRITTEN | WRITTEN_BY_COPY | NOT_WRITTEN | NOT_WRITTEN_BY_COPY,
    ),
    "CreateMultipartUpload": (
        S3.operation_model("CreateMultipartUpload").input_shape,
        WRITTEN | {"ChecksumType"} | NOT_WRITTEN,
    ),
}


@pytest.mark.parametrize("operation", DECIDED)
def test_every_field_was_decided_about(operation: str) -> None:
    shape, decided = DECIDED[operation]
    assert shape is not None
    assert shape.members.keys() - decided == set(), "decide about these, and say so in the table"


def words(name: str) -> set[str]:
    shape = S3.shape_for(name)
    assert isinstance(shape, StringShape)
    return set(shape.enum)


def test_every_checksum_storage_class_and_permission_was_decided_about() -> None:
    of_other_buckets = {"OUTPOSTS", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP"}
    of_backups = {"AWS_BACKUP_WARM", "AWS_BACKUP_LOW_COST_WARM"}
    assert words("ChecksumAlgorithm") == set(CHECKSUMS)
    assert words("StorageClass") == {*REPLICA_STORAGE_CLASSES, *of_other_buckets, *of_backups}
    assert words("Permission") == {*GRANT_ARGUMENTS, "WRITE"}  # which means nothing on an object
