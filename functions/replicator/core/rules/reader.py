"""Reads one rule of a `ReplicationConfiguration` into a `Rule` and checks every restriction on a single rule.

Restrictions are S3's own (PutBucketReplication); where this product deliberately accepts more than S3 does, a comment
says so. Restrictions between rules are in conflicts.py.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from replicator.core.rules.destination_reader import check_encryption, read_destination, read_threshold
from replicator.core.rules.dimension import LONGEST, as_dimension
from replicator.core.rules.document_node import STATUSES, Node
from replicator.core.rules.rule import Destination, Problem, Rule

LONGEST_ID = 255
LONGEST_PREFIX = 1024
LONGEST_TAG_KEY = 128
LONGEST_TAG_VALUE = 256
TAGS_PER_OBJECT = 10
OPTIONS = ("ReplicaTag", "PreserveETag", "AnnotationDeletions")


@dataclass(frozen=True, slots=True)
class Reading:
    """One rule as it was read: its name in messages, the rule, problems and warnings."""

    name: str
    rule: Rule
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def label(members: Mapping[str, object], position: int) -> str:
    """Name a rule for messages: its id, or its position counted from 1."""
    given = members.get("ID")
    usable = isinstance(given, str) and 0 < len(given) <= LONGEST_ID and given.isprintable()
    return str(given) if usable else f"rule {position}"


def generated_id(members: Mapping[str, object]) -> str:
    """Return an id for a rule that has none: the same id for the same rule, wherever it is in the document."""
    text = json.dumps({name: value for name, value in members.items() if name != "ID"}, sort_keys=True, default=str)
    return f"rule-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def read_rule(bucket: str, name: str, members: Mapping[str, object]) -> Reading:
    """Read one rule of a source `bucket`. The rule is only valid if there are no problems."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    node = Node(members, name, problems)
    version = 1 if "Prefix" in node and "Filter" not in node else 2
    prefix, tags = _selection(node)
    destination_node = node.node("Destination")
    if "Destination" not in node:
        node.refuse("Destination", "is missing; it must name the destination bucket")
    options = node.node("ReplicatorOptions")
    criteria = _criteria(node)
    rule = Rule(
        id=_id(node) or generated_id(members),
        enabled=node.enabled(),
        priority=_priority(node, version),
        prefix=prefix,
        tags=tags,
        destination=read_destination(bucket, destination_node) if destination_node else Destination(""),
        kms_selected=(criteria.status_of("SseKmsEncryptedObjects") or False) if criteria else False,
        delete_markers=_delete_markers(node, version, tagged=bool(tags)),
        replica_modifications=_replica_modifications(criteria, version),
        existing_objects=_existing_objects(node, warnings),
        threshold_minutes=read_threshold(destination_node, version, warnings) if destination_node else None,
        replica_tag=_option(options, "ReplicaTag", default=True),
        preserve_etag=_option(options, "PreserveETag", default=False),
        annotation_deletions=_option(options, "AnnotationDeletions", default=False),
        version=version,
    )
    check_encryption(criteria, destination_node, kms_selected=rule.kms_selected)
    _check_options(options)
    return Reading(name, rule, problems, warnings)


def _id(node: Node) -> str | None:
    """Read the id. It is used in metrics and message attributes, which accept only printable characters."""
    given = node.text("ID", longest=LONGEST_ID)
    if given and not given.isprintable():
        node.refuse("ID", f"{given!r} has characters that cannot be printed")
    elif given and len(as_dimension(given)) > LONGEST:
        node.refuse(
            "ID", f"is too long for metrics: escaped, it may have {LONGEST} characters; use fewer outside ASCII"
        )
    return given


def _selection(node: Node) -> tuple[str, frozenset[tuple[str, str]]]:
    if "Filter" not in node:
        if "Prefix" not in node:
            node.refuse("Filter", 'is missing; `"Filter": {}` selects the whole bucket')
        return node.text("Prefix", longest=LONGEST_PREFIX) or "", frozenset()
    if "Prefix" in node:
        node.refuse("Prefix", "cannot be used beside Filter; write the prefix into Filter")
    chosen = node.node("Filter")
    if chosen is None:
        return "", frozenset()
    given = [name for name in ("Prefix", "Tag", "And") if name in chosen]
    if len(given) > 1:
        node.refuse("Filter", f"has {', '.join(given)}; only one of them is allowed, put all conditions into And")
    prefix = chosen.text("Prefix", longest=LONGEST_PREFIX) or ""
    tag = chosen.node("Tag")
    tags = (_tag(tag),) if tag else ()
    conjunction = chosen.node("And")
    return _conjunction(conjunction) if conjunction else (prefix, frozenset(tags))


def _conjunction(node: Node) -> tuple[str, frozenset[tuple[str, str]]]:
    tags = [_tag(tag) for tag in node.nodes("Tags")]
    given = node.members.get("Tags")
    if ("Prefix" in node) + (len(given) if isinstance(given, list) else 0) < 2:
        node.problems.append(
            Problem(node.rule, node.path, "needs at least two conditions, a Prefix and Tags, or several Tags")
        )
    if len(tags) > TAGS_PER_OBJECT:
        node.refuse("Tags", f"has {len(tags)} tags; an object has at most {TAGS_PER_OBJECT}, so nothing would match")
    seen: set[str] = set()
    for index, (key, _) in enumerate(tags):
        if key and key in seen:
            node.refuse(f"Tags[{index}].Key", f"{key!r} occurs twice; an object has each tag key only once")
        seen.add(key)
    return node.text("Prefix", longest=LONGEST_PREFIX) or "", frozenset(tags)


def _tag(node: Node) -> tuple[str, str]:
    key = node.text("Key", required=True, longest=LONGEST_TAG_KEY)
    if key == "":
        node.refuse("Key", "must not be empty")
    return key or "", node.text("Value", required=True, longest=LONGEST_TAG_VALUE) or ""


def _priority(node: Node, version: int) -> int:
    if version == 1 and "Priority" in node:
        node.refuse("Priority", "needs a rule with Filter; rules with Prefix have no priority")
        return 0
    return node.number("Priority", required=version == 2) or 0


def _delete_markers(node: Node, version: int, *, tagged: bool) -> bool:
    status = node.status_of("DeleteMarkerReplication", required=False)
    if version == 1:
        if "DeleteMarkerReplication" in node:
            node.refuse(
                "DeleteMarkerReplication", "needs a rule with Filter; rules with Prefix always replicate delete markers"
            )
        return True  # as in S3, where the older schema has no switch for it
    if "DeleteMarkerReplication" not in node:
        node.refuse("DeleteMarkerReplication", 'is missing; a rule with Filter must say {"Status": "Enabled|Disabled"}')
    if status and tagged:
        node.refuse("DeleteMarkerReplication.Status", "must be Disabled in a rule with a tag filter")
    return bool(status)


def _criteria(node: Node) -> Node | None:
    criteria = node.node("SourceSelectionCriteria")
    if criteria is not None and not criteria.members:
        node.refuse("SourceSelectionCriteria", "is empty; leave it out, or say what it selects")
    return criteria


def _replica_modifications(criteria: Node | None, version: int) -> bool:
    if criteria is None:
        return False
    if version == 1 and "ReplicaModifications" in criteria:
        criteria.refuse("ReplicaModifications", "needs a rule with Filter")
    return criteria.status_of("ReplicaModifications") or False


def _existing_objects(node: Node, warnings: list[Problem]) -> bool:
    enabled = node.status_of("ExistingObjectReplication") or False
    if enabled:
        warnings.append(
            Problem(node.rule, "ExistingObjectReplication", "objects older than the rule are not replicated by events")
        )
    return enabled


def _option(options: Node | None, name: str, *, default: bool) -> bool:
    if options is None or name not in options:
        return default
    return options.choice(name, STATUSES) == "Enabled"


def _check_options(options: Node | None) -> None:
    if options is None:
        return
    for name in options.members:
        if name not in OPTIONS:
            options.refuse(name, f"is unknown; ReplicatorOptions has {', '.join(OPTIONS[:-1])} and {OPTIONS[-1]}")
