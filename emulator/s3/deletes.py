"""DeleteObject and DeleteObjects: a delete marker in a versioned bucket, a permanent deletion if a version id is named.

A delete marker is created even for a key that does not exist. With versioning suspended it has the id "null" and
replaces the null version. An id that S3 never made is InvalidArgument, and NoSuchVersion inside DeleteObjects. Both
were recorded, as was the event of a deletion without version id of a key that never was.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

from __future__ import annotations

from typing import Any

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3 import access, event_records, locks, preconditions, version_ids
from emulator.s3.histories import check_version_id, current, find, lock, no_such_version, push, remove
from emulator.s3.requests import Request
from emulator.s3.versions import Entry, Marker, is_version

_MOST_KEYS = 1000
_BYPASS = "x-amz-bypass-governance-retention"
_ONLY_DIRECTORY_BUCKETS = ("x-amz-if-match-last-modified-time", "x-amz-if-match-size")


def delete_object(request: Request) -> Answer:
    """DeleteObject."""
    _check_headers(request, names_version=request.version_id is not None)
    if request.version_id is not None:
        check_version_id(request.version_id)
    deleted = _delete(request, request.key, request.version_id, request.header("If-Match"))
    headers = {}
    if isinstance(deleted, Marker):
        headers["x-amz-delete-marker"] = "true"
    if version_id := deleted.version_id if isinstance(deleted, Marker) else request.version_id:
        headers["x-amz-version-id"] = version_id
    return Answer(204, headers)


def _check_headers(request: Request, *, names_version: bool) -> None:
    """Refuse headers of directory buckets, and the bypass of retention where no lock can be. Raises NoSuchBucket, too.

    That the bypass is refused, whatever its value, was recorded of requests that name no version.
    """
    for name in _ONLY_DIRECTORY_BUCKETS:
        if request.header(name) is not None:
            raise preconditions.not_implemented(name)
    locking = request.bucket.object_lock_enabled
    if request.header(_BYPASS) is not None and not locking and not names_version:
        message = f"{_BYPASS} is only applicable to Object Lock enabled buckets."
        raise S3Error(400, "InvalidArgument", message, ArgumentName=_BYPASS)


def _delete(request: Request, key: str, version_id: str | None, if_match: str | None) -> Entry | None:
    """Delete, and return the delete marker created or the entry removed; None if there was nothing to remove."""
    bucket = request.bucket
    with lock(bucket):
        preconditions.check_delete(if_match, current(bucket, key), key)
        if version_id is None and bucket.versioning_status is not None:
            marker = Marker(key, bucket, owner=request.call.principal.account)
            push(bucket, marker)
            event, entry = "ObjectRemoved:DeleteMarkerCreated", marker
        else:
            found = find(bucket, key, version_id)
            if found is None and version_id is not None:
                return None
            if is_version(found):
                locks.check_deletable(found, request)
            if found is not None:
                remove(bucket, found)
            event, entry = "ObjectRemoved:Delete", found  # type: ignore[assignment]
    event_records.announce(event, bucket, entry or event_records.Absent(key))
    return entry


def delete_objects(request: Request) -> Answer:
    """DeleteObjects: up to 1,000 keys, each with a result of its own."""
    content = request.xml("Delete", "Object")
    objects = content.get("Object", [])
    _check_headers(request, names_version=any("VersionId" in each for each in objects))
    if not 0 < len(objects) <= _MOST_KEYS:
        raise malformed_xml()
    deleted, errors = [], []
    for each in objects:
        try:
            deleted.append(_delete_one(request, each))
        except S3Error as error:
            named = {"Key": each.get("Key"), "VersionId": each.get("VersionId")}
            errors.append({**named, "Code": error.code, "Message": error.message})
    quiet = str(content.get("Quiet")).lower() == "true"
    return s3_answer("DeleteResult", {"Deleted": [] if quiet else deleted, "Error": errors})


def _delete_one(request: Request, named: dict[str, Any]) -> dict[str, Any]:
    key, version_id = str(named.get("Key") or ""), named.get("VersionId")
    access.check_key(request, key, version_id)
    if version_id is not None and not version_ids.is_one(version_id):
        raise no_such_version(key, version_id)
    deleted = _delete(request, key, version_id, named.get("ETag"))
    outcome: dict[str, Any] = {"Key": key, "VersionId": version_id}
    if isinstance(deleted, Marker):
        outcome |= {"DeleteMarker": True, "DeleteMarkerVersionId": deleted.version_id}
    return outcome
