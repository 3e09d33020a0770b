"""Every field of S3's API that a replica could have is read, written or left out on purpose.

The tables say which, and why. A newer botocore with more fields fails these tests until the tables name them.
"""

import botocore.session
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
CUSTOMER_KEYS = {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}  # S3 returns them to nobody

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
    "SSEKMSEncryptionContext",  # S3 never says which one an object has
    *CUSTOMER_KEYS,
}
NOT_WRITTEN_BY_COPY = {
    "AnnotationDirective",  # COPY by default
    "CopySourceIfModifiedSince", "CopySourceIfNoneMatch", "CopySourceIfUnmodifiedSince",  # CopySourceIfMatch is enough
    "ExpectedSourceBucketOwner",  # the policy of the change queue names the account whose buckets send events
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


def test_every_field_of_reads_and_writes_of_an_object_is_in_a_table() -> None:
    missing = {name: shape.members.keys() - decided for name, (shape, decided) in DECIDED.items() if shape}
    assert missing == {name: set() for name in DECIDED}, "decide about these, and add them to a table"


def values_of(name: str) -> set[str]:
    """Return the values that S3's API defines for an enumeration."""
    shape = S3.shape_for(name)
    assert isinstance(shape, StringShape)
    return set(shape.enum)


def test_every_checksum_algorithm_can_be_copied() -> None:
    assert values_of("ChecksumAlgorithm") == set(CHECKSUMS)


def test_every_storage_class_of_objects_in_ordinary_buckets_can_be_a_replicas() -> None:
    of_other_buckets = {"OUTPOSTS", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP"}
    of_backups = {"AWS_BACKUP_WARM", "AWS_BACKUP_LOW_COST_WARM"}
    assert values_of("StorageClass") == {*REPLICA_STORAGE_CLASSES, *of_other_buckets, *of_backups}


def test_every_permission_that_means_something_on_an_object_can_be_granted() -> None:
    assert values_of("Permission") == {*GRANT_ARGUMENTS, "WRITE"}  # WRITE means nothing on an object
