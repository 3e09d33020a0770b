"""One replica beside its source, field by field, as the S3 API returns both, and what no copy can keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.running import Running
from s3replicator.demo.world import EAST, SHOP_EAST, SHOP_WEST, WEST

MARK = "replication-origin"


@dataclass(frozen=True, slots=True)
class Row:
    """One field on both sides. `note`: why it differs, empty if it does not."""

    name: str
    source: str
    replica: str
    note: str = ""


def compare(emulator: Running, key: str) -> list[Row]:
    """Compare the current versions on both sides."""
    ours, theirs = (
        _Object(emulator.client("s3", EAST), SHOP_EAST, key),
        _Object(emulator.client("s3", WEST), SHOP_WEST, key),
    )
    return [
        Row("bytes", ours.body, theirs.body),
        *[Row(name, ours.text(field), theirs.text(field)) for name, field in _HEADERS.items()],
        *[Row(f"metadata {name}", value, theirs.metadata.get(name, "")) for name, value in ours.metadata.items()],
        *[Row(f"tag {name}", value, theirs.tags.get(name, "")) for name, value in ours.tags.items()],
        Row("ACL", ours.acl, theirs.acl),
        Row("version id", ours.text("VersionId"), theirs.text("VersionId"), "S3 assigns it"),
        Row("last modified", ours.text("LastModified"), theirs.text("LastModified"), "when it was copied"),
        Row(MARK, "", theirs.metadata.get(MARK, ""), "metadata: the version it is a copy of"),
        Row(
            "replication-status",
            "",
            theirs.tags.get("replication-status", ""),
            "a tag for people, lifecycle rules, IAM",
        ),
    ]


_HEADERS = {
    "ETag": "ETag",
    "SHA-256": "ChecksumSHA256",
    "Content-Type": "ContentType",
    "Cache-Control": "CacheControl",
    "Content-Disposition": "ContentDisposition",
    "Expires": "ExpiresString",
    "storage class": "StorageClass",
    "encryption": "ServerSideEncryption",
}


class _Object:
    """Everything that S3 returns about one object."""

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        named = {"Bucket": bucket, "Key": key}
        self._head: Mapping[str, Any] = s3.head_object(**named, ChecksumMode="ENABLED")
        self.metadata: Mapping[str, str] = self._head["Metadata"]
        self.tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(**named)["TagSet"]}
        self.body = repr(s3.get_object(**named)["Body"].read().decode())
        self.acl = ", ".join(_grant(grant) for grant in s3.get_object_acl(**named)["Grants"])

    def text(self, field: str) -> str:
        value = self._head.get(field, "STANDARD" if field == "StorageClass" else "")
        return f"{value:%Y-%m-%d %H:%M:%S}" if field == "LastModified" else str(value)


def _grant(grant: Mapping[str, Any]) -> str:
    grantee = grant["Grantee"]
    who = "everybody" if grantee.get("URI", "").endswith("AllUsers") else "the owner"
    return f"{who}: {grant['Permission']}"
