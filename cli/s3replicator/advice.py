"""What an operator can do about each reason code, in one or two sentences that name the permission or the setting.

Grouped by what happens to a change with that reason. A test checks that every reason has its advice here.
`docs/reference/reason-codes.md` is generated from it.
"""

from collections.abc import Mapping

from replicator.core.outcomes.outcome import Reason

_BY_DESIGN = "Nothing: it is skipped by design."
_OF_BUCKETS = "s3:ListBucket, s3:ListBucketVersions, s3:ListBucketMultipartUploads and s3:GetBucketVersioning"
_CHANGED_RULE = "Wait half a minute first if you change the rule."
_RETRIES = (
    "Nothing at first: the change is retried for as long as it takes. If it persists, look at its detail, and at the "
    "gate of its destination (`s3replicator status`)."
)


def _allow(action: str, where: str) -> str:
    return (
        f"Allow the function's role {action} on {where}, then redrive. If the bucket is in another account, allow it "
        "in the bucket policy and in the policy of its KMS key."
    )


def _deploy(action: str) -> str:
    return (
        f"Deploy the stack with ReplicaModifications=true, so that its roles have {action} on the source, then "
        "redrive. If the bucket is in another account, allow it in the bucket policy too."
    )


def _annotations(action: str, where: str) -> str:
    return f"Allow the function's role {action} on {where}. Replicas that are written from then on have annotations."


SKIPPED: Mapping[Reason, str] = {
    Reason.OWN_WRITE: _BY_DESIGN,
    Reason.REPLICA: (
        "Nothing: it is a replica. If S3's own replication wrote it, a batch job replicates it with the user argument "
        "`IncludeS3Replicas`."
    ),
    Reason.NO_RULE: "Nothing, unless you expected a rule to match: `s3replicator explain` shows why none does.",
    Reason.KIND_NOT_REPLICATED: _BY_DESIGN,
    Reason.MARKERS_NOT_SELECTED: "Enable DeleteMarkerReplication in the rule if you want deletes to be replicated.",
    Reason.KMS_NOT_SELECTED: "Enable SseKmsEncryptedObjects in the rule, and set its ReplicaKmsKeyID.",
    Reason.SRC_NOT_ELIGIBLE: (
        "Restore the object from its archive storage class if you want it to be replicated. An SSE-C object fails with "
        "this reason, because it cannot be replicated."
    ),
    Reason.SRC_VERSION_NOT_FOUND: (
        "Nothing: the version was deleted before it was copied. If it FAILED with this reason, its version id is not "
        "one of S3's: look at who sent the message."
    ),
}
"""Reasons why a change is not replicated, by design."""

WAITING: Mapping[Reason, str] = {
    Reason.RULES_UNREADABLE: (
        "Run `s3replicator rules check`, and store valid rules with `rules put`. If the detail names AccessDenied, the "
        "roles' permissions were changed: deploy the stack again. Redrive what has failed."
    ),
    Reason.CONTENTION: _RETRIES,
    Reason.RESTORING: "Nothing: it is replicated as soon as it is restored from the archive.",
    Reason.BUSY: (
        "Nothing: another function is changing replicas of the same key, and the change is retried. A function that "
        "was stopped holds its lease for less than three minutes."
    ),
    Reason.NOT_COPIED: (
        "Nothing: its version is being copied first, and the change is retried. If it was SKIPPED with this reason, "
        "its version is older than the rule: a later change does not copy existing objects, `s3replicator resync` does."
    ),
    Reason.PARTS_UNDER_WAY: "Nothing: its parts are being copied. `s3replicator status` shows the progress.",
    Reason.THROTTLED: (
        "Nothing at first: the change is retried automatically. If it persists, request a higher service quota, spread "
        "the keys over more prefixes, or lower MaximumConcurrency."
    ),
    Reason.SERVICE: _RETRIES,
    Reason.TIMED_OUT: _RETRIES,
    Reason.NEW_CHAIN: (
        "Nothing: it is parked, and sent again in two minutes. Two-way stacks that do not know each other's writers "
        "make it frequent: see what `s3replicator rules check` says about echoes."
    ),
    Reason.JOURNAL_DENIED: "The roles' permissions were changed: deploy the stack again. Redrive what has failed.",
    Reason.UNREADABLE: (
        "An answer of the service lacks something that every answer has, or contradicts another one: the detail says "
        "what. It fails after 5 attempts. Check what is between the function and S3, such as a proxy, then redrive."
    ),
    Reason.UNKNOWN: "Look at the detail of the failure and at the function's log, then redrive.",
    Reason.OVER_SHARE: (
        "Nothing: its bucket has very many changes, which are parked so that those of other buckets go first "
        "(FairAfterSeconds), and follow when the queue has room. To drain them faster, raise ReleasesPerSecond."
    ),
}
"""Reasons why a change is pending and is retried, for as long as it takes."""

LATE: Mapping[Reason, str] = {
    Reason.WAITED: (
        "Its message stayed on the queue until a function received it: raise MaximumConcurrency or the account's "
        "Lambda concurrency, and check the function's throttles."
    ),
}
"""Reasons why a change was replicated only after its threshold."""

LEFT_OUT: Mapping[Reason, str] = {
    Reason.SRC_ANNOTATIONS_DENIED: _annotations(
        "s3:GetObjectAnnotation, s3:GetObjectVersionAnnotation, s3:ListObjectAnnotations and "
        "s3:ListObjectVersionAnnotations",
        "the source",
    ),
    Reason.DST_PUT_ANNOTATIONS_DENIED: _annotations(
        "s3:PutObjectAnnotation and s3:PutObjectVersionAnnotation", "the destination"
    ),
    Reason.SRC_PUT_ANNOTATIONS_DENIED: (
        "Deploy the stack with ReplicaModifications=true, so that its roles have s3:PutObjectAnnotation and "
        "s3:PutObjectVersionAnnotation on the source. The next change of the version carries over its annotations."
    ),
}
"""Reasons why a replica lacks something that its change is not failed for."""

FAILED: Mapping[Reason, str] = {
    Reason.MALFORMED: (
        "Look at the message: S3 did not send it. Delete it from the dead-letter queue; after a redrive it would fail "
        "again."
    ),
    Reason.TOO_LARGE: "The object is larger than S3 can copy, and cannot be replicated.",
    Reason.METADATA_UNREADABLE: (
        "Its metadata has characters that S3 does not return, or text in the form of RFC 2047, so an object of this "
        "size cannot keep it. Upload the object again with printable metadata."
    ),
    Reason.NO_ROOM: "Its metadata is full and it has 10 tags: remove a tag from the version, then redrive.",
    Reason.CHECKSUM: (
        "The replica differs from its source. A redrive writes another replica; if that differs too, contact AWS."
    ),
    Reason.NOT_IMPLEMENTED: (
        "The service of this bucket does not implement the request that the detail names. Remove from the rule what "
        "needs it, or use another destination, then redrive. " + _CHANGED_RULE
    ),
    Reason.FUNCTION_DIED: (
        "The function crashed several times while it processed this message: look for memory errors and timeouts in "
        "its log, remove the cause, then redrive."
    ),
    Reason.ASSUME_ROLE_DENIED: (
        "The detail names the role of the destination, and which side denies it. Let the role's trust policy admit the "
        "functions' roles (outputs ReplicateRoleArn, CopyPartsRoleArn, BatchRoleArn, MonitorRoleArn and VerifyRoleArn) "
        "with the external id of the parameter DestinationExternalId, and name the role in the parameter "
        "DestinationRoles, which lets them assume it. Then redrive."
    ),
    Reason.DST_BUCKET_REGION: (
        f"The destination is in another Region: check its name in the rule, then redrive. {_CHANGED_RULE}"
    ),
    Reason.DST_BUCKET_NOT_FOUND: (f"Create the destination bucket, or correct the rule, then redrive. {_CHANGED_RULE}"),
    Reason.DST_NO_OBJECT_LOCK: "Enable Object Lock on the destination bucket, then redrive.",
    Reason.DST_UNVERSIONED: "Enable versioning on the destination bucket, then redrive.",
    Reason.DST_DELETE_DENIED: _allow("s3:DeleteObject", "the destination"),
    Reason.DST_KMS_STATE: "Enable the KMS key that the rule names as ReplicaKmsKeyID, then redrive.",
    Reason.DST_KMS_NOT_FOUND: (
        "Set the rule's ReplicaKmsKeyID to an existing KMS key in the destination's Region, then redrive. "
        + _CHANGED_RULE
    ),
    Reason.DST_MULTIPART_COMPLETE_DENIED: _allow("s3:PutObject", "the destination"),
    Reason.DST_MULTIPART_INIT_DENIED: _allow("s3:PutObject", "the destination"),
    Reason.DST_MULTIPART_UPLOAD_DENIED: _allow(
        "s3:PutObject, s3:ListMultipartUploadParts and s3:AbortMultipartUpload", "the destination"
    ),
    Reason.DST_PUT_DENIED: _allow("s3:PutObject", "the destination"),
    Reason.DST_PUT_TAGS_DENIED: _allow("s3:PutObjectTagging and s3:PutObjectVersionTagging", "the destination"),
    Reason.DST_PUT_RETENTION_DENIED: _allow("s3:PutObjectRetention", "the destination"),
    Reason.DST_PUT_LEGAL_HOLD_DENIED: _allow("s3:PutObjectLegalHold", "the destination"),
    Reason.DST_KMS_DENIED: (
        "Allow the function's role kms:GenerateDataKey and kms:Decrypt on the replica's KMS key: name the key in the "
        "stack's parameter DestinationKmsKeys, and allow the role in the key's policy. Then redrive."
    ),
    Reason.DST_PUT_ACL_DENIED: (
        "If the detail names AccessDenied, allow the function's role s3:PutObjectAcl and "
        "s3:PutObjectVersionAcl on the destination. Otherwise the "
        "destination's Object Ownership disables ACLs, and the object has one: enable ACLs there, set "
        "AccessControlTranslation in the rule, or allow the role s3:GetBucketOwnershipControls, so that it leaves the "
        "ACL out. Then redrive."
    ),
    Reason.DST_GET_DENIED: _allow(
        "s3:GetObject and s3:GetObjectVersion, their forms for Acl, Annotation and Tagging, s3:GetObjectRetention and "
        "s3:GetObjectLegalHold (the detail names the one that is missing)",
        "the destination",
    ),
    Reason.DST_BUCKET_DENIED: _allow(_OF_BUCKETS, "the destination"),
    Reason.SRC_BUCKET_DENIED: _allow(_OF_BUCKETS, "the source"),
    Reason.NO_OWNER: (
        "The replica was changed, and this stack does not know the queue of the stack that replicates its version. Run "
        "`s3replicator rules put` for this bucket again once the rules of the other bucket are stored. Then redrive."
    ),
    Reason.OWNER_DENIED: (
        "Deploy the stack with ReplicaModifications=true, so that its roles have sqs:SendMessage on the change queue "
        "of the stack that replicates the version. That queue needs the tag s3replicator=changes, which its own "
        "template sets. Then redrive."
    ),
    Reason.DST_VERSION_NOT_FOUND: (
        "The replica was deleted for good at the destination, and does not come back by itself; a redrive fails again. "
        "To replicate the object once more, copy it onto itself at the source. Then delete the message."
    ),
    Reason.SRC_KMS_STATE: "Enable the KMS key of the source object, or cancel its deletion, then redrive.",
    Reason.REFUSED: (
        "S3 refuses the request as it is, and a retry does not help: look at the detail of the failure. An "
        "InvalidRequest often means that the destination has no Object Lock, which the object needs."
    ),
    Reason.SRC_BUCKET_REGION: "The source is in another Region: deploy a stack there for it.",
    Reason.SRC_BUCKET_NOT_FOUND: (
        "The source bucket no longer exists: delete its rules, and its messages from the dead-letter queue."
    ),
    Reason.SRC_ACL_DENIED: _allow("s3:GetObjectAcl and s3:GetObjectVersionAcl", "the source"),
    Reason.SRC_GET_DENIED: _allow("s3:GetObject and s3:GetObjectVersion", "the source"),
    Reason.SRC_TAGS_DENIED: _allow("s3:GetObjectTagging and s3:GetObjectVersionTagging", "the source"),
    Reason.SRC_RETENTION_DENIED: _allow("s3:GetObjectRetention", "the source"),
    Reason.SRC_LEGAL_HOLD_DENIED: _allow("s3:GetObjectLegalHold", "the source"),
    Reason.SRC_PUT_TAGS_DENIED: _deploy("s3:PutObjectTagging and s3:PutObjectVersionTagging"),
    Reason.SRC_PUT_ACL_DENIED: _deploy("s3:PutObjectAcl and s3:PutObjectVersionAcl"),
    Reason.SRC_PUT_RETENTION_DENIED: _deploy("s3:PutObjectRetention"),
    Reason.SRC_PUT_LEGAL_HOLD_DENIED: _deploy("s3:PutObjectLegalHold"),
    Reason.SRC_KMS_DENIED: (
        "Allow the function's role kms:Decrypt on the KMS key of the source object: name the key in the stack's "
        "parameter SourceKmsKeys, and allow the role in the key's policy. Then redrive."
    ),
    Reason.SRC_HEAD_DENIED: _allow("s3:GetObject and s3:GetObjectVersion", "the source"),
    Reason.SRC_OBJECT_NOT_FOUND: (
        "The manifest of a batch job names a key without an object: correct it, unless the object was deleted. The "
        "job's report has the failure, the dead-letter queue has not."
    ),
}
"""Reasons why a change fails: its message is in the dead-letter queue until it is redriven."""

ADVICE: Mapping[Reason, str] = {**SKIPPED, **WAITING, **LATE, **LEFT_OUT, **FAILED}


def advice(reason: str) -> str:
    """Return what to do about a reason code. For a code that only a later version knows, return where to look."""
    try:
        return ADVICE[Reason(reason)]
    except ValueError:
        return (
            "This version of s3replicator does not know the reason: look at the detail of the failure and at the "
            "function's log."
        )
