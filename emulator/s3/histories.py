"""The version history of a key: what writes add and deletions remove, under each versioning state.

In a bucket without versioning, or with versioning suspended, new entries have the id "null", and a key has at most one
of these. A check and the change that depends on it happen under the bucket's lock.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VersionSuspendedBehavior.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.s3.models import FakeBucket, s3_backends

from emulator.calls.answers import S3Error, http_date
from emulator.s3 import version_ids
from emulator.s3.version_ids import NULL
from emulator.s3.versions import Entry, Marker, Version, is_version

Listener = Callable[[FakeBucket, Entry], None]
_listeners: list[Listener] = []


def find_bucket(name: str | None) -> FakeBucket | None:
    """Return a bucket by its name, in any account; None if there is none."""
    partition, account = s3_backends.bucket_accounts.get(name or "", ("", ""))
    return s3_backends[account][partition].buckets.get(name or "") if account else None


def get_bucket(name: str | None) -> FakeBucket:
    """Return a bucket by its name. Raises NoSuchBucket."""
    bucket = find_bucket(name)
    if bucket is None:
        raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist", BucketName=name)
    return bucket


def lock(bucket: FakeBucket) -> threading.RLock:
    """Return the bucket's lock, to be held while it is read and then changed."""
    return bucket.__dict__.setdefault("lock", threading.RLock())  # type: ignore[no-any-return]


def history(bucket: FakeBucket, key: str) -> Sequence[Entry]:
    """Return the entries of a key, oldest first."""
    return list(bucket.keys.getlist(key) or ())


def current(bucket: FakeBucket, key: str) -> Entry | None:
    """Return the current entry of a key; None if it has none."""
    entries = bucket.keys.getlist(key)
    return entries[-1] if entries else None


def find(bucket: FakeBucket, key: str, version_id: str | None) -> Entry | None:
    """Return the entry with this id, or the current one; None if missing. Raises InvalidArgument for an invalid id."""
    if version_id is None:
        return current(bucket, key)
    check_version_id(version_id)
    return next((entry for entry in history(bucket, key) if entry.version_id == version_id), None)


def check_version_id(version_id: str) -> None:
    """Raise InvalidArgument if S3 never made this version id."""
    if not version_ids.is_one(version_id):
        raise S3Error(
            400,
            "InvalidArgument",
            "Invalid version id specified" if version_id else "Version id cannot be the empty string",
            ArgumentName="versionId",
            ArgumentValue=version_id,
        )


def get_version(bucket: FakeBucket, key: str, version_id: str | None, method: str) -> Version:
    """Return an object version. Raises NoSuchKey or NoSuchVersion; for a delete marker's id, MethodNotAllowed."""
    entry = find(bucket, key, version_id)
    if is_version(entry):
        return entry
    if isinstance(entry, Marker):
        raise _not_an_object(entry, version_id, method)
    if version_id is None:
        raise no_such_key(key)
    raise no_such_version(key, version_id)


def get_live_version(bucket: FakeBucket, key: str, version_id: str | None, method: str) -> Version:
    """Return a version as `get_version` does, but raise MethodNotAllowed where a delete marker is current."""
    entry = find(bucket, key, version_id)
    if isinstance(entry, Marker):
        raise _not_an_object(entry, entry.version_id, method)
    return get_version(bucket, key, version_id, method)


def no_such_version(key: str, version_id: str) -> S3Error:
    """Return S3's error for a version that is gone."""
    return S3Error(404, "NoSuchVersion", "The specified version does not exist.", Key=key, VersionId=version_id)


def no_such_key(key: str, headers: Mapping[str, str] | None = None) -> S3Error:
    """Return S3's error for a key without a current object."""
    return S3Error(404, "NoSuchKey", "The specified key does not exist.", headers, Key=key)


def _not_an_object(marker: Marker, version_id: str | None, method: str) -> S3Error:
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id}
    if version_id is None:
        return no_such_key(marker.name, headers)
    headers |= {"Allow": "DELETE", "Last-Modified": http_date(marker.last_modified)}
    message = "The specified method is not allowed against this resource."
    return S3Error(405, "MethodNotAllowed", message, headers, Method=method, ResourceType="DeleteMarker")


def on_push(listener: Listener) -> Listener:
    """Declare a function that is called with the bucket and each entry pushed, under the bucket's lock."""
    _listeners.append(listener)
    return listener


def push(bucket: FakeBucket, entry: Entry) -> None:
    """Add an entry that a caller wrote to its key's history, and tell those that wait for new entries."""
    insert(bucket, entry)
    for listener in _listeners:
        listener(bucket, entry)


def insert(bucket: FakeBucket, entry: Entry) -> None:
    """Add an entry to its key's history, by when it was begun; a null version replaces an earlier one."""
    entries = bucket.keys.getlist(entry.name) or []
    kept = [each for each in entries if entry.version_id != NULL or each.version_id != NULL]
    older = sum(each.place < entry.place for each in kept)
    _store(bucket, entry.name, [*kept[:older], entry, *kept[older:]])


def remove(bucket: FakeBucket, entry: Entry) -> None:
    """Remove an entry from its key's history. Listings may still go on after it."""
    _removed(bucket)[entry.name, entry.version_id] = entry.place
    _store(bucket, entry.name, [each for each in history(bucket, entry.name) if each is not entry])


def place_of(bucket: FakeBucket, key: str, version_id: str) -> int | None:
    """Return the place of an entry in its key's history, also of one that was removed; None if it never was there."""
    listed = next((entry.place for entry in history(bucket, key) if entry.version_id == version_id), None)
    return _removed(bucket).get((key, version_id)) if listed is None else listed


def _removed(bucket: FakeBucket) -> dict[tuple[str, str], int]:
    return bucket.__dict__.setdefault("removed", {})  # type: ignore[no-any-return]


def _store(bucket: FakeBucket, key: str, entries: list[Any]) -> None:
    # A new list each time, so that a concurrent reader of the old one sees a consistent history.
    if entries:
        dict.__setitem__(bucket.keys, key, entries)
    else:
        dict.pop(bucket.keys, key, None)


def version_id_header(bucket: FakeBucket, entry: Entry) -> dict[str, str]:
    """Return the version id header of a read; none in a bucket that was never versioned."""
    return {} if bucket.versioning_status is None else {"x-amz-version-id": entry.version_id}


def written_version_id_header(entry: Entry) -> dict[str, str]:
    """Return the version id header of a write; none for a null version."""
    return {} if entry.version_id == NULL else {"x-amz-version-id": entry.version_id}
