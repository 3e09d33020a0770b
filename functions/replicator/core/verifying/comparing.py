"""A replica compared with what a copy of its version would be: bytes, metadata, headers, encryption, storage class.

Separate from what may change after the write (core/aspects), which has a history of its own: here, the copy that would
be written now says what the replica must have.
"""

from collections.abc import Iterator, Mapping

from replicator.core.deciding.copy import Copy
from replicator.core.verifying.differences import Kind
from replicator.core.versions.origin import MARK
from replicator.core.versions.version import Encryption, Head

Found = tuple[Kind, str]
"""A kind of difference, and what was found."""

NEVER_BY_LIFECYCLE = frozenset({"STANDARD", "REDUCED_REDUNDANCY"})
"""Classes that no lifecycle rule moves anything to (S3 user guide, "Transitioning objects using Amazon S3 Lifecycle").
"""
PLAIN = frozenset({"", "AES256"})
"""Encryption under which the ETag of an object in one piece is the MD5 of its bytes (S3 API reference, "Object")."""


def compare(copy: Copy, source: Head, replica: Head, *, named_class: bool) -> Iterator[Found]:
    """Yield how a replica differs from the copy that would be written now. named_class: the rule names the class."""
    if differs := _content(source, replica):
        yield Kind.CONTENT, differs
    if not (source.unseen_metadata or replica.unseen_metadata) and _own(copy.metadata) != _own(replica.metadata):
        yield Kind.METADATA, f"user metadata: {_differing(_own(copy.metadata), _own(replica.metadata))}"
    if copy.headers != replica.headers:
        yield Kind.METADATA, f"headers: {_differing(copy.headers, replica.headers)}"
    if differs := _encryption(copy.encryption, replica.encryption):
        yield Kind.ENCRYPTION, differs
    if replica.storage_class != copy.storage_class and _is_no_transition(replica, named_class=named_class):
        yield Kind.STORAGE_CLASS, f"{replica.storage_class}, must be {copy.storage_class}"


def _content(source: Head, replica: Head) -> str:
    if source.size != replica.size:
        return f"{replica.size} bytes, the source has {source.size}"
    ours, theirs = source.checksum, replica.checksum
    if ours and theirs and ours.algorithm == theirs.algorithm and ours.full_object and theirs.full_object:
        return (
            "" if ours.value == theirs.value else f"its {ours.algorithm} is {theirs.value}, the source's {ours.value}"
        )
    if _tells_bytes(source) and _tells_bytes(replica) and source.etag != replica.etag:
        return f"its ETag is {replica.etag}, the source's {source.etag}"
    return ""


def _tells_bytes(head: Head) -> bool:
    """Return whether its ETag depends on nothing but its bytes."""
    return "-" not in head.etag and head.encryption.algorithm in PLAIN


def _own(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in metadata.items() if name != MARK}


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Name what differs; the values may be long, or nobody's business."""
    return ", ".join(sorted(name for name in {*one, *other} if one.get(name) != other.get(name)))


def _encryption(wanted: Encryption, found: Encryption) -> str:
    if wanted.algorithm in PLAIN and found.algorithm in PLAIN:
        return ""
    if not wanted.algorithm:
        return ""  # nothing is asked for, so that the destination's default applies
    if wanted.algorithm != found.algorithm:
        return f"{found.algorithm or 'none'}, must be {wanted.algorithm}"
    if not wanted.is_kms or not wanted.kms_key or _is_same_key(wanted.kms_key, found.kms_key):
        return ""
    return f"encrypted with {found.kms_key}, must be {wanted.kms_key}"


def _is_same_key(wanted: str, found: str) -> bool:
    """Compare two names of KMS keys. An answer names a key's ARN; which key an alias names is not known here."""
    return "alias/" in wanted or wanted.rpartition("/")[2] == found.rpartition("/")[2]


def _is_no_transition(replica: Head, *, named_class: bool) -> bool:
    """Return whether lifecycle cannot have moved the replica, or its source, since the copy.

    Lifecycle moves objects towards colder classes only, on either side, and nothing tells when. So a difference is
    certain only if the replica has a class that it cannot have been moved to, and the rule named another one.
    """
    return named_class and replica.storage_class in NEVER_BY_LIFECYCLE
