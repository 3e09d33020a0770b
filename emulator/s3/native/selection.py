"""Which rules of S3's own replication select a new version or a delete marker: one rule for each destination.

Every destination gets a replica; of the rules of one destination, the one with the highest priority counts. Rules with
a Filter are version 2 of the format; without, delete markers are always replicated. Not selected are versions that S3
replicated here itself, SSE-KMS objects unless the rule opts in, and objects in archive classes.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.s3.attributes import is_archived
from emulator.s3.versions import Entry, is_version


@dataclass(frozen=True)
class Rule:
    """One rule, as its parsed XML."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its ID."""
        return str(self.document["ID"])

    @property
    def enabled(self) -> bool:
        """Whether its Status is Enabled."""
        return self.document.get("Status") == "Enabled"

    @property
    def is_v2(self) -> bool:
        """Whether it has a Filter, even an empty one."""
        return "Filter" in self.document

    @property
    def priority(self) -> int:
        """Its priority; 0 in version 1 of the format, which has none."""
        return int(self.document.get("Priority") or 0)

    @property
    def destination(self) -> str:
        """The name of its destination bucket."""
        return str(self.target.get("Bucket") or "").rpartition(":")[2]

    @property
    def target(self) -> Mapping[str, Any]:
        """Its Destination element."""
        return _element(self.document, "Destination")

    @property
    def prefix(self) -> str:
        """The prefix of the keys that it selects."""
        found = _element(self.document, "Filter")
        return str(_element(found, "And").get("Prefix") or found.get("Prefix") or self.document.get("Prefix") or "")

    @property
    def tags(self) -> dict[str, str]:
        """The tags that an object must have."""
        found = _element(self.document, "Filter")
        listed = found.get("Tag") or _element(found, "And").get("Tag") or []
        return {str(tag["Key"]): str(tag.get("Value") or "") for tag in listed}

    @property
    def replicates_markers(self) -> bool:
        """Whether it replicates delete markers."""
        return not self.is_v2 or _element(self.document, "DeleteMarkerReplication").get("Status") == "Enabled"

    @property
    def kms_selected(self) -> bool:
        """Whether it selects SSE-KMS objects."""
        criteria = _element(_element(self.document, "SourceSelectionCriteria"), "SseKmsEncryptedObjects")
        return criteria.get("Status") == "Enabled"

    @property
    def kms_key(self) -> str:
        """The key for replicas of SSE-KMS objects."""
        return str(_element(self.target, "EncryptionConfiguration").get("ReplicaKmsKeyID") or "")

    @property
    def sends_events(self) -> bool:
        """Whether S3 sends replication events about it."""
        return _element(self.target, "Metrics").get("Status") == "Enabled"

    def selects(self, entry: Entry) -> bool:
        """Return whether it selects an entry that was just written."""
        if not entry.name.startswith(self.prefix):
            return False
        if not is_version(entry):
            return self.replicates_markers
        if entry.attributes.encryption.kms_key_id and not self.kms_selected:
            return False
        return not is_archived(entry) and self.tags.items() <= entry.attributes.tags.items()


def select(rules: Iterable[Rule], entry: Entry) -> dict[str, Rule]:
    """Return the rule for each destination to which the entry is replicated."""
    chosen: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if rule.selects(entry):
            chosen[rule.destination] = rule
    return chosen


def _element(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = parent.get(name) or {}
    return found
