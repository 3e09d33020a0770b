"""Outcomes of a change, reason codes, and the two kinds of trouble: temporary and permanent.

Adapters raise trouble, and flows turn it into outcomes; nothing else stands for a failure. Reason codes are S3's own
`failureReason` values wherever one fits (S3 user guide, "Amazon S3 Replication event notifications").
"""

from dataclasses import dataclass
from enum import StrEnum

from replicator.core.versions.origin import Origin


class Status(StrEnum):
    """The status of a change at one destination: S3's words, and SKIPPED where nothing is to be replicated."""

    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"
    PENDING = "PENDING"
    FAILED = "FAILED"


class Reason(StrEnum):
    """Why a change was skipped, waits or failed. The last group has S3's own codes, the others are ours."""

    # Skipped, by design.
    OWN_WRITE = "WrittenByReplicator"
    REPLICA = "SourceIsReplica"
    NO_RULE = "NoMatchingRule"
    KIND_NOT_REPLICATED = "EventNotReplicated"
    MARKERS_NOT_SELECTED = "DeleteMarkersNotSelected"
    KMS_NOT_SELECTED = "SseKmsObjectsNotSelected"

    # Trouble that S3 has no code for.
    MALFORMED = "MalformedEvent"
    RULES_UNREADABLE = "RulesUnreadable"
    TOO_LARGE = "ObjectExceedsSingleCopyLimit"
    NO_ROOM = "NoRoomForOrigin"
    CHECKSUM = "ChecksumMismatch"
    CONTENTION = "ConcurrentWrites"
    RESTORING = "SrcObjectBeingRestored"
    THROTTLED = "Throttled"
    SERVICE = "ServiceError"
    TIMED_OUT = "TimedOut"
    JOURNAL_DENIED = "JournalNotPermitted"
    UNREADABLE = "AnswerNotReadable"
    NOT_IMPLEMENTED = "OperationNotImplemented"
    FUNCTION_DIED = "FunctionDied"
    WAITED = "WaitedOnQueue"
    OVER_SHARE = "SrcBucketOverItsShare"
    NEW_CHAIN = "ChainTooLong"
    BUSY = "BeingSynchronised"
    NOT_COPIED = "VersionNotCopiedYet"
    NO_OWNER = "OwnerQueueUnknown"
    OWNER_DENIED = "OwnerQueueNotPermitted"
    SRC_PUT_TAGS_DENIED = "SrcPutTaggingNotPermitted"
    SRC_PUT_ACL_DENIED = "SrcPutAclNotPermitted"
    SRC_PUT_RETENTION_DENIED = "SrcPutRetentionNotPermitted"
    SRC_PUT_LEGAL_HOLD_DENIED = "SrcPutLegalHoldNotPermitted"
    SRC_PUT_ANNOTATIONS_DENIED = "SrcPutAnnotationNotPermitted"
    UNKNOWN = "UnknownError"
    REFUSED = "RequestRefused"
    SRC_BUCKET_DENIED = "SrcBucketNotPermitted"
    DST_BUCKET_DENIED = "DstBucketNotPermitted"
    DST_GET_DENIED = "DstGetObjectNotPermitted"
    SRC_KMS_DENIED = "SrcKmsKeyNotPermitted"
    DST_KMS_DENIED = "DstKmsKeyNotPermitted"
    SRC_ANNOTATIONS_DENIED = "SrcGetAnnotationNotPermitted"
    DST_PUT_ANNOTATIONS_DENIED = "DstPutAnnotationNotPermitted"

    # Large objects.
    PARTS_UNDER_WAY = "PartsUnderWay"
    METADATA_UNREADABLE = "SrcMetadataNotReadable"

    # S3's own.
    ASSUME_ROLE_DENIED = "AssumeRoleNotPermitted"
    DST_BUCKET_REGION = "DstBucketInvalidRegion"
    DST_BUCKET_NOT_FOUND = "DstBucketNotFound"
    DST_NO_OBJECT_LOCK = "DstBucketObjectLockConfigMissing"
    DST_UNVERSIONED = "DstBucketUnversioned"
    DST_DELETE_DENIED = "DstDelObjNotPermitted"
    DST_KMS_STATE = "DstKmsKeyInvalidState"
    DST_KMS_NOT_FOUND = "DstKmsKeyNotFound"
    DST_MULTIPART_COMPLETE_DENIED = "DstMultipartCompleteNotPermitted"
    DST_MULTIPART_INIT_DENIED = "DstMultipartInitNotPermitted"
    DST_MULTIPART_UPLOAD_DENIED = "DstMultipartUploadNotPermitted"
    DST_PUT_DENIED = "DstPutObjectNotPermitted"
    DST_PUT_ACL_DENIED = "DstPutAclNotPermitted"
    DST_PUT_LEGAL_HOLD_DENIED = "DstPutLegalHoldNotPermitted"
    DST_PUT_RETENTION_DENIED = "DstPutRetentionNotPermitted"
    DST_PUT_TAGS_DENIED = "DstPutTaggingNotPermitted"
    DST_VERSION_NOT_FOUND = "DstVersionNotFound"
    SRC_BUCKET_REGION = "SrcBucketInvalidRegion"
    SRC_BUCKET_NOT_FOUND = "SrcBucketNotFound"
    SRC_ACL_DENIED = "SrcGetAclNotPermitted"
    SRC_GET_DENIED = "SrcGetObjectNotPermitted"
    SRC_LEGAL_HOLD_DENIED = "SrcGetLegalHoldNotPermitted"
    SRC_RETENTION_DENIED = "SrcGetRetentionNotPermitted"
    SRC_TAGS_DENIED = "SrcGetTaggingNotPermitted"
    SRC_HEAD_DENIED = "SrcHeadObjectNotPermitted"
    SRC_KMS_STATE = "SrcKmsKeyInvalidState"
    SRC_NOT_ELIGIBLE = "SrcObjectNotEligible"
    SRC_OBJECT_NOT_FOUND = "SrcObjectNotFound"
    SRC_VERSION_NOT_FOUND = "SrcVersionNotFound"


class Side(StrEnum):
    """Which resource a request is for, and so where the trouble is: a user's bucket, or a resource of the stack."""

    SOURCE = "source"
    DESTINATION = "destination"
    JOURNAL = "journal"
    QUEUE = "queue"
    EVENTS = "events"
    RULES = "rules"
    METRICS = "metrics"


class Trouble(Exception):
    """Something prevented the attempt. `detail` is for people: an API name and S3's code, never object content.

    side: the resource that answered so, or did not answer; None if no single one is known to be the cause.
    """

    def __init__(self, reason: Reason, detail: str = "", side: Side | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.side = side

    @property
    def parts(self) -> tuple[Reason, str, Side | None]:
        """What to raise the same trouble with again."""
        return self.reason, self.detail, self.side


class Temporary(Trouble):
    """It may succeed later: the message stays on the queue and comes back."""


class Permanent(Trouble):
    """It will not succeed until somebody removes the cause: the change goes to the dead-letter queue."""


class Conflict(Exception):
    """A precondition failed: something else was written there a moment earlier, so the facts must be read again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one change at one destination.

    destination, rule_id: empty if the attempt ended before a rule was known. size: bytes of the version. latency_ms:
    from the event to the completion of the replica. threshold_ms: what the rule, or the stack, allows for that. side:
    whose trouble it is, if that is known.
    """

    status: Status
    reason: Reason | None = None
    detail: str = ""
    rule_id: str = ""
    destination: str = ""
    origin: Origin | None = None
    size: int = 0
    latency_ms: int = 0
    threshold_ms: int = 0
    side: Side | None = None

    @property
    def is_final(self) -> bool:
        """Return whether its message is done: the change is settled, or left to its part messages."""
        return self.status is not Status.PENDING or self.reason is Reason.PARTS_UNDER_WAY

    @property
    def is_late(self) -> bool:
        """Return whether the replica was completed after the threshold had passed."""
        return 0 < self.threshold_ms < self.latency_ms
