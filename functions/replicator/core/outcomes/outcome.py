"""What can come of a change, and the two words for trouble: temporary and permanent.

Adapters raise trouble, flows turn it into outcomes; nobody else invents a third way. Reason codes are S3's own
`failureReason` values wherever one fits (S3 user guide, "Amazon S3 Replication event notifications").
"""

from dataclasses import dataclass
from enum import StrEnum

from replicator.core.versions.origin import Origin


class Status(StrEnum):
    """Where a change stands for one destination; S3's words, and SKIPPED for what no rule wants."""

    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"
    PENDING = "PENDING"
    FAILED = "FAILED"


class Reason(StrEnum):
    """Why a change was skipped, waits or failed. The first two groups are ours, the third is S3's vocabulary."""

    # Skipped, by design.
    OWN_WRITE = "WrittenByReplicator"
    REPLICA = "SourceIsReplica"
    NO_RULE = "NoMatchingRule"
    KIND_NOT_REPLICATED = "EventNotReplicated"
    MARKERS_NOT_SELECTED = "DeleteMarkersNotSelected"
    KMS_NOT_SELECTED = "SseKmsObjectsNotSelected"
    ALREADY_THERE = "AlreadyReplicated"

    # Trouble that S3 has no word for.
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
    FUNCTION_DIED = "FunctionDied"
    WAITED = "WaitedOnQueue"
    UNKNOWN = "UnknownError"

    # A large object on its way, and one that cannot go.
    PARTS_UNDER_WAY = "PartsUnderWay"
    METADATA_UNREADABLE = "SrcMetadataNotReadable"

    # S3's own.
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
    SRC_BUCKET_REGION = "SrcBucketInvalidRegion"
    SRC_BUCKET_NOT_FOUND = "SrcBucketNotFound"
    SRC_ACL_DENIED = "SrcGetAclNotPermitted"
    SRC_GET_DENIED = "SrcGetObjectNotPermitted"
    SRC_TAGS_DENIED = "SrcGetTaggingNotPermitted"
    SRC_HEAD_DENIED = "SrcHeadObjectNotPermitted"
    SRC_NOT_ELIGIBLE = "SrcObjectNotEligible"
    SRC_OBJECT_NOT_FOUND = "SrcObjectNotFound"
    SRC_VERSION_NOT_FOUND = "SrcVersionNotFound"


class Trouble(Exception):
    """An attempt did not get through. `detail` is for people: an API name and S3's code, never object content."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class Temporary(Trouble):
    """It may get through later: the message stays on the queue and comes back."""


class Permanent(Trouble):
    """It will not get through by itself: the change goes to the dead-letter queue."""


class Conflict(Exception):
    """A precondition failed: somebody else wrote there a moment earlier, and the facts must be read again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one change at one destination.

    `size` is the bytes that the change is about; `latency_ms` runs from the event to the replica's completion;
    `threshold_ms` is what its rule, or the stack, allows for that. `destination` and `rule_id` are empty where no rule
    was reached.
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

    @property
    def is_final(self) -> bool:
        """Return whether its message has done its work: all is settled, or the messages of its parts carry it on."""
        return self.status is not Status.PENDING or self.reason is Reason.PARTS_UNDER_WAY

    @property
    def is_late(self) -> bool:
        """Return whether it arrived after its threshold had passed."""
        return 0 < self.threshold_ms < self.latency_ms
