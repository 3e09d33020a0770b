"""What each kind of difference means, and what to do about it: the one place that says so, for all outputs."""

from replicator.core.verifying.differences import Kind

MEANING: dict[Kind, str] = {
    Kind.MISSING: "the version never arrived",
    Kind.DELETED_THERE: "the replica was deleted for good at the destination",
    Kind.WRONG_CURRENT: "something else is current at the destination",
    Kind.MARKER_MISSING: "deleted at the source, still shown at the destination",
    Kind.CONTENT: "the replica has other bytes than its version",
    Kind.METADATA: "the replica has other user metadata or headers",
    Kind.TAGS: "the replica has other tags",
    Kind.ACL: "the replica has another ACL",
    Kind.LOCK: "the replica has another retention or hold",
    Kind.ANNOTATIONS: "the replica has other annotations",
    Kind.ENCRYPTION: "the replica is not encrypted as its rule says",
    Kind.STORAGE_CLASS: "the replica has another storage class than its rule says",
    Kind.FAILED: "replication failed",
    Kind.UNREADABLE: "it cannot be read, so nothing is proven",
}
_REPAIR = "verify --repair"
ADVICE: dict[Kind, str] = {
    Kind.MISSING: f"{_REPAIR} copies it; if there are many, resync the bucket, and see rules check for lost events",
    Kind.DELETED_THERE: f"{_REPAIR} writes it again; see who deletes versions at the destination",
    Kind.WRONG_CURRENT: f"{_REPAIR} puts the source's version back on top; see who writes to the destination",
    Kind.MARKER_MISSING: f"{_REPAIR} deletes it there, too; if lifecycle deleted it, that is never replicated live",
    Kind.CONTENT: f"{_REPAIR} copies the version once more, on top of the damaged one",
    Kind.METADATA: f"{_REPAIR} copies the version once more, on top of the changed one",
    Kind.TAGS: f"{_REPAIR} writes the tags of the version to its replica",
    Kind.ACL: f"{_REPAIR} writes the ACL of the version to its replica",
    Kind.LOCK: f"{_REPAIR} locks the replica as its version is; it never shortens a retention",
    Kind.ANNOTATIONS: f"{_REPAIR} writes the annotations of the version to its replica",
    Kind.ENCRYPTION: f"{_REPAIR} copies the version once more, encrypted as the rule says",
    Kind.STORAGE_CLASS: f"{_REPAIR} copies the version once more, in the class that the rule names",
    Kind.FAILED: "remove the cause (failures list says more), then failures redrive",
    Kind.UNREADABLE: "allow what is denied, or run the command again",
}
