"""What an operator does about each reason, in one or two sentences that name the permission or the setting.

A table of its own, complete by test: whoever adds a reason says here what it asks of people.
"""

from collections.abc import Mapping

from replicator.core.outcomes.outcome import Reason

_REDRIVE = "then redrive"
_DESIGN = "Nothing: it was left out by design."
_PASSES = "It passes by itself; if it stays, look at the detail, and redrive what was given up."


def _allow(action: str, where: str) -> str:
    return (
        f"Allow the function's role {action} on {where} (another account's bucket: in the bucket policy, and in the "
        f"policy of its KMS key), {_REDRIVE}."
    )


ADVICE: Mapping[Reason, str] = {
    Reason.OWN_WRITE: _DESIGN,
    Reason.REPLICA: _DESIGN,
    Reason.NO_RULE: "Nothing, unless you expected a rule to match: s3replicator explain shows why none does.",
    Reason.KIND_NOT_REPLICATED: _DESIGN,
    Reason.TEST_EVENT: _DESIGN,
    Reason.MARKERS_NOT_SELECTED: "Enable DeleteMarkerReplication in the rule if deletes are to go over.",
    Reason.KMS_NOT_SELECTED: "Enable SseKmsEncryptedObjects in the rule, and name its ReplicaKmsKeyID.",
    Reason.ALREADY_THERE: _DESIGN,
    Reason.MALFORMED: (
        "Look at the message: something other than S3 sent it. Delete it from the dead-letter queue; a redrive brings "
        "it back there."
    ),
    Reason.RULES_UNREADABLE: "Run s3replicator rules check, put rules that can be read, and redrive what was given up.",
    Reason.TOO_LARGE: "The object is larger than S3 lets anybody copy; it cannot be replicated.",
    Reason.METADATA_UNREADABLE: (
        "Its metadata is not printable, S3 shows it to nobody, and an object of this size cannot carry it over. Write "
        "it again with plain metadata."
    ),
    Reason.NO_ROOM: "Its metadata is full and it has 10 tags: remove a tag from the version, then redrive.",
    Reason.CHECKSUM: "The replica differs from its source. A redrive writes another; if that differs too, ask AWS.",
    Reason.CONTENTION: _PASSES,
    Reason.RESTORING: "It goes over once it is restored from the archive.",
    Reason.PARTS_UNDER_WAY: "Its parts are being copied; s3replicator status shows how far they are.",
    Reason.THROTTLED: (
        "It passes by itself. If it stays, ask AWS for a higher limit, spread keys over more prefixes, or lower "
        "MaximumConcurrency; redrive what was given up."
    ),
    Reason.SERVICE: _PASSES,
    Reason.TIMED_OUT: _PASSES,
    Reason.JOURNAL_DENIED: "The stack's own permissions were changed: deploy it again, then redrive what was given up.",
    Reason.FUNCTION_DIED: (
        "The function ended again and again while it worked on this message: look for memory and time-outs in its log, "
        "repair that, then redrive."
    ),
    Reason.WAITED: (
        "It waited on the queue before any function took it: raise MaximumConcurrency, or the account's Lambda "
        "concurrency, and look at the throttles."
    ),
    Reason.UNKNOWN: "Look at the detail and at the function's log, then redrive.",
    Reason.ASSUME_ROLE: "Repair the trust policy of the function's role, then redrive.",
    Reason.DST_BUCKET_REGION: "The destination answers from another Region: check its name in the rule, then redrive.",
    Reason.DST_BUCKET_NOT_FOUND: "Create the destination bucket, or correct the rule, then redrive.",
    Reason.DST_NO_OBJECT_LOCK: "Enable Object Lock on the destination bucket, then redrive.",
    Reason.DST_UNVERSIONED: "Enable versioning on the destination bucket, then redrive.",
    Reason.DST_DELETE_DENIED: _allow("s3:DeleteObject", "the destination"),
    Reason.DST_KMS_STATE: "Enable the KMS key that the rule names as ReplicaKmsKeyID, then redrive.",
    Reason.DST_KMS_NOT_FOUND: "Name an existing KMS key of the destination's Region as ReplicaKmsKeyID, then redrive.",
    Reason.DST_MULTIPART_COMPLETE_DENIED: _allow("s3:PutObject", "the destination"),
    Reason.DST_MULTIPART_INIT_DENIED: _allow("s3:PutObject", "the destination"),
    Reason.DST_MULTIPART_UPLOAD_DENIED: _allow("s3:PutObject", "the destination"),
    Reason.DST_HARD_DELETED: "Somebody deleted the replica for good; it does not come back by itself.",
    Reason.DST_ACL_DENIED: _allow("s3:PutObjectAcl", "the destination"),
    Reason.DST_HOLD_DENIED: _allow("s3:PutObjectLegalHold", "the destination"),
    Reason.DST_PUT_DENIED: _allow("s3:PutObject (and s3:PutObjectTagging)", "the destination"),
    Reason.DST_RETENTION_DENIED: _allow("s3:PutObjectRetention", "the destination"),
    Reason.DST_TAGS_DENIED: _allow("s3:PutObjectTagging", "the destination"),
    Reason.DST_VERSION_NOT_FOUND: "The version is gone from the destination; a redrive copies it again where wanted.",
    Reason.SRC_BUCKET_REGION: "The source answers from another Region: its stack must be deployed there.",
    Reason.SRC_BUCKET_NOT_FOUND: "The source bucket is gone: delete its rules, and the failures.",
    Reason.SRC_ACL_DENIED: _allow("s3:GetObjectAcl and s3:GetObjectVersionAcl", "the source"),
    Reason.SRC_HOLD_DENIED: _allow("s3:GetObjectLegalHold", "the source"),
    Reason.SRC_GET_DENIED: _allow("s3:GetObject and s3:GetObjectVersion", "the source"),
    Reason.SRC_RETENTION_DENIED: _allow("s3:GetObjectRetention", "the source"),
    Reason.SRC_TAGS_DENIED: _allow("s3:GetObjectTagging and s3:GetObjectVersionTagging", "the source"),
    Reason.SRC_HEAD_DENIED: _allow("s3:GetObject and s3:GetObjectVersion", "the source"),
    Reason.SRC_KEY_NOT_FOUND: "The object was deleted before it was copied; nothing is left to do.",
    Reason.SRC_KMS_STATE: "Enable the KMS key that the source object is encrypted with, then redrive.",
    Reason.SRC_NOT_ELIGIBLE: "Restore the object from its archive class if it is to go over; SSE-C objects never do.",
    Reason.SRC_OBJECT_NOT_FOUND: "The object was deleted before it was copied; nothing is left to do.",
    Reason.SRC_VERSION_NOT_FOUND: "The version was deleted before it was copied; nothing is left to do.",
}


def advice(reason: str) -> str:
    """Return what to do about a reason code; for one of a later version, where to look."""
    try:
        return ADVICE[Reason(reason)]
    except ValueError:
        return "This version of the command does not know the reason: look at the detail and at the function's log."
