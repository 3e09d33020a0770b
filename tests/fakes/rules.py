"""The port Rules in memory, and short ways to say a rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Destination, Rule


@dataclass(slots=True)
class MemoryRules:
    """Rule sets by source bucket."""

    sets: dict[str, RuleSet] = field(default_factory=dict)

    def of(self, bucket: str) -> RuleSet:
        return self.sets.get(bucket) or RuleSet(bucket)

    def put(self, bucket: str, *rules: Rule) -> None:
        self.sets[bucket] = RuleSet(bucket, rules)


def rule(
    destination: str,
    *,
    rule_id: str = "rule",
    prefix: str = "",
    tags: Mapping[str, str] | None = None,
    priority: int = 1,
    delete_markers: bool = False,
    replica_tag: bool = True,
    storage_class: str | None = None,
    replica_modifications: bool = False,
    annotation_deletions: bool = False,
) -> Rule:
    """Return an enabled rule that copies to a bucket."""
    return Rule(
        id=rule_id,
        enabled=True,
        priority=priority,
        prefix=prefix,
        tags=frozenset((tags or {}).items()),
        destination=Destination(destination, storage_class=storage_class),
        delete_markers=delete_markers,
        replica_tag=replica_tag,
        replica_modifications=replica_modifications,
        annotation_deletions=annotation_deletions,
    )
