"""Compares two buckets as an auditor would: every version, field by field, by what the S3 API shows of both.

It shares nothing with the product: of the mark it knows only the text.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.running import Running

MARK = "replication-origin"
SAME_IN_HEAD = (
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "ExpiresString",
    "WebsiteRedirectLocation", "ContentLength", "ServerSideEncryption", "ObjectLockMode",
    "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus", "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays", "ObjectLockEventHoldDurationYears",
)  # fmt: skip
CHECKSUMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


@dataclass(frozen=True)
class Side:
    """One bucket, with a client of its Region."""

    s3: Any
    bucket: str

    @classmethod
    def of(cls, emulator: Running, bucket: str) -> "Side":
        region = next(each.region for each in emulator.world.buckets if each.name == bucket)
        return cls(emulator.client("s3", region), bucket)

    def entries(self) -> dict[str, list[dict[str, Any]]]:
        """Return all versions and delete markers by key, newest first, as they are listed."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            for entry in page.get("Versions", []):
                found[entry["Key"]].append(entry | {"Marker": False})
            for entry in page.get("DeleteMarkers", []):
                found[entry["Key"]].append(entry | {"Marker": True})
        return found

    def versions(self, key: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries()[key] if not entry["Marker"]]

    def head(self, key: str, version_id: str) -> dict[str, Any]:
        named = {"Bucket": self.bucket, "Key": key, "VersionId": version_id}
        return dict(self.s3.head_object(**named, ChecksumMode="ENABLED"))

    def tags(self, key: str, version_id: str) -> dict[str, str]:
        answer = self.s3.get_object_tagging(Bucket=self.bucket, Key=key, VersionId=version_id)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def body(self, key: str, version_id: str) -> bytes:
        answer = self.s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)
        return bytes(answer["Body"].read())

    def grants(self, key: str, version_id: str) -> list[Any]:
        answer = self.s3.get_object_acl(Bucket=self.bucket, Key=key, VersionId=version_id)
        return sorted(
            (grant["Permission"], grant["Grantee"].get("URI") or grant["Grantee"].get("ID"))
            for grant in answer["Grants"]
        )

    def origin(self, key: str, version_id: str) -> str:
        """Return the version id that a replica says it stands for; empty for a native version."""
        carriers = (self.head(key, version_id)["Metadata"], self.tags(key, version_id))
        mark = next((carrier[MARK] for carrier in carriers if MARK in carrier), "")
        return mark.split("/")[1].partition("@")[0] if mark else ""


@dataclass(frozen=True)
class Comparison:
    """One-way replication without delete markers, from one bucket to another.

    `acls`: they are enabled on both sides. `overtaken`: a version may have been put back on top of one that came late,
    and then stands there more than once, since S3 adds to a history only at its top.
    """

    source: Side
    destination: Side
    acls: bool = False
    overtaken: bool = False

    def differences(self, keys: set[str] | None = None) -> list[str]:
        """List every difference, at these keys or at all."""
        here, there = self.source.entries(), self.destination.entries()
        wanted = here.keys() if keys is None else keys
        surplus = [f"{key}: at the destination only" for key in there.keys() - here.keys() if keys is None]
        return surplus + [line for key in sorted(wanted) for line in self._of_key(key, here[key], there[key])]

    def _of_key(self, key: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> Iterator[str]:
        versions = [entry["VersionId"] for entry in ours if not entry["Marker"]]
        by_origin: dict[str, list[str]] = defaultdict(list)
        for entry in theirs:
            if not entry["Marker"]:
                by_origin[self.destination.origin(key, entry["VersionId"])].append(entry["VersionId"])
        for version in versions:
            replicas = by_origin.pop(version, [])
            if len(replicas) != 1 and not (replicas and self.overtaken):
                yield f"{key}: {len(replicas)} replicas of {version}"
            for replica in replicas:
                yield from _of_version(key, self.source, version, self.destination, replica, self.acls)
        for origin, strangers in by_origin.items():
            yield f"{key}: {strangers} stand for {origin or 'nothing'}"
        current = next((entry["VersionId"] for entry in theirs if entry["IsLatest"]), "")
        if versions and current and self.destination.origin(key, current) != versions[0]:
            yield f"{key}: the newest version is not current at the destination"


def _of_version(  # noqa: PLR0917
    key: str, source: Side, version: str, destination: Side, replica: str, acls: bool
) -> Iterator[str]:
    ours, theirs = source.head(key, version), destination.head(key, replica)
    for field in SAME_IN_HEAD:
        if ours.get(field) != theirs.get(field):
            yield f"{key}: {field} is {theirs.get(field)!r}, not {ours.get(field)!r}"
    if ours.get("StorageClass", "STANDARD") != theirs.get("StorageClass", "STANDARD"):
        yield f"{key}: StorageClass is {theirs.get('StorageClass')}, not {ours.get('StorageClass')}"
    if ours["Metadata"] != {name: value for name, value in theirs["Metadata"].items() if name != MARK}:
        yield f"{key}: Metadata is {theirs['Metadata']}, not {ours['Metadata']}"
    comparable = "-" not in ours["ETag"] and {ours["ServerSideEncryption"], theirs["ServerSideEncryption"]} == {
        "AES256"
    }
    if comparable and ours["ETag"] != theirs["ETag"]:
        yield f"{key}: ETag is {theirs['ETag']}, not {ours['ETag']}"
    yield from _checksums(key, ours, theirs)
    if source.body(key, version) != destination.body(key, replica):
        yield f"{key}: the bytes differ"
    tags, copied = source.tags(key, version), destination.tags(key, replica)
    added = copied.items() - tags.items()
    if not tags.items() <= copied.items() or {name for name, _ in added} - {MARK, "replication-status"}:
        yield f"{key}: tags are {copied}, not {tags}"
    if copied.get("replication-status") != "REPLICA" and len(tags) < 9:
        yield f"{key}: no tag says REPLICA: {copied}"
    if acls and source.grants(key, version) != destination.grants(key, replica):
        yield f"{key}: ACL is {destination.grants(key, replica)}, not {source.grants(key, version)}"


def _checksums(key: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    for algorithm in CHECKSUMS:
        name = f"Checksum{algorithm}"
        if name not in ours:
            continue
        if name not in theirs:
            yield f"{key}: has no {name}"
        elif ours.get("ChecksumType") != "COMPOSITE" and ours[name] != theirs[name]:
            yield f"{key}: {name} is {theirs[name]}, not {ours[name]}"
