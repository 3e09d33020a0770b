"""Finds out which permission a denied write lacks: by S3's message, else by requests that write no object.

S3 tells another account's caller only "Access Denied". Then the source is read again as a copy reads it, and uploads
are started, and aborted, each with one thing more than the object itself: an upload needs what the object would. That
costs some fifteen requests at most, once for each failure.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking, required
from replicator.aws.denials import OF_ACTIONS, is_denial, named_in
from replicator.aws.objects import BucketObjects
from replicator.core.deciding.copy import Copy, Guard
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Side, Temporary
from replicator.core.parts.uploads import CopySource
from replicator.core.versions.version import Head

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Check = Callable[[], object]
"""A request. Raises Permanent if it is denied; its reason is then the answer."""

_TRIALS: tuple[tuple[Reason, str, tuple[str, ...]], ...] = (
    (Reason.DST_KMS_DENIED, "kms:GenerateDataKey", ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")),
    (Reason.DST_PUT_TAGS_DENIED, "s3:PutObjectTagging", ("Tagging",)),
    (
        Reason.DST_PUT_ACL_DENIED,
        "s3:PutObjectAcl",
        ("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP"),
    ),
    (Reason.DST_PUT_RETENTION_DENIED, "s3:PutObjectRetention", ("ObjectLockMode", "ObjectLockRetainUntilDate")),
    (Reason.DST_PUT_LEGAL_HOLD_DENIED, "s3:PutObjectLegalHold", ("ObjectLockLegalHoldStatus",)),
)
"""Reason, action, and the arguments of CreateMultipartUpload that need the action."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a write was denied. arguments: of CreateMultipartUpload, for the same object."""

    objects: BucketObjects
    writer: "S3Client"
    owner: Mapping[str, Any]
    arguments: Mapping[str, Any]


def explain_copy(
    trouble: Permanent, copy: Copy, guard: Guard, source: BucketObjects, destination: Destination
) -> Permanent:
    """Return the trouble of a CopyObject, with the side and the permission that were really denied.

    Never that of annotations: a copy that is denied without them, too, is not denied because of them.
    """
    read = CopySource(copy.bucket, copy.key, copy.version_id, copy.etag)
    if (known := _known(trouble, "CopyObject", read, source.side)) is not None:
        return known
    keeps_tags = copy.tags == copy.source_tags
    reading = (*_of_source(source, read), *([_tags(source, read)] if keeps_tags else []))
    checks = (*reading, *_of_top(destination, copy.key, guard), *_of_upload(destination, trouble.reason))
    return _first_denied(checks) or trouble


def explain_start(trouble: Permanent, destination: Destination) -> Permanent:
    """Return the trouble of a CreateMultipartUpload, likewise."""
    if (known := _known(trouble, "CreateMultipartUpload", None, Side.DESTINATION)) is not None:
        return known
    return _first_denied(tuple(_of_upload(destination, trouble.reason))) or trouble


def explain_part(trouble: Permanent, read: CopySource, source: BucketObjects, destination: Destination) -> Permanent:
    """Return the trouble of an UploadPartCopy, likewise. It writes with s3:PutObject and the KMS key of its upload."""
    if (known := _known(trouble, "UploadPartCopy", read, source.side)) is not None:
        return known
    found = _first_denied((*_of_source(source, read), _bare(destination, trouble.reason)))
    return found or (_of_key(trouble) if _uses_key(source, read) else trouble)


def explain_completion(
    trouble: Permanent, guard: Guard | None, destination: Destination, *, uses_key: bool
) -> Permanent:
    """Return the trouble of a CompleteMultipartUpload, likewise. A guard with an ETag needs s3:GetObject."""
    if (known := _known(trouble, "CompleteMultipartUpload", None, Side.DESTINATION)) is not None:
        return known
    top = _of_top(destination, destination.arguments["Key"], guard or Guard())
    found = _first_denied((*top, _bare(destination, trouble.reason)))
    return found or (_of_key(trouble) if uses_key else trouble)


def explain_listing(trouble: Permanent, key: str, destination: Destination) -> Permanent:
    """Return the trouble of a ListParts, likewise. Besides its own action it needs the KMS key of the upload."""
    if (known := _known(trouble, "ListParts", None, Side.DESTINATION)) is not None:
        return known
    with suppress(Temporary, Permanent, Conflict):
        return trouble if _is_listing_denied(destination, key) else _of_key(trouble)
    return trouble


def _is_listing_denied(destination: Destination, key: str) -> bool:
    """Start an upload that needs no KMS key, list its parts, and abort it. Raises what starting it raises."""
    objects, named = destination.objects, {"Bucket": destination.objects.bucket, "Key": key, **destination.owner}
    with asking("CreateMultipartUpload", Side.DESTINATION):
        answer = destination.writer.create_multipart_upload(**named, ServerSideEncryption="AES256")
        upload_id = required(answer, "UploadId")
    try:
        with asking("ListParts", Side.DESTINATION):
            objects.reader.list_parts(**named, UploadId=upload_id)
    except Permanent as denied:
        return is_denial(denied.__cause__)
    finally:
        _abort(destination, key, upload_id)
    return False


def _uses_key(source: BucketObjects, read: CopySource) -> bool:
    """Return whether a version is encrypted with a KMS key; then its replica is."""
    with suppress(Temporary, Permanent, Conflict):
        head = source.head(read.key, read.version_id)
        return isinstance(head, Head) and head.encryption.is_kms
    return False


def _of_key(trouble: Permanent) -> Permanent:
    """Return that the KMS key of an upload may not be used, because nothing else was denied."""
    detail = f"{trouble.detail}, on the KMS key of the upload, as all else that the request needs is allowed"
    return Permanent(Reason.DST_KMS_DENIED, detail)


def _known(trouble: Permanent, operation: str, read: CopySource | None, source_side: Side) -> Permanent | None:
    """Return what needs no request: trouble that is no denial, or a denial whose message names the action."""
    if not is_denial(trouble.__cause__):
        return trouble
    named = named_in(trouble.__cause__)
    if named is None:
        return None
    if named.action == "kms:Decrypt" and read is not None:
        return None  # of which key, the message need not say
    side = source_side if read is not None and named.bucket == read.bucket else Side.DESTINATION
    reason = OF_ACTIONS.get((named.action, side), trouble.reason)
    return Permanent(reason, f"{operation} ({side}): {trouble.detail.partition(': ')[2]}")


def _of_source(source: BucketObjects, read: CopySource) -> Iterator[Check]:
    """Read the version, its first byte, which its KMS key must allow too, and the key, for s3:GetObject itself."""
    is_source = source.side is Side.SOURCE
    denied = Reason.SRC_GET_DENIED if is_source else Reason.DST_GET_DENIED
    of_key = Reason.SRC_KMS_DENIED if is_source else Reason.DST_KMS_DENIED
    yield lambda: _as(denied, lambda: source.exists(read.key, read.version_id))
    yield lambda: _as(of_key, lambda: source.read_first_byte(read.key, read.version_id))
    yield lambda: _as(denied, lambda: source.top(read.key))


def _as(reason: Reason, check: Check) -> None:
    """Make a request whose denial means this."""
    try:
        check()
    except Permanent as denied:
        raise Permanent(reason, denied.detail) from denied.__cause__


def _tags(source: BucketObjects, read: CopySource) -> Check:
    return lambda: source.tags(read.key, read.version_id)


def _of_top(destination: Destination, key: str, guard: Guard) -> Iterator[Check]:
    if guard.etag:
        yield lambda: destination.objects.top(key)


def _of_upload(destination: Destination, bare: Reason) -> Iterator[Check]:
    """Start an upload without anything, then one for each thing that needs a permission of its own."""
    plain = {"Key": destination.arguments["Key"]}
    yield _bare(destination, bare)
    for reason, action, names in _TRIALS:
        given = {name: destination.arguments[name] for name in names if name in destination.arguments}
        if given:
            yield lambda given=given, reason=reason, action=action: _start_and_abort(  # type: ignore[misc]
                destination, plain | given, reason, action
            )


def _bare(destination: Destination, reason: Reason) -> Check:
    return lambda: _start_and_abort(destination, {"Key": destination.arguments["Key"]}, reason, "s3:PutObject")


def _start_and_abort(destination: Destination, arguments: Mapping[str, Any], reason: Reason, action: str) -> None:
    named = {"Bucket": destination.objects.bucket, **destination.owner}
    try:
        with asking("CreateMultipartUpload", Side.DESTINATION):
            answer = destination.writer.create_multipart_upload(**named, **arguments)
            upload_id = required(answer, "UploadId")
    except Permanent as denied:
        if not is_denial(denied.__cause__):
            return
        raise Permanent(reason, f"{denied.detail} on {action}") from denied.__cause__
    _abort(destination, arguments["Key"], upload_id)


def _abort(destination: Destination, key: str, upload_id: str) -> None:
    objects = destination.objects
    with suppress(Temporary, Permanent, Conflict), asking("AbortMultipartUpload", Side.DESTINATION):
        objects.reader.abort_multipart_upload(Bucket=objects.bucket, Key=key, UploadId=upload_id, **destination.owner)


def _first_denied(checks: tuple[Check, ...]) -> Permanent | None:
    """Make the requests in turn, up to the first that is denied. What else happens to one says nothing."""
    for check in checks:
        try:
            check()
        except Permanent as found:
            if is_denial(found.__cause__):
                return found
        except (Temporary, Conflict):
            continue
    return None
