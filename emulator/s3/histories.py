"""The history of a key: what a write adds to it and a deletion takes away, under each state of versioning.

A bucket that was never versioned, and one whose versioning is suspended, write entries with the id "null", of which a
key has at most one. A change of a bucket and the look that it depends on happen together, under the bucket's lock.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from moto.s3.models import FakeBucket, s3_backends

from emulator.calls.answers import S3Error, http_date
from emulator.s3.versions import NULL, Entry, Marker, Version, is_version, new_version_id

_VERSION_ID = re.compile(r"[A-Za-z0-9._]{32}")


def find_bucket(name: str | None) -> FakeBucket | None:
    """Return a bucket by its name, whoever owns it."""
    partition, account = s3_backends.bucket_accounts.get(name or "", ("", ""))
    return s3_backends[account][partition].buckets.get(name or "") if account else None


def get_bucket(name: str | None) -> FakeBucket:
    """Return a bucket by its name. Raises NoSuchBucket."""
    bucket = find_bucket(name)
    if bucket is None:
        raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist", BucketName=name)
    return bucket


def lock(bucket: FakeBucket) -> threading.RLock:
    """Return the lock under which this bucket is read and then changed."""
    return bucket.__dict__.setdefault("lock", threading.RLock())  # type: ignore[no-any-return]


def history(bucket: FakeBucket, key: str) -> Sequence[Entry]:
    """Return the entries of a key, oldest first."""
    return list(bucket.keys.getlist(key) or ())


def current(bucket: FakeBucket, key: str) -> Entry | None:
    """Return the newest entry of a key."""
    entries = bucket.keys.getlist(key)
    return entries[-1] if entries else None


def find(bucket: FakeBucket, key: str, version_id: str | None) -> Entry | None:
    """Return the entry with this id, or the newest one. Raises InvalidArgument when this cannot be an id."""
    if version_id is None:
        return current(bucket, key)
    check_version_id(version_id)
    return next((entry for entry in history(bucket, key) if entry.version_id == version_id), None)


def check_version_id(version_id: str) -> None:
    """Raise InvalidArgument when this cannot be a version id."""
    if version_id != NULL and not _VERSION_ID.fullmatch(version_id):
        raise S3Error(
            400,
            "InvalidArgument",
            "Invalid version id specified" if version_id else "Version id cannot be the empty string",
            ArgumentName="versionId",
            ArgumentValue=version_id,
        )


def get_version(bucket: FakeBucket, key: str, version_id: str | None, method: str) -> Version:
    """Return an object version. Raises NoSuchKey, NoSuchVersion, or what S3 says about a delete marker."""
    entry = find(bucket, key, version_id)
    if is_version(entry):
        return entry
    if isinstance(entry, Marker):
        raise _not_an_object(entry, version_id, method)
    if version_id is None:
        raise no_such_key(key)
    raise S3Error(404, "NoSuchVersion", "The specified version does not exist.", Key=key, VersionId=version_id)


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


def version_id_for_write(bucket: FakeBucket) -> str:
    """Return the id that the next entry gets."""
    return new_version_id() if bucket.versioning_status == "Enabled" else NULL


def push(bucket: FakeBucket, entry: Entry) -> None:
    """Add the entry to its key, the newest one unless it was begun before others; "null" replaces what had that id."""
    entries = bucket.keys.getlist(entry.name) or []
    kept = [each for each in entries if entry.version_id != NULL or each.version_id != NULL]
    older = sum(each.place < entry.place for each in kept)
    _store(bucket, entry.name, [*kept[:older], entry, *kept[older:]])


def remove(bucket: FakeBucket, entry: Entry) -> None:
    """Take the entry out of its key's history."""
    _store(bucket, entry.name, [each for each in history(bucket, entry.name) if each is not entry])


def _store(bucket: FakeBucket, key: str, entries: list[Any]) -> None:
    # A new list each time: whoever reads the old one at this moment sees a history that was true.
    if entries:
        dict.__setitem__(bucket.keys, key, entries)
    else:
        dict.pop(bucket.keys, key, None)


def version_id_header(bucket: FakeBucket, entry: Entry) -> dict[str, str]:
    """Return the header that tells a reader the version: none in a bucket that was never versioned."""
    return {} if bucket.versioning_status is None else {"x-amz-version-id": entry.version_id}


def written_version_id_header(entry: Entry) -> dict[str, str]:
    """Return the header that tells a writer the version: S3 does not answer "null" to a PUT."""
    return {} if entry.version_id == NULL else {"x-amz-version-id": entry.version_id}
