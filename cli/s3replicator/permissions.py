"""The IAM actions that each command needs from the credentials it runs with: the one place that says so.

Data only. The command reference prints it, every sub-package's docstring names its actions, and a test compares it with
the requests that the commands make on the emulator. The permissions of the functions are in template.yaml.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Target(StrEnum):
    """What an action is allowed on."""

    STACK = "the stack"
    CONTROL_BUCKET = "the control bucket"
    SOURCE = "the source bucket"
    DESTINATIONS = "the destination buckets"
    KMS_KEYS = "the KMS keys"
    CHANGE_QUEUE = "the change queue"
    BACKFILL_QUEUE = "the backfill queue"
    PART_QUEUE = "the part queue"
    DEAD_LETTER_QUEUE = "the dead-letter queue"
    JOURNAL = "the journal table and its index"
    METRICS = "all resources (*)"
    BUCKETS = "all buckets (*)"
    BATCH_JOBS = "the jobs of S3 Batch Operations (*)"
    DESTINATION_ROLES = "the roles of DestinationRoles, and their policies"
    NATIVE_ROLE = "the role of S3 Replication"
    BATCH_JOBS_ROLE = "the role BatchJobsRole"
    INVENTORY = "the inventory report"
    WORKGROUP = "the workgroup of Athena"
    CATALOG = "the catalog, databases and tables of Glue"
    ATHENA_RESULTS = "the bucket of Athena's results"
    NOTIFIED_QUEUES = "the queues that destinations notify"
    QUEUES = "the stack's queues"
    PEERS = "the stacks of these queues"
    MAPPINGS = "all event source mappings (*)"
    PEER_CONTROL_BUCKETS = "the control buckets of these stacks"
    CHANGE_MAPPINGS = "the event source mappings of the change queues, on both sides"


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions that a command needs on one target. `when`: the only case in which it needs them, empty for always."""

    target: Target
    actions: tuple[str, ...]
    when: str = ""


ABOUT_AN_OBJECT = "for an object"
TWO_WAY = "if a destination notifies a queue of this account"
WITH_ATHENA = "with --athena"
WITH_BATCH = "with --engine batch"
IN_DOUBT = "for versions that listings do not prove to be delivered"
KEYS_THAT_WOULD_BE_LOST = "for the keys that would be lost"

_STACK = Permission(Target.STACK, ("cloudformation:DescribeStacks",))
_READ_RULES = Permission(Target.CONTROL_BUCKET, ("s3:GetObject",))
_READ_JOBS = Permission(Target.CONTROL_BUCKET, ("s3:GetObject",))
_NO_RULES = Permission(
    Target.CONTROL_BUCKET, ("s3:ListBucket",), "if the bucket has no rules: without it, S3 denies the read"
)
_ASSUME_ROLES = Permission(
    Target.DESTINATION_ROLES,
    ("sts:AssumeRole",),
    "if DestinationRoles names any; it is these roles that need what is asked of the destinations",
)
_CHECK_RULES = (
    _STACK,
    _READ_RULES,
    Permission(Target.CONTROL_BUCKET, ("s3:ListBucket",), "without BUCKET, or if the bucket has no rules"),
    Permission(
        Target.SOURCE,
        (
            "s3:ListBucket",
            "s3:GetBucketVersioning",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketOwnershipControls",
            "s3:GetEncryptionConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:GetBucketNotification",
        ),
    ),
    Permission(
        Target.DESTINATIONS,
        (
            "s3:ListBucket",
            "s3:GetBucketVersioning",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketOwnershipControls",
            "s3:GetEncryptionConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetBucketNotification",
        ),
    ),
    *(
        Permission(target, ("s3:GetBucketLocation",), "if HeadBucket does not return the Region")
        for target in (Target.SOURCE, Target.DESTINATIONS)
    ),
    Permission(Target.KMS_KEYS, ("kms:DescribeKey",), "if a rule names a ReplicaKmsKeyID"),
    Permission(Target.KMS_KEYS, ("kms:GetKeyPolicy",), "with --account-profile"),
    Permission(
        Target.DESTINATION_ROLES,
        (
            "iam:GetRole",
            "iam:ListRolePolicies",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
        ),
        "with --account-profile",
    ),
    Permission(Target.SOURCE, ("s3:GetBucketPolicy",), "if it must admit another account's role"),
    Permission(Target.DESTINATIONS, ("s3:GetBucketPolicy",), "if it belongs to another account"),
    _ASSUME_ROLES,
    Permission(Target.CHANGE_QUEUE, ("sqs:GetQueueAttributes",)),
    Permission(Target.NOTIFIED_QUEUES, ("sqs:GetQueueUrl", "sqs:ListQueueTags"), TWO_WAY),
    Permission(Target.PEERS, ("cloudformation:DescribeStacks",), TWO_WAY),
    Permission(Target.PEER_CONTROL_BUCKETS, ("s3:GetObject",), TWO_WAY),
    Permission(Target.PEER_CONTROL_BUCKETS, ("s3:ListBucket",), "if such a stack has no rules for a destination"),
    Permission(Target.MAPPINGS, ("lambda:ListEventSourceMappings",), TWO_WAY),
)
_DESCRIBE_SIDES = (
    Permission(Target.SOURCE, ("s3:GetBucketOwnershipControls",), IN_DOUBT),
    Permission(
        Target.DESTINATIONS,
        (
            "s3:GetBucketVersioning",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketNotification",
        ),
        f"{IN_DOUBT}, and with --dry-run",
    ),
)
_READ_FAILURES = (
    _STACK,
    Permission(
        Target.DEAD_LETTER_QUEUE, ("sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility")
    ),
)


def _read_versions(when: str) -> tuple[Permission, ...]:
    """Return what reading versions on both sides needs. A HEAD omits tags and locks that the caller may not read."""
    versions = ("s3:ListBucket", "s3:ListBucketVersions", "s3:GetObject", "s3:GetObjectVersion")
    tags = ("s3:GetObjectTagging", "s3:GetObjectVersionTagging")
    return (
        Permission(Target.SOURCE, (*versions, *tags), when),
        Permission(Target.DESTINATIONS, versions, when),
        Permission(Target.DESTINATIONS, tags, "if a replica's metadata had no room for its origin"),
        Permission(Target.KMS_KEYS, ("kms:Decrypt",), "if an object is encrypted with a KMS key, to read its checksum"),
    )


def _read_later_changes(where: Target) -> tuple[Permission, ...]:
    """Return what reading the state of what may change after the write needs, on one side."""
    annotations = (
        "s3:ListObjectAnnotations",
        "s3:ListObjectVersionAnnotations",
        "s3:GetObjectAnnotation",
        "s3:GetObjectVersionAnnotation",
    )
    return (
        Permission(where, ("s3:GetObjectTagging", "s3:GetObjectVersionTagging"), "to compare tags"),
        Permission(where, ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"), "if both buckets have ACLs enabled"),
        Permission(where, ("s3:GetObjectRetention", "s3:GetObjectLegalHold"), "if the object may be locked"),
        Permission(where, annotations, "where S3 has annotations"),
    )


_EXAMINE = (
    Permission(Target.JOURNAL, ("dynamodb:GetItem",)),
    *_read_versions(""),
    Permission(Target.SOURCE, ("s3:GetBucketOwnershipControls",)),
    Permission(
        Target.DESTINATIONS,
        (
            "s3:GetBucketVersioning",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketNotification",
        ),
    ),
    *_read_later_changes(Target.SOURCE),
    *_read_later_changes(Target.DESTINATIONS),
)
"""What asking the decision about versions needs, and comparing them with their replicas."""


_ASK_ATHENA = (
    Permission(
        Target.WORKGROUP,
        (
            "athena:StartQueryExecution",
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:StopQueryExecution",
        ),
        WITH_ATHENA,
    ),
    Permission(
        Target.CATALOG, ("glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"), WITH_ATHENA
    ),
    Permission(Target.INVENTORY, ("s3:GetObject", "s3:ListBucket"), WITH_ATHENA),
    Permission(
        Target.ATHENA_RESULTS, ("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"), WITH_ATHENA
    ),
)
"""What Athena does as whoever runs a query (Athena user guide, "Control access to Amazon S3 from Athena")."""


_PUT_RULES = (
    *_CHECK_RULES,
    Permission(Target.CONTROL_BUCKET, ("s3:PutObject",)),
    Permission(Target.SOURCE, ("s3:PutBucketNotification", "s3:ListBucketVersions")),
    Permission(Target.PEER_CONTROL_BUCKETS, ("s3:PutObject",), TWO_WAY),
    Permission(Target.CHANGE_MAPPINGS, ("lambda:UpdateEventSourceMapping",), TWO_WAY),
)


PERMISSIONS: Mapping[str, tuple[Permission, ...]] = {
    "rules put": (*_PUT_RULES, Permission(Target.BUCKETS, ("s3:ListAllMyBuckets",), "for a pattern of buckets")),
    "rules get": (_STACK, _READ_RULES, _NO_RULES),
    "rules delete": (
        _STACK,
        _READ_RULES,
        _NO_RULES,
        Permission(Target.CONTROL_BUCKET, ("s3:DeleteObject",)),
        Permission(Target.SOURCE, ("s3:GetBucketNotification", "s3:PutBucketNotification")),
    ),
    "rules check": _CHECK_RULES,
    "rules list": (
        _STACK,
        _READ_RULES,
        Permission(Target.CONTROL_BUCKET, ("s3:ListBucket",)),
        Permission(Target.SOURCE, ("s3:GetBucketNotification",)),
        Permission(Target.DESTINATIONS, ("s3:ListBucket",)),
    ),
    "rules import": (
        *_PUT_RULES,
        Permission(Target.SOURCE, ("s3:PutReplicationConfiguration",), "with --switch"),
        Permission(Target.NATIVE_ROLE, ("iam:PassRole",), "with --switch: S3 asks for it when its rules are changed"),
    ),
    "rules export": (_STACK, _READ_RULES, _NO_RULES),
    "grants": (
        _STACK,
        _READ_RULES,
        _NO_RULES,
        *(
            Permission(
                target,
                (
                    "s3:ListBucket",
                    "s3:GetBucketOwnershipControls",
                    "s3:GetBucketObjectLockConfiguration",
                    "s3:GetEncryptionConfiguration",
                ),
                "to print no statement that is not needed",
            )
            for target in (Target.SOURCE, Target.DESTINATIONS)
        ),
        Permission(Target.SOURCE, ("s3:GetBucketPolicy",), "if it must admit somebody, to keep what it has"),
        Permission(Target.DESTINATIONS, ("s3:GetBucketPolicy",), "if it must admit somebody, to keep what it has"),
    ),
    "status": (
        _STACK,
        Permission(Target.JOURNAL, ("dynamodb:Query",)),
        Permission(Target.CHANGE_QUEUE, ("sqs:GetQueueAttributes",)),
        Permission(Target.BACKFILL_QUEUE, ("sqs:GetQueueAttributes",)),
        Permission(Target.PART_QUEUE, ("sqs:GetQueueAttributes",)),
        Permission(Target.DEAD_LETTER_QUEUE, ("sqs:GetQueueAttributes",)),
        Permission(Target.JOURNAL, ("dynamodb:GetItem",), ABOUT_AN_OBJECT),
        Permission(Target.CONTROL_BUCKET, ("s3:GetObject", "s3:ListBucket"), "to say when copies were proven complete"),
        Permission(Target.CONTROL_BUCKET, ("s3:GetObject",), ABOUT_AN_OBJECT),
        *_read_versions(ABOUT_AN_OBJECT),
        Permission(Target.DESTINATIONS, ("s3:ListMultipartUploadParts",), "if it is being copied in parts"),
    ),
    "explain": (
        _ASSUME_ROLES,
        _STACK,
        _READ_RULES,
        _NO_RULES,
        *_EXAMINE,
    ),
    "resync": (
        _ASSUME_ROLES,
        _STACK,
        Permission(Target.CONTROL_BUCKET, ("s3:GetObject", "s3:ListBucket")),
        Permission(Target.CONTROL_BUCKET, ("s3:PutObject",), "without --dry-run"),
        Permission(Target.SOURCE, ("s3:ListBucket", "s3:ListBucketVersions")),
        Permission(Target.DESTINATIONS, ("s3:ListBucket", "s3:ListBucketVersions")),
        Permission(Target.BACKFILL_QUEUE, ("sqs:SendMessage", "sqs:GetQueueAttributes"), "without --dry-run"),
        Permission(Target.PART_QUEUE, ("sqs:GetQueueAttributes",), "without --dry-run or --detach"),
        Permission(Target.JOURNAL, ("dynamodb:Query",), "with --status never or failed alone"),
        Permission(Target.JOURNAL, ("dynamodb:GetItem",), IN_DOUBT),
        *_read_versions(IN_DOUBT),
        *_DESCRIBE_SIDES,
        Permission(Target.SOURCE, ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"), "if both buckets have ACLs enabled"),
        Permission(Target.METRICS, ("cloudwatch:GetMetricData",), "with --engine auto, the default"),
        Permission(Target.BATCH_JOBS, ("s3:CreateJob", "s3:DescribeJob"), WITH_BATCH),
        Permission(Target.BATCH_JOBS, ("s3:UpdateJobStatus",), "with --engine batch, to confirm a job"),
        Permission(Target.BATCH_JOBS_ROLE, ("iam:PassRole",), "with --engine batch: CreateJob hands it to S3"),
        Permission(Target.INVENTORY, ("s3:GetObject",), "with --inventory"),
    ),
    "jobs list": (_STACK, _READ_JOBS, Permission(Target.CONTROL_BUCKET, ("s3:ListBucket",))),
    "jobs show": (_STACK, _READ_JOBS),
    "jobs cancel": (
        _STACK,
        _READ_JOBS,
        Permission(Target.CONTROL_BUCKET, ("s3:PutObject",), "if it has not ended"),
        Permission(
            Target.BATCH_JOBS, ("s3:DescribeJob", "s3:UpdateJobStatus"), "if it is a job of S3 Batch Operations"
        ),
    ),
    "jobs report": (_STACK, _READ_JOBS),
    "failures list": _READ_FAILURES,
    "failures redrive": (
        *_READ_FAILURES,
        Permission(Target.DEAD_LETTER_QUEUE, ("sqs:DeleteMessage",), "without --dry-run"),
        Permission(Target.CHANGE_QUEUE, ("sqs:SendMessage",), "without --dry-run"),
    ),
    "failover check": (
        Permission(Target.METRICS, ("cloudwatch:GetMetricData",)),
        Permission(Target.DESTINATIONS, ("s3:ListBucket",), "without --destination-region"),
        Permission(Target.STACK, ("cloudformation:DescribeStacks",), KEYS_THAT_WOULD_BE_LOST),
        Permission(Target.JOURNAL, ("dynamodb:Query",), KEYS_THAT_WOULD_BE_LOST),
    ),
    "report": (
        _STACK,
        Permission(Target.CONTROL_BUCKET, ("s3:ListBucket", "s3:GetObject")),
        Permission(Target.METRICS, ("cloudwatch:ListMetrics", "cloudwatch:GetMetricData")),
    ),
    "verify": (
        _ASSUME_ROLES,
        _STACK,
        _READ_RULES,
        _NO_RULES,
        Permission(
            Target.CONTROL_BUCKET, ("s3:PutObject",), "to go on later where it was interrupted, and for failover check"
        ),
        *_EXAMINE,
        Permission(Target.SOURCE, ("s3:GetBucketNotification",), "to say whether it still sends its events"),
        Permission(Target.QUEUES, ("sqs:GetQueueAttributes",), "if anything differs"),
        Permission(Target.BACKFILL_QUEUE, ("sqs:SendMessage",), "with --repair"),
        Permission(Target.INVENTORY, ("s3:GetObject",), "with --inventory in S3"),
        Permission(Target.KMS_KEYS, ("kms:Decrypt",), "if an inventory report is encrypted with a KMS key"),
        *_ASK_ATHENA,
    ),
    "emulate": (),
}
"""Command -> its permissions."""


def actions(command: str) -> Iterator[str]:
    """Yield every action that a command, or a group of commands such as `rules`, may need."""
    for name, permissions in PERMISSIONS.items():
        if name == command or name.startswith(f"{command} "):
            yield from (action for permission in permissions for action in permission.actions)
