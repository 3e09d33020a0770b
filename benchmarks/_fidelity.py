"""What a copy of a bucket has kept, found by comparing both sides field by field: for `peers`, which compares tools.

`write` makes keys for each thing that may be lost. `histories` reads a bucket, and `compare` compares two of them.
Versions are the same if their bytes are, so the bytes of each version are unlike those of all others.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

FOLDER = "field-by-field/"
PART = 5 * 1024**2
LOCKS = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus")
MARKS = ("replication-",)
"""How the metadata and tags begin that replicators add."""
HEADERS = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ExpiresString")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a key's history. digest: of its bytes; empty for a delete marker. fields: what is compared."""

    digest: str
    fields: Mapping[str, Any] = field(default_factory=dict)


FIELDS: Mapping[str, str] = {
    "headers and user metadata": "headers",
    "tags": "tags",
    "ACL": "acl",
    "retention and legal hold": "lock",
    "storage class": "class",
    "website redirect": "redirect",
    "ETag of an object in parts": "parts",
}
"""What is compared of a version, and the kind of key that has it."""

Histories = Mapping[str, Sequence[Entry]]
"""Keys, and the entries of each, oldest first."""


def write(s3: Any, bucket: str, each: int) -> None:
    """Write so many keys of each kind into a bucket with versions, Object Lock and ACLs."""
    for number in range(each):
        for kind, make in KINDS.items():
            make(s3, bucket, f"{FOLDER}{kind}/{number}")


def _put(s3: Any, bucket: str, key: str, text: str = "", **more: Any) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=f"{key} {text}".encode(), **more)


def _headers(s3: Any, bucket: str, key: str) -> None:
    more: dict[str, Any] = dict.fromkeys(HEADERS[1:5], "max-age=60")
    more |= {"ContentType": "text/csv", "Expires": datetime(2030, 1, 1, tzinfo=UTC), "Metadata": {"team": "blue"}}
    _put(s3, bucket, key, **more)


def _locked(s3: Any, bucket: str, key: str) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    _put(s3, bucket, key, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="ON")


def _history(s3: Any, bucket: str, key: str) -> None:
    for text in ("first", "second", "third"):
        _put(s3, bucket, key, text)


def _deleted(s3: Any, bucket: str, key: str) -> None:
    _put(s3, bucket, key)
    s3.delete_object(Bucket=bucket, Key=key)


def _written_again(s3: Any, bucket: str, key: str) -> None:
    _deleted(s3, bucket, key)
    _put(s3, bucket, key, "again")


def _in_parts(s3: Any, bucket: str, key: str) -> None:
    upload = {"Bucket": bucket, "Key": key}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    bodies = (key.encode().ljust(PART, b"."), b"the rest")
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


KINDS: Mapping[str, Callable[[Any, str, str], None]] = {
    "headers": _headers,
    "tags": lambda s3, bucket, key: _put(s3, bucket, key, Tagging="team=blue&stage=test"),
    "acl": lambda s3, bucket, key: _put(s3, bucket, key, ACL="authenticated-read"),
    "lock": _locked,
    "class": lambda s3, bucket, key: _put(s3, bucket, key, StorageClass="STANDARD_IA"),
    "redirect": lambda s3, bucket, key: _put(s3, bucket, key, WebsiteRedirectLocation="/elsewhere"),
    "parts": _in_parts,
    "history": _history,
    "deleted": _deleted,
    "written-again": _written_again,
}


def histories(s3: Any, bucket: str) -> Histories:
    """Read what a bucket has below the folder of these keys.

    Pages of one entry: boto3 separates the markers of a page from its versions, and loses their order.
    """
    found: dict[str, list[Entry]] = {}
    paging = {"PageSize": 1}
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=FOLDER, PaginationConfig=paging
    ):
        for row in page.get("Versions", ()):
            found.setdefault(row["Key"], []).append(_entry(s3, bucket, row))
        for row in page.get("DeleteMarkers", ()):
            found.setdefault(row["Key"], []).append(Entry(""))
    return {key: entries[::-1] for key, entries in found.items()}


def _entry(s3: Any, bucket: str, row: Mapping[str, Any]) -> Entry:
    """Read one version: its bytes, and everything that is compared."""
    version = {"Bucket": bucket, "Key": row["Key"], "VersionId": row["VersionId"]}
    answer = s3.get_object(**version)
    tags = s3.get_object_tagging(**version)["TagSet"]
    grants = s3.get_object_acl(**version)["Grants"]
    return Entry(
        sha256(answer["Body"].read()).hexdigest(),
        {
            "headers and user metadata": {
                **{name: answer.get(name) for name in HEADERS},
                **{key: value for key, value in answer["Metadata"].items() if not key.startswith(MARKS)},
            },
            "tags": {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith(MARKS)},
            "ACL": sorted(f"{grant['Grantee'].get('URI', 'owner')} {grant['Permission']}" for grant in grants),
            "retention and legal hold": [answer.get(name) for name in LOCKS],
            "storage class": answer.get("StorageClass", "STANDARD"),
            "website redirect": answer.get("WebsiteRedirectLocation"),
            "ETag of an object in parts": answer["ETag"],
        },
    )


@dataclass(slots=True)
class Kept:
    """How many of the things that the source has are the same at the destination."""

    had: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)

    def count(self, name: str, *, is_kept: bool) -> None:
        """Count one thing of the source."""
        self.had[name] += 1
        self.kept[name] += is_kept

    def words(self, name: str) -> str:
        """Return `all`, `none`, or how many of how many."""
        had, kept = self.had[name], self.kept[name]
        return "all" if kept == had else f"{kept} of {had}" if kept else "none"


def compare(source: Histories, destination: Histories) -> Kept:
    """Compare two buckets. A field is counted where the source has one that a plain object does not have."""
    result = Kept()
    for key, entries in source.items():
        there = destination.get(key, ())
        _compare_histories(result, entries, there)
        copies = {entry.digest: entry for entry in there if entry.digest}
        for entry in entries:
            if entry.digest:
                _compare_fields(result, key, entry, copies.get(entry.digest))
    return result


def _compare_histories(result: Kept, entries: Sequence[Entry], there: Sequence[Entry]) -> None:
    here, copied = [entry.digest for entry in entries], [entry.digest for entry in there]
    result.count("current version or marker", is_kept=copied[-1:] == here[-1:] or _shows_nothing(here, copied))
    for digest in here[:-1]:
        if digest:
            result.count("older versions", is_kept=digest in copied)
    for number in range(here.count("")):
        result.count("delete markers", is_kept=copied.count("") > number)
    if len(here) > 1:
        result.count("whole history in order", is_kept=copied == here)


def _shows_nothing(here: Sequence[str], copied: Sequence[str]) -> bool:
    """Return whether readers find nothing on either side: a marker here, and no object there."""
    return here[-1] == "" and not copied


def _compare_fields(result: Kept, key: str, entry: Entry, copy: Entry | None) -> None:
    for name, value in entry.fields.items():
        if FIELDS[name] == key.removeprefix(FOLDER).partition("/")[0]:
            result.count(name, is_kept=copy is not None and copy.fields[name] == value)


def losses(result: Kept) -> Iterator[str]:
    """Yield what is not kept whole."""
    return (name for name in result.had if result.kept[name] < result.had[name])
