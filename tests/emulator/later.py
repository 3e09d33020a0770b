"""What tests of later changes share: a bucket whose versions users change, and the replicas of a version in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.running import Running
from tests.emulator.likeness import MARK, Side

OURS = {"replication-status", MARK}
STRANGER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
"""A canonical user id that owns no bucket of a world."""
BOTH_WAYS = {"SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}}}
MARKERS = {"DeleteMarkerReplication": {"Status": "Enabled"}}


def tag_set(tags: dict[str, str]) -> dict[str, Any]:
    return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}


@dataclass(frozen=True)
class Place(Side):
    """One bucket as its users have it: what they write to it, what they change later, and what they see."""

    emulator: Running

    @classmethod
    def at(cls, emulator: Running, bucket: str) -> Place:
        return cls(Side.of(emulator, bucket).s3, bucket, emulator)

    def put(self, key: str, body: bytes = b"1", **fields: Any) -> str:
        """Write a version, and wait until it is replicated."""
        version = str(self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **fields)["VersionId"])
        assert self.emulator.idle()
        return version

    def change(self, operation: str, key: str, version: str, **fields: Any) -> None:
        """Change a version, and wait until that is replicated."""
        getattr(self.s3, operation)(Bucket=self.bucket, Key=key, VersionId=version, **fields)
        assert self.emulator.idle()

    def tag(self, key: str, version: str, **tags: str) -> None:
        self.change("put_object_tagging", key, version, Tagging=tag_set(tags))

    def grant(self, key: str, version: str) -> None:
        """Let a stranger read a version, beside its owner."""
        owner = self.s3.get_object_acl(Bucket=self.bucket, Key=key, VersionId=version)["Owner"]["ID"]
        self.change("put_object_acl", key, version, GrantRead=f"id={STRANGER}", GrantFullControl=f"id={owner}")

    def retain(self, key: str, version: str, year: int) -> None:
        until = {"Mode": "GOVERNANCE", "RetainUntilDate": f"{year}-01-01T00:00:00Z"}
        self.change("put_object_retention", key, version, Retention=until, BypassGovernanceRetention=True)

    def hold(self, key: str, version: str, status: str = "ON") -> None:
        self.change("put_object_legal_hold", key, version, LegalHold={"Status": status})

    def await_event(self, key: str, version: str, status: str = "ON", days: int = 0) -> None:
        """Set an event hold of so many days on a version, or release it."""
        duration = {"EventHoldDuration": {"Days": days}} if days else {}
        retention = {"Mode": "GOVERNANCE", "EventHold": status, **duration}
        self.change("put_object_retention", key, version, Retention=retention)

    def annotate(self, key: str, version: str, name: str, text: str) -> None:
        self.change("put_object_annotation", key, version, AnnotationName=name, AnnotationPayload=text.encode())

    def delete(self, key: str, version: str = "") -> str:
        """Delete an object, or one version of it for good. Return the id of the delete marker."""
        named = {"VersionId": version} if version else {}
        answer = self.s3.delete_object(Bucket=self.bucket, Key=key, **named)
        assert self.emulator.idle()
        return str(answer["VersionId"])

    def users_tags(self, key: str, version: str) -> dict[str, str]:
        return {name: value for name, value in self.tags(key, version).items() if name not in OURS}

    def readers(self, key: str, version: str) -> list[str]:
        return [who for permission, who in self.grants(key, version) if permission == "READ"]

    def retained(self, key: str, version: str) -> int:
        """Return the year until which a version is retained; 0 if it is not."""
        until = self.head(key, version).get("ObjectLockRetainUntilDate")
        return until.year if until else 0

    def is_held(self, key: str, version: str) -> bool:
        return self.head(key, version).get("ObjectLockLegalHoldStatus") == "ON"

    def event_hold(self, key: str, version: str) -> tuple[str, int]:
        """Return the event hold of a version and its days; empty and 0 if it has none."""
        head = self.head(key, version)
        is_on = head.get("ObjectLockEventHold") == "ON"
        return ("ON", head["ObjectLockEventHoldDurationDays"]) if is_on else ("", 0)

    def days_retained(self, key: str, version: str) -> int:
        """Return for how many days from now a version is retained; 0 if it is not."""
        until = self.head(key, version).get("ObjectLockRetainUntilDate")
        return round((until - datetime.now(UTC)) / timedelta(days=1)) if until else 0

    def annotations(self, key: str, version: str) -> dict[str, str]:
        named = {"Bucket": self.bucket, "Key": key, "VersionId": version}
        names = [each["AnnotationName"] for each in self.s3.list_object_annotations(**named).get("Annotations", [])]
        return {
            name: self.s3.get_object_annotation(**named, AnnotationName=name)["AnnotationPayload"].read().decode()
            for name in names
        }

    def replicas(self, key: str, version: str) -> list[str]:
        """Return the replicas of a version here, newest first."""
        return [each["VersionId"] for each in self.versions(key) if self.origin(key, each["VersionId"]) == version]

    def replica(self, key: str, version: str) -> str:
        """Return the only replica of a version here."""
        [replica] = self.replicas(key, version)
        return replica

    def shows(self, key: str) -> str:
        """Return the id of the version that is current; empty if a delete marker or nothing is."""
        current = (each for each in self.entries()[key] if each["IsLatest"] and not each["Marker"])
        return next((str(each["VersionId"]) for each in current), "")


def pair(emulator: Running, name: str) -> tuple[Place, Place]:
    """Return the two buckets of a pair that has this name."""
    return Place.at(emulator, f"{name}-east"), Place.at(emulator, f"{name}-west")


def asked(emulator: Running, key: str = "") -> Counter[str]:
    """Count what the functions asked S3 for a key, and DynamoDB at all, since the log was emptied."""
    rows = [row for row in emulator.get("requests") if row["principal"] != "user"]
    s3 = (row["operation"] for row in rows if row["service"] == "s3" and row["key"] == key)
    return Counter([*s3, *(row["operation"] for row in rows if row["service"] == "dynamodb")])
