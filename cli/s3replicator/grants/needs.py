"""What replication needs on a bucket or a key of another account: one row for each statement, and when it is needed.

Data and predicates only. Each row has the actions that belong together, because the same thing stops without them;
`without` says which, in the words of docs/operate.md. docs/accounts.md has the same rows. What needs an action is in
template.yaml and in AWS's "Required permissions for Amazon S3 API operations".
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from replicator.core.rules.rule import Rule


class Who(StrEnum):
    """Who makes the requests."""

    COPIERS = "the functions that copy"
    MONITOR = "the monitor"
    VERIFIER = "the verification by schedule"
    DESTINATION_ROLE = "the role that the functions assume for the destination"


@dataclass(frozen=True, slots=True)
class Case:
    """What decides which statements are needed: enabled rules to one destination, and the settings of both buckets.

    acls, lock: whether the bucket has them enabled; None if that is unknown, and then it may have. verifies: the stack
    has a schedule. The others: what the stack's parameters permit.
    """

    rules: Sequence[Rule]
    source_acls: bool | None = None
    source_lock: bool | None = None
    destination_acls: bool | None = None
    destination_lock: bool | None = None
    verifies: bool = False
    status_tag: bool = False
    replica_modifications: bool = False
    annotation_deletions: bool = False

    @property
    def acls(self) -> bool:
        """Return whether an ACL may be written: the source's grants, or the canned ACL of an owner override."""
        override = any(rule.destination.owner_override for rule in self.rules)
        return self.destination_acls is not False and (override or self.source_acls is not False)

    @property
    def reads_acls(self) -> bool:
        """Return whether ACLs of the source are read."""
        return self.destination_acls is not False and self.source_acls is not False

    @property
    def locks(self) -> bool:
        """Return whether replicas may be locked."""
        return self.source_lock is not False and self.destination_lock is not False

    @property
    def modifies(self) -> bool:
        """Return whether changes at replicas are written to their source."""
        return self.replica_modifications and any(rule.replica_modifications for rule in self.rules)

    @property
    def deletes_annotations(self) -> bool:
        """Return whether annotations may be deleted."""
        return self.annotation_deletions and any(rule.annotation_deletions for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Need:
    """One statement. Actions are without their service's prefix; `why` and `without` are for people."""

    sid: str
    why: str
    without: str
    bucket_actions: tuple[str, ...] = ()
    object_actions: tuple[str, ...] = ()
    who: Who = Who.COPIERS
    when: Callable[[Case], bool] = lambda _: True


LEFT_OUT = "COMPLETED, and the log says `annotations left out`"
_READ_TAGS = ("GetObjectTagging", "GetObjectVersionTagging")
_READ_ACLS = ("GetObjectAcl", "GetObjectVersionAcl")
_WRITE_ACLS = ("PutObjectAcl", "PutObjectVersionAcl")
_READ_LOCKS = ("GetObjectLegalHold", "GetObjectRetention")
_WRITE_LOCKS = ("PutObjectLegalHold", "PutObjectRetention")
_WRITE_TAGS = ("PutObjectTagging", "PutObjectVersionTagging")
_LIST_ANNOTATIONS = ("ListObjectAnnotations", "ListObjectVersionAnnotations")
_READ_ANNOTATIONS = ("GetObjectAnnotation", "GetObjectVersionAnnotation")
_WRITE_ANNOTATIONS = ("PutObjectAnnotation", "PutObjectVersionAnnotation")
_DELETE_ANNOTATIONS = ("DeleteObjectAnnotation", "DeleteObjectVersionAnnotation")
_SETTINGS = ("GetBucketNotification", "GetBucketObjectLockConfiguration", "GetBucketOwnershipControls")

ON_DESTINATION: tuple[Need, ...] = (
    Need(
        "FindDestination",
        "find the bucket, its Region and versioning, and the history of a key",
        "FAILED `DstBucketNotPermitted`",
        bucket_actions=("GetBucketVersioning", "ListBucket", "ListBucketVersions"),
    ),
    Need(
        "ReadDestinationSettings",
        "see whether it takes ACLs and locks, and whether somebody listens to its events",
        "COMPLETED, with one more request for each object: `HeadObject`; FAILED `DstPutAclNotPermitted` if an object "
        "has an ACL, and the bucket has none; FAILED `RequestRefused` if an object is locked, and the bucket has no "
        "Object Lock",
        bucket_actions=_SETTINGS,
    ),
    Need(
        "ReadReplicas",
        "see what is there before it is overwritten, and what a replica was written with",
        "FAILED `DstGetObjectNotPermitted` of an object that is overwritten",
        object_actions=("GetObject", "GetObjectVersion", *_READ_TAGS, *_READ_LOCKS),
    ),
    Need(
        "WriteReplicas",
        "write replicas, also in parts",
        "FAILED `DstPutObjectNotPermitted`; `DstMultipartInitNotPermitted` of an object that is copied in parts",
        object_actions=("PutObject",),
    ),
    Need(
        "TagReplicas",
        "write the tags of the source and `replication-status`",
        "FAILED `DstPutTaggingNotPermitted`",
        object_actions=_WRITE_TAGS,
    ),
    Need(
        "CopyInParts",
        "see which parts of a large object are there, and abort uploads that were begun twice",
        "FAILED `DstMultipartUploadNotPermitted` of an object whose parts several functions copy",
        bucket_actions=("ListBucketMultipartUploads",),
        object_actions=("AbortMultipartUpload", "ListMultipartUploadParts"),
    ),
    Need(
        "AnnotateReplicas",
        "write annotations",
        LEFT_OUT,
        object_actions=(*_READ_ANNOTATIONS, *_LIST_ANNOTATIONS, *_WRITE_ANNOTATIONS),
    ),
    Need(
        "PutDeleteMarkers",
        "write delete markers: a rule enables `DeleteMarkerReplication`",
        "FAILED `DstDelObjNotPermitted`",
        object_actions=("DeleteObject",),
        when=lambda case: any(rule.delete_markers for rule in case.rules),
    ),
    Need(
        "SetReplicaAcls",
        "write ACLs: the destination has them enabled, and the source too or a rule translates the owner",
        "FAILED `DstPutAclNotPermitted`",
        object_actions=(*_READ_ACLS, *_WRITE_ACLS),
        when=lambda case: case.acls,
    ),
    Need(
        "LockReplicas",
        "write retention and legal hold: both buckets have Object Lock",
        "FAILED `DstPutRetentionNotPermitted` or `DstPutLegalHoldNotPermitted` of a locked object",
        object_actions=_WRITE_LOCKS,
        when=lambda case: case.locks,
    ),
    Need(
        "DeleteReplicaAnnotations",
        "delete annotations: a rule enables `AnnotationDeletions`, and so does the stack",
        f"{LEFT_OUT}: what was deleted stays",
        object_actions=_DELETE_ANNOTATIONS,
        when=lambda case: case.deletes_annotations,
    ),
    Need(
        "WatchDestination",
        "publish recovery points in the bucket's Region, and abort uploads that were left behind",
        "`failover check` answers UNKNOWN, and the log of the monitor says `not removed` of an upload",
        bucket_actions=("ListBucket",),
        object_actions=("AbortMultipartUpload",),
        who=Who.MONITOR,
    ),
    Need(
        "VerifyReplicas",
        "verify by the schedule of `VerifySchedule`",
        "the alarm not-proven: verification cannot read the destination",
        bucket_actions=("GetBucketVersioning", "ListBucket", "ListBucketVersions", *_SETTINGS),
        object_actions=("GetObjectVersion", *_READ_TAGS, *_READ_LOCKS),
        who=Who.VERIFIER,
        when=lambda case: case.verifies,
    ),
)
"""On a destination bucket."""

ON_SOURCE: tuple[Need, ...] = (
    Need(
        "FindSource",
        "find the bucket, and the history of a key",
        "FAILED `SrcBucketNotPermitted`",
        bucket_actions=("ListBucket", "ListBucketVersions"),
    ),
    Need(
        "ReadSourceSettings",
        "see whether the bucket has ACLs enabled: the destination has",
        "COMPLETED, with one more request for each object: `GetObjectAcl`",
        bucket_actions=("GetBucketOwnershipControls",),
        when=lambda case: case.destination_acls is not False,
    ),
    Need(
        "ReadSourceObjects",
        "read versions",
        "FAILED `SrcHeadObjectNotPermitted` or `SrcGetObjectNotPermitted`",
        object_actions=("GetObject", "GetObjectVersion"),
    ),
    Need(
        "ReadSourceTags",
        "read tags",
        "FAILED `SrcGetTaggingNotPermitted`",
        object_actions=_READ_TAGS,
    ),
    Need(
        "ReadSourceLocks",
        "read retention and legal hold, which a HEAD leaves out without these; whether a bucket has any is seen so",
        "FAILED `SrcGetRetentionNotPermitted`",
        object_actions=_READ_LOCKS,
    ),
    Need(
        "ReadSourceAnnotations",
        "read annotations",
        LEFT_OUT,
        object_actions=(*_READ_ANNOTATIONS, *_LIST_ANNOTATIONS),
    ),
    Need(
        "ReadSourceAcls",
        "read ACLs: both buckets have them enabled",
        "FAILED `SrcGetAclNotPermitted`",
        object_actions=_READ_ACLS,
        when=lambda case: case.reads_acls,
    ),
    Need(
        "TagSources",
        "write the tag `replication-status` at the source: the stack has `SourceStatusTag`",
        "COMPLETED, and the log says `status tag` not updated",
        object_actions=_WRITE_TAGS,
        when=lambda case: case.status_tag and not case.modifies,
    ),
    Need(
        "ModifySources",
        "write changes at replicas to their source: a rule enables `ReplicaModifications`, and so does the stack",
        "FAILED `SrcPutTaggingNotPermitted`, `SrcPutAclNotPermitted`, `SrcPutRetentionNotPermitted` or "
        "`SrcPutLegalHoldNotPermitted` of a change at a replica",
        object_actions=(*_WRITE_TAGS, *_WRITE_ACLS, *_WRITE_LOCKS, *_WRITE_ANNOTATIONS),
        when=lambda case: case.modifies,
    ),
    Need(
        "DeleteSourceAnnotations",
        "delete annotations that were deleted at a replica",
        f"{LEFT_OUT} of a change at a replica",
        object_actions=_DELETE_ANNOTATIONS,
        when=lambda case: case.modifies and case.deletes_annotations,
    ),
    Need(
        "VerifySources",
        "verify by the schedule of `VerifySchedule`",
        "the alarm not-proven: verification cannot read the source",
        bucket_actions=("GetBucketOwnershipControls", "ListBucket", "ListBucketVersions"),
        object_actions=("GetObjectVersion", *_READ_ACLS, *_READ_TAGS, *_READ_LOCKS),
        who=Who.VERIFIER,
        when=lambda case: case.verifies,
    ),
)
"""On a source bucket of another account than the stack's."""

FOR_DESTINATION_ROLE: tuple[Need, ...] = (
    Need(
        "LetDestinationCopy",
        "let the destination's role read what it copies",
        "FAILED `SrcGetObjectNotPermitted`",
        object_actions=("GetObject", "GetObjectVersion"),
        who=Who.DESTINATION_ROLE,
    ),
    Need(
        "LetDestinationCopyTags",
        "let the destination's role copy tags: a rule disables `ReplicaTag`, so tags are copied as they are",
        "FAILED `SrcGetTaggingNotPermitted` of an object with tags",
        object_actions=_READ_TAGS,
        who=Who.DESTINATION_ROLE,
        when=lambda case: not all(rule.replica_tag for rule in case.rules),
    ),
    Need(
        "LetDestinationCopyAnnotations",
        "let the destination's role copy annotations",
        LEFT_OUT,
        object_actions=_READ_ANNOTATIONS,
        who=Who.DESTINATION_ROLE,
    ),
)
"""On a source bucket, for a role of the destination's account."""

ON_REPLICA_KEY: tuple[Need, ...] = (
    Need(
        "EncryptReplicas",
        "encrypt replicas, and decrypt them when parts are put together or a bucket key is used",
        "FAILED `DstKmsKeyNotPermitted`",
        object_actions=("Decrypt", "GenerateDataKey"),
    ),
    Need(
        "DecryptReplicas",
        "read what replicas were written with when they are verified by schedule",
        "the alarm not-proven: verification cannot read the destination",
        object_actions=("Decrypt",),
        who=Who.VERIFIER,
        when=lambda case: case.verifies,
    ),
)
"""On the KMS key of a destination."""

ON_SOURCE_KEY: tuple[Need, ...] = (
    Need(
        "DecryptSources",
        "decrypt what is copied",
        "FAILED `SrcKmsKeyNotPermitted`",
        object_actions=("Decrypt",),
    ),
    Need(
        "EncryptAtSources",
        "write annotations of replicas to their source, encrypted as the object is",
        f"{LEFT_OUT} of a change at a replica",
        object_actions=("GenerateDataKey",),
        when=lambda case: case.modifies,
    ),
    Need(
        "DecryptSourcesToVerify",
        "read versions when they are verified by schedule",
        "the alarm not-proven: verification cannot read the source",
        object_actions=("Decrypt",),
        who=Who.VERIFIER,
        when=lambda case: case.verifies,
    ),
    Need(
        "LetDestinationDecrypt",
        "let the destination's role decrypt what it copies",
        "FAILED `SrcKmsKeyNotPermitted`",
        object_actions=("Decrypt",),
        who=Who.DESTINATION_ROLE,
    ),
)
"""On the KMS key of a source."""

ALL: tuple[Need, ...] = (*ON_DESTINATION, *ON_SOURCE, *FOR_DESTINATION_ROLE, *ON_REPLICA_KEY, *ON_SOURCE_KEY)
