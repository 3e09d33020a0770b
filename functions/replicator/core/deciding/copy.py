"""What a replica looks like: the value that an adapter turns into one CopyObject call or one multipart upload.

Separate from the adapter so that this can be read, and tested field by field, without knowing boto3's arguments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from replicator.core.aspects.state import EVENT_HOLD, GRANTS, NO_HOLD, TAGS, digest, grant_state, lock_state, tag_state
from replicator.core.deciding.eligibility import ProposedCopy
from replicator.core.deciding.replica_tags import replica_tags
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason
from replicator.core.versions.origin import (
    MARK,
    STATUS_TAG,
    STATUS_TAG_VALUE,
    TAG_LIMIT,
    TAG_VALUE_LIMIT,
    Born,
    Origin,
    Site,
    encode_mark,
    has_metadata_room,
    metadata_digest,
)
from replicator.core.versions.version import Checksum, Encryption, Grant, Head, Lock, StoredVersion

OWNER_FULL_CONTROL = "bucket-owner-full-control"


@dataclass(frozen=True, slots=True)
class Guard:
    """The precondition of a write: the ETag of the object on top of the destination; empty for no object at all."""

    etag: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """What one replica has, and which version it is copied from.

    bucket, key, version_id, etag, size: of the version that is copied. source_metadata, source_tags: what that version
    has. By comparing them with the replica's, the adapter chooses the directives: let S3 copy them, or send new ones.
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
    """Return what the replica of one version looks like under its rule. grants: the source's ACL beyond its owner."""
    head, destination = proposed.head, proposed.rule.destination
    acls = proposed.target.capabilities.acls
    override = destination.owner_override and acls
    kept = () if override or not acls else grants
    born = _born(head, proposed.tags, kept, proposed.now)
    metadata, tag_mark = _place_mark(head, proposed.origin, proposed.site, born)
    return Copy(
        bucket=proposed.origin.bucket,
        key=proposed.key,
        version_id=head.version_id,
        etag=head.etag,
        size=head.size,
        origin=proposed.origin,
        metadata=metadata,
        headers=head.headers,
        tags=replica_tags(proposed.tags, status_tag=proposed.rule.replica_tag, mark=tag_mark),
        storage_class=destination.storage_class or head.storage_class,
        encryption=_encryption(head.encryption, destination.kms_key),
        lock=head.lock.in_force(proposed.now),
        checksum=head.checksum,
        canned_acl=OWNER_FULL_CONTROL if override else "",
        grants=kept,
        source_metadata=head.metadata,
        source_tags=proposed.tags,
    )


def put_back(stored: StoredVersion, origin: Origin, target: Target, site: Site) -> Copy:
    """Return what a version of the destination looks like when it is copied on top of its own history."""
    head, grants = stored.head, stored.grants if target.capabilities.acls else ()
    born = _born(head, stored.tags, grants, site.time)
    metadata, tag_mark = _place_mark(head, origin, site, born)
    tags = dict(stored.tags)
    if tag_mark:
        tags[MARK] = tag_mark
    if len(tags) < TAG_LIMIT:
        tags[STATUS_TAG] = STATUS_TAG_VALUE
    return Copy(
        bucket=target.bucket,
        key=site.key,
        version_id=head.version_id,
        etag=head.etag,
        size=head.size,
        origin=origin,
        metadata=metadata,
        headers=head.headers,
        tags=tags,
        storage_class=head.storage_class,
        encryption=head.encryption,
        lock=head.lock.in_force(site.time),
        checksum=head.checksum,
        grants=grants,
        source_metadata=head.metadata,
        source_tags=stored.tags,
    )


def without_public_grants(copy: Copy) -> Copy | None:
    """Return the copy as a bucket takes it that blocks public access; None if there is nothing public about it."""
    kept = tuple(grant for grant in copy.grants if not grant.is_public)
    return replace(copy, grants=kept) if kept != copy.grants else None


def _born(head: Head, tags: Mapping[str, str], grants: tuple[Grant, ...], now: int) -> Born:
    """Return what a version has at its copying."""
    lock = head.lock.in_force(now)
    event_hold = lock_state(lock)[EVENT_HOLD]
    return Born(
        tags=digest(tag_state(tags)[TAGS]),
        grants=digest(grant_state(grants)[GRANTS]),
        hold=lock.legal_hold,
        metadata=metadata_digest(head.metadata),
        event_hold="" if event_hold == NO_HOLD else digest(event_hold),
    )


def _place_mark(head: Head, origin: Origin, site: Site, born: Born) -> tuple[Mapping[str, str], str]:
    """Return the replica's metadata, and the mark if it must be a tag because the metadata is full, else empty."""
    full, short = encode_mark(origin, site, born), encode_mark(origin, site)
    for mark in (full, short):
        if has_metadata_room(head.metadata, head.unseen_metadata, mark):
            return {**head.metadata, MARK: mark}, ""
    return head.metadata, full if len(full) <= TAG_VALUE_LIMIT else short


def given_by(copy: Copy) -> Mapping[str, str]:
    """Return digests of the tags and the ACL that a copy gives its replica; empty if one of its tags is its mark."""
    if MARK in copy.tags:
        return {}
    return {TAGS: digest(tag_state(copy.tags)[TAGS]), GRANTS: digest(grant_state(copy.grants)[GRANTS])}


def _encryption(source: Encryption, replica_key: str | None) -> Encryption:
    """Encrypt as S3 Replication does: with the source's algorithm, and if that uses KMS with the rule's key."""
    if source.is_kms and replica_key:
        return Encryption(source.algorithm, replica_key, source.bucket_key)
    return source


@dataclass(frozen=True, slots=True)
class Written:
    """What the destination returned: the new version's id, its ETag, and its checksum if there is one."""

    version_id: str
    etag: str
    checksum: Checksum | None = None


def is_faithful(copy: Copy, written: Written) -> bool:
    """Return whether the replica's checksum equals the source's; True if S3 returns none that can be compared.

    Only checksums over the whole object can be: a composite one depends on the parts, and an ETag is a checksum of the
    bytes only for single-part objects without a KMS key, which is not visible here.
    """
    ours, theirs = copy.checksum, written.checksum
    if ours is None or theirs is None or ours.algorithm != theirs.algorithm:
        return True
    return not (ours.full_object and theirs.full_object) or ours.value == theirs.value


def check_faithful(copy: Copy, written: Written) -> None:
    """Raise Permanent if the replica's checksum differs from the source's."""
    if not is_faithful(copy, written):
        raise Permanent(Reason.CHECKSUM, f"replica {written.version_id} of {copy.origin} differs from its source")
