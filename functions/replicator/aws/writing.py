"""The port `Replicas` on S3: guarded copies and delete markers in a destination bucket.

It also says which value of a `Copy` becomes which argument of CopyObject or CreateMultipartUpload. No request here can
remove a version, and no role has the permission.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from replicator.aws.asking import asking, expecting, required
from replicator.aws.denials import is_denial, named_in
from replicator.aws.errors import Side
from replicator.aws.header_text import is_sendable
from replicator.aws.objects import PUBLIC_READ_WRITE, BucketObjects, Shared, checksum_of
from replicator.aws.trials import Destination, explain_copy
from replicator.core.deciding.copy import Copy, Guard, Written, without_public_grants
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.version import Encryption, Grant, Lock

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

GRANT_ARGUMENTS = {
    "FULL_CONTROL": "GrantFullControl",
    "READ": "GrantRead",
    "READ_ACP": "GrantReadACP",
    "WRITE_ACP": "GrantWriteACP",
}

QUICK_BYTES = 512 * 1024 * 1024
"""Copies of so many bytes take about ten seconds at 50 MB/s."""


class Variant(NamedTuple):
    """One way to ask for a copy: with all of it, or with less. lacks: what it does without, in words for the log."""

    lacks: str
    copy: Copy
    arguments: Mapping[str, str]


def poorer(copy: Copy) -> list[Variant]:
    """Return the ways to ask for a copy, the richest first: each is tried if S3 refuses the one before."""
    private = without_public_grants(copy)
    kept = [("", copy), *([("public grants", private)] if private else [])]
    bare = {"AnnotationDirective": "EXCLUDE"}
    return [
        *(Variant(lacks, each, {}) for lacks, each in kept),
        *(Variant(" and ".join(filter(None, (lacks, "annotations"))), each, bare) for lacks, each in kept),
    ]


def may_do_with_less(trouble: Permanent, copy: Copy) -> bool:
    """Return whether a refused copy may be accepted without its annotations, or its public grants."""
    denied = named_in(trouble.__cause__)
    if denied is None:
        return is_denial(trouble.__cause__) or trouble.reason is Reason.NOT_IMPLEMENTED
    public = without_public_grants(copy) is not None
    return "Annotation" in denied.action or (public and denied.action in {"s3:PutObject", "s3:PutObjectAcl"})


def left_out(what: str, copy: Copy, destination: str) -> str:
    """Return the line of the log about what S3 refused."""
    return f"{what} left out of {copy.key} {copy.version_id} of {copy.bucket} at {destination}: refused with the copy"


class BucketReplicas(BucketObjects):
    """The objects of a destination bucket."""

    def __init__(
        self,
        target: Target,
        reader: "S3Client",
        writer: "S3Client",
        shared: Shared | None = None,
        patient: "Callable[[], S3Client] | None" = None,
    ) -> None:
        """Take the bucket and its clients. patient: returns the client for copies of more than QUICK_BYTES."""
        super().__init__(target.bucket, Side.DESTINATION, reader, target.account, shared)
        self._target = target
        self._writer = writer
        self._patient = patient

    def copy(self, copy: Copy, guard: Guard) -> Written:
        """Write one replica. Raises Conflict if the guard fails.

        Not repeated after temporary trouble: the response may be lost. But S3 refuses a whole copy for what is least
        about it: annotations, which it copies by itself, without the permission for them or where there are none (501),
        and public grants, where Block Public Access is on. So a refused copy is repeated without these, and a line in
        the log says what the replica lacks.
        """
        *richer, barest = poorer(copy)
        for variant in richer:
            try:
                return self._copy(variant, guard)
            except Permanent as trouble:
                if not may_do_with_less(trouble, copy):
                    raise self._explained(trouble, copy, guard) from trouble.__cause__
        try:
            return self._copy(barest, guard)
        except Permanent as trouble:
            raise self._explained(trouble, barest.copy, guard) from trouble.__cause__

    def _explained(self, trouble: Permanent, copy: Copy, guard: Guard) -> Permanent:
        destination = Destination(self, self._writer, self.owner, upload_arguments(copy))
        read = self._shared.read_by_copies(copy.bucket, self, self._target)
        return explain_copy(trouble, copy, guard, read, destination)

    def _copy(self, variant: Variant, guard: Guard) -> Written:
        owner = self._shared.owner_of_source(variant.copy.bucket, self._target)
        arguments = {**copy_arguments(variant.copy, guard), **variant.arguments, **owner}
        writer = self._patient() if self._patient and variant.copy.size > QUICK_BYTES else self._writer
        with asking("CopyObject", self.side):
            answer = writer.copy_object(Bucket=self.bucket, **self.owner, **arguments)
            result = required(answer, "CopyObjectResult")
            written = Written(answer.get("VersionId", ""), required(result, "ETag"), checksum_of(result))
        if variant.lacks:
            self._shared.warn(left_out(variant.lacks, variant.copy, self.bucket))
        return written

    def mark_deleted(self, key: str, guard: Guard) -> str:
        """Write a delete marker, and return its id. Raises Conflict if the guard fails.

        It names no version id, so it removes nothing.
        """
        try:
            with asking("DeleteObject", self.side):
                answer = self._writer.delete_object(Bucket=self.bucket, Key=key, IfMatch=guard.etag, **self.owner)
                return str(answer.get("VersionId", ""))
        except Permanent as denied:
            if denied.reason is Reason.DST_DELETE_DENIED:
                self._check_readable(key)
            raise

    def _check_readable(self, key: str) -> None:
        """Raise Permanent if the key may not be read: whoever deletes on a condition needs s3:GetObject as well."""
        with suppress(Temporary), expecting("HeadObject", self.side, statuses={404}):
            self._writer.head_object(Bucket=self.bucket, Key=key, **self.owner)


def copy_arguments(copy: Copy, guard: Guard) -> dict[str, Any]:
    """Return CopyObject's arguments, without the bucket."""
    return {
        "Key": copy.key,
        "CopySource": {"Bucket": copy.bucket, "Key": copy.key, "VersionId": copy.version_id},
        "CopySourceIfMatch": copy.etag,
        **({"IfMatch": guard.etag} if guard.etag else {"IfNoneMatch": "*"}),
        **_metadata(copy),
        **_tagging(copy),
        "StorageClass": copy.storage_class,
        **_encryption(copy.encryption),
        **_lock(copy.lock),
        **({"ChecksumAlgorithm": copy.checksum.algorithm} if copy.checksum else {}),
        **({"ACL": copy.canned_acl} if copy.canned_acl else grant_arguments(copy.grants)),
    }


def upload_arguments(copy: Copy) -> dict[str, Any]:
    """Return CreateMultipartUpload's arguments, without bucket and checksum. It copies nothing by itself."""
    return {
        "Key": copy.key,
        "Metadata": dict(copy.metadata),
        **copy.headers,
        **({"Tagging": _tag_header(copy.tags)} if copy.tags else {}),
        "StorageClass": copy.storage_class,
        **_encryption(copy.encryption),
        **_lock(copy.lock),
        **({"ACL": copy.canned_acl} if copy.canned_acl else grant_arguments(copy.grants)),
    }


def _metadata(copy: Copy) -> dict[str, Any]:
    """Let S3 copy metadata that does not change, including what no HEAD returns. S3 never copies the redirect location.

    If the replica's metadata differs, every header is sent again, as the directive REPLACE requires. Raises Permanent
    for a redirect that cannot be sent.
    """
    if copy.metadata == copy.source_metadata:
        redirect = copy.headers.get("WebsiteRedirectLocation", "")
        if not is_sendable(redirect):
            raise Permanent(Reason.METADATA_UNREADABLE, "a website redirect that cannot be sent")
        return {"MetadataDirective": "COPY"} | ({"WebsiteRedirectLocation": redirect} if redirect else {})
    return {"MetadataDirective": "REPLACE", "Metadata": dict(copy.metadata), **copy.headers}


def _tag_header(tags: Mapping[str, str]) -> str:
    return urlencode(tags, quote_via=quote)


def _tagging(copy: Copy) -> dict[str, Any]:
    """Let S3 copy tags that do not change."""
    if copy.tags == copy.source_tags:
        return {}
    return {"TaggingDirective": "REPLACE", "Tagging": _tag_header(copy.tags)}


def _encryption(encryption: Encryption) -> dict[str, Any]:
    if not encryption.algorithm:
        return {}
    arguments: dict[str, Any] = {"ServerSideEncryption": encryption.algorithm}
    if encryption.is_kms and encryption.kms_key:
        arguments["SSEKMSKeyId"] = encryption.kms_key
    if encryption.algorithm == "aws:kms" and encryption.bucket_key is not None:
        arguments["BucketKeyEnabled"] = encryption.bucket_key
    return arguments


def _lock(lock: Lock) -> dict[str, Any]:
    given = {
        "ObjectLockMode": lock.mode,
        "ObjectLockRetainUntilDate": datetime.fromisoformat(lock.until) if lock.until else None,
        "ObjectLockLegalHoldStatus": "ON" if lock.legal_hold else None,
        "ObjectLockEventHold": "ON" if lock.event_hold else None,
        "ObjectLockEventHoldDurationDays": lock.event_hold_days,
        "ObjectLockEventHoldDurationYears": lock.event_hold_years,
    }
    return {name: value for name, value in given.items() if value}


def grant_arguments(grants: tuple[Grant, ...]) -> dict[str, str]:
    """Return an ACL as headers: one header per permission with all its grantees, or the canned public-read-write."""
    if {*grants} >= PUBLIC_READ_WRITE:
        return {"ACL": "public-read-write"}
    by_argument: dict[str, list[str]] = {}
    for grant in grants:
        by_argument.setdefault(GRANT_ARGUMENTS[grant.permission], []).append(grant.grantee)
    return {argument: ", ".join(grantees) for argument, grantees in by_argument.items()}
