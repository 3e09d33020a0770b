"""What one copy carries: the value that the copy adapter turns into one CopyObject call.

Separate from the adapter so that "what must a replica look like" can be read, and tested field by field, without
knowing how boto3 spells it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replicator.core.deciding.eligibility import ProposedCopy
from replicator.core.deciding.target import Target
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import (
    MARK,
    SOURCE_STATUSES,
    STATUS_TAG,
    STATUS_TAG_VALUE,
    TAG_LIMIT,
    Origin,
    Site,
    encode_mark,
    has_metadata_room,
)
from replicator.core.versions.version import Checksum, Encryption, Grant, Lock, StoredVersion

OWNER_FULL_CONTROL = "bucket-owner-full-control"


@dataclass(frozen=True, slots=True)
class Guard:
    """What must stand at the top of the destination for a write to happen; an empty ETag: no object at all."""

    etag: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """What one replica has, and which version it is copied from.

    bucket, key, version_id, etag, size: of the version that is copied. source_metadata, source_tags: what that version
    has itself. Whether S3 copies those along or is sent the replica's is the adapter's business.
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int
    origin: Origin
    metadata: Mapping[str, str]
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    storage_class: str
    encryption: Encryption
    lock: Lock
    checksum: Checksum | None
    canned_acl: str = ""
    grants: tuple[Grant, ...] = ()
    source_metadata: Mapping[str, str] = field(default_factory=dict)
    source_tags: Mapping[str, str] = field(default_factory=dict)


def compose(proposed: ProposedCopy, grants: tuple[Grant, ...] = ()) -> Copy:
    """Say what the replica of one version looks like under its rule. `grants`: the source's ACL beyond its owner."""
    head, destination = proposed.head, proposed.rule.destination
    acls = proposed.target.capabilities.acls
    mark = encode_mark(proposed.origin, proposed.site)
    in_metadata = has_metadata_room(head.metadata, head.unseen_metadata, mark)
    override = destination.owner_override and acls
    return Copy(
        bucket=proposed.origin.bucket,
        key=proposed.key,
        version_id=head.version_id,
        etag=head.etag,
        size=head.size,
        origin=proposed.origin,
        metadata={**head.metadata, MARK: mark} if in_metadata else head.metadata,
        headers=head.headers,
        tags=_tags(proposed.tags, proposed.rule, "" if in_metadata else mark),
        storage_class=destination.storage_class or head.storage_class,
        encryption=_encryption(head.encryption, destination.kms_key),
        lock=head.lock.in_force(proposed.now),
        checksum=head.checksum,
        canned_acl=OWNER_FULL_CONTROL if override else "",
        grants=() if override or not acls else grants,
        source_metadata=head.metadata,
        source_tags=proposed.tags,
    )


def put_back(found: StoredVersion, origin: Origin, target: Target, site: Site) -> Copy:
    """Say what a version of the destination itself looks like once it is put on top of its own history again."""
    head = found.head
    mark = encode_mark(origin, site)
    in_metadata = has_metadata_room(head.metadata, head.unseen_metadata, mark)
    tags = dict(found.tags)
    if not in_metadata:
        tags[MARK] = mark
    if len(tags) < TAG_LIMIT:
        tags[STATUS_TAG] = STATUS_TAG_VALUE
    return Copy(
        bucket=target.bucket,
        key=site.key,
        version_id=head.version_id,
        etag=head.etag,
        size=head.size,
        origin=origin,
        metadata={**head.metadata, MARK: mark} if in_metadata else head.metadata,
        headers=head.headers,
        tags=tags,
        storage_class=head.storage_class,
        encryption=head.encryption,
        lock=head.lock.in_force(site.time),
        checksum=head.checksum,
        grants=found.grants if target.capabilities.acls else (),
        source_metadata=head.metadata,
        source_tags=found.tags,
    )


def _tags(tags: Mapping[str, str], rule: Rule, mark: str) -> Mapping[str, str]:
    """Tags of the replica: the source's, the mark if it is carried here, and the status tag if there is room.

    A status that the source itself is tagged with is its own, and does not go over.
    """
    added = {name: value for name, value in tags.items() if name != STATUS_TAG or value not in SOURCE_STATUSES}
    if mark:
        added[MARK] = mark
    if rule.replica_tag and (STATUS_TAG in added or len(added) < TAG_LIMIT):
        added[STATUS_TAG] = STATUS_TAG_VALUE
    return added


def _encryption(source: Encryption, replica_key: str | None) -> Encryption:
    """Encrypt as S3 Replication does: the source's own kind, a KMS kind with the rule's key."""
    if source.is_kms and replica_key:
        return Encryption(source.algorithm, replica_key, source.bucket_key)
    return source


@dataclass(frozen=True, slots=True)
class Written:
    """What the destination answered: the new entry's version id, its ETag, and its checksum if it told one."""

    version_id: str
    etag: str
    checksum: Checksum | None = None


def is_faithful(copy: Copy, written: Written) -> bool:
    """Compare the replica's checksum with the source's; True where S3 gives nothing that can be compared.

    Only checksums over the whole object compare: a composite one depends on the parts, and an ETag is a checksum of the
    bytes only for single-part objects without a KMS key, which S3 does not tell apart for us.
    """
    ours, theirs = copy.checksum, written.checksum
    if ours is None or theirs is None or ours.algorithm != theirs.algorithm:
        return True
    return not (ours.full_object and theirs.full_object) or ours.value == theirs.value
