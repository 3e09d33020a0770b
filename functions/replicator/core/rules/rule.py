"""One replication rule as a value, and a problem with one. Names are those of S3's `ReplicationConfiguration`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One error or warning, with the rule and the field that it is about.

    `rule` is the rule's id, `rule 3` for the third rule if it has no usable id, or empty for the whole document.
    """

    rule: str
    field: str
    message: str

    def __str__(self) -> str:
        """Return the problem as one line."""
        return ": ".join(part for part in (self.rule, self.field, self.message) if part)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a rule's replicas go and what they look like there. None: the rule does not say, so as at the source."""

    bucket: str
    account: str | None = None
    storage_class: str | None = None
    kms_key: str | None = None
    owner_override: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One replication rule.

    tags: the tag filter; empty for none. threshold_minutes: None for the stack's own threshold. kms_selected: objects
    encrypted with a KMS key are replicated too. version: the schema of the rule, 1 (`Prefix`) or 2 (`Filter`).
    """

    id: str
    enabled: bool
    priority: int
    prefix: str
    tags: frozenset[tuple[str, str]]
    destination: Destination
    kms_selected: bool = False
    delete_markers: bool = False
    replica_modifications: bool = False
    existing_objects: bool = False
    threshold_minutes: float | None = None
    replica_tag: bool = True
    preserve_etag: bool = False
    annotation_deletions: bool = False
    version: int = 2

    def matches_tags(self, tags: Mapping[str, str]) -> bool:
        """Return whether an object with these tags passes the rule's tag filter."""
        return all(tags.get(key) == value for key, value in self.tags)
