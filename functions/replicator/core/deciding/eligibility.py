"""Eligibility: do the rule and S3 allow a version to be copied? A list of refusals, each with its reason.

Separate from the decision, which is about order and about what the destination has: here only one version and its rule
matter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.parts.parts import LARGEST_COPY, LARGEST_OBJECT
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import TAG_LIMIT, Origin, Site, encode_mark, has_metadata_room
from replicator.core.versions.version import Head, Restore


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a version is not copied: SKIPPED by design, FAILED for good, or PENDING until something changes."""

    status: Status
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most bytes that may be copied: by one request (S3: 5 GiB), and at all (S3: 48.8 TiB)."""

    single_copy: int = LARGEST_COPY
    largest: int = LARGEST_OBJECT


@dataclass(frozen=True, slots=True)
class ProposedCopy:
    """One version at one destination, as eligibility sees it. `now` is epoch seconds."""

    key: str
    head: Head
    rule: Rule
    tags: Mapping[str, str]
    origin: Origin
    target: Target
    limits: Limits
    now: int

    @property
    def site(self) -> Site:
        """Where and when the replica would be written."""
        return Site(self.target.bucket, self.key, self.now)


def judge(candidate: Candidate, tags: Mapping[str, str], proposed: Callable[[Rule], ProposedCopy]) -> Rule | Refusal:
    """Return the rule under which this version is copied, or the first refusal that applies."""
    rule = candidate.select(tags)
    if rule is None:
        return Refusal(Status.SKIPPED, Reason.NO_RULE, "no enabled rule has a filter that matches its tags")
    under_rule = proposed(rule)
    return next((refusal for refuse in REFUSALS if (refusal := refuse(under_rule))), rule)


def _kms_not_selected(proposed: ProposedCopy) -> Refusal | None:
    if proposed.head.encryption.is_kms and not proposed.rule.kms_selected:
        return Refusal(Status.SKIPPED, Reason.KMS_NOT_SELECTED, "the rule has no enabled SseKmsEncryptedObjects")
    return None


def key_trouble(head: Head) -> tuple[Reason, str] | None:
    """Return why the KMS key of a version keeps its bytes from being read, and the words for it; None if it does not.

    Said of a HEAD, not by CopyObject: its error does not tell the source's key from the destination's.
    """
    if head.key_invalid:
        return Reason.SRC_KMS_STATE, "its KMS key cannot be used in its present state"
    if head.key_denied:
        return Reason.SRC_KMS_DENIED, "kms:Decrypt on its KMS key is denied"
    return None


def _key_unusable(proposed: ProposedCopy) -> Refusal | None:
    found = key_trouble(proposed.head)
    return Refusal(Status.FAILED, *found) if found else None


def _archived(proposed: ProposedCopy) -> Refusal | None:
    if not proposed.head.is_archived:
        return None
    if proposed.head.restore is Restore.ONGOING:
        return Refusal(Status.PENDING, Reason.RESTORING, "its restore is in progress")
    where = proposed.head.archive_status or proposed.head.storage_class
    return Refusal(Status.SKIPPED, Reason.SRC_NOT_ELIGIBLE, f"archived in {where}")


def _too_large(proposed: ProposedCopy) -> Refusal | None:
    if proposed.head.size > proposed.limits.largest:
        return Refusal(Status.FAILED, Reason.TOO_LARGE, f"{proposed.head.size} bytes, limit {proposed.limits.largest}")
    return None


def _metadata_unreadable(proposed: ProposedCopy) -> Refusal | None:
    """Only CopyObject copies metadata that HEAD does not return; a multipart upload would lose it."""
    if proposed.head.unseen_metadata and proposed.head.size > proposed.limits.single_copy:
        return Refusal(Status.FAILED, Reason.METADATA_UNREADABLE, "HEAD omits some of it, and the object needs parts")
    return None


def _unversioned(proposed: ProposedCopy) -> Refusal | None:
    if not proposed.target.capabilities.versions:
        return Refusal(Status.FAILED, Reason.DST_UNVERSIONED, "unversioned, a copy could destroy an object there")
    return None


def _lock_missing(proposed: ProposedCopy) -> Refusal | None:
    if proposed.head.lock.in_force(proposed.now) and not proposed.target.capabilities.lock:
        return Refusal(Status.FAILED, Reason.DST_NO_OBJECT_LOCK, "the version is locked, the bucket has no Object Lock")
    return None


def _no_room(proposed: ProposedCopy) -> Refusal | None:
    mark = encode_mark(proposed.origin, proposed.site)
    if has_metadata_room(proposed.head.metadata, proposed.head.unseen_metadata, mark) or len(proposed.tags) < TAG_LIMIT:
        return None
    return Refusal(Status.FAILED, Reason.NO_ROOM, "no room for its origin: its metadata is full, and it has 10 tags")


REFUSALS = (
    _kms_not_selected,
    _key_unusable,
    _archived,
    _unversioned,
    _lock_missing,
    _too_large,
    _metadata_unreadable,
    _no_room,
)
