"""A `ReplicationConfiguration` document -> a `RuleSet`, or RulesRefused with everything that is wrong with it.

The document is S3's own JSON, as `aws s3api get-bucket-replication` prints it, with or without the outer key. Whatever
JSON is passed in, nothing but RulesRefused is raised.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from replicator.core.rules.conflicts import conflicts, never_wins
from replicator.core.rules.document_node import describe
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.reader import Reading, generated_id, label, read_rule
from replicator.core.rules.rule import Problem, Rule

MOST_RULES = 1000
OUTER_KEY = "ReplicationConfiguration"


class RulesRefused(ValueError):
    """The document is not a replication configuration that S3 (or this product) accepts. `problems` lists why."""

    def __init__(self, bucket: str, problems: Sequence[Problem]) -> None:
        self.bucket = bucket
        self.problems = tuple(problems)
        super().__init__(f"rules of {bucket}: " + "; ".join(map(str, self.problems)))


def load(bucket: str, text: bytes | str) -> object:
    """Read JSON text. Raises RulesRefused, with line and column, if it is not JSON or if an object repeats a member."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=_unique_members, parse_constant=_no_constant)
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except UnicodeError:
        message = "is not valid UTF-8 text"
    except RecursionError:
        message = "is nested too deeply"
    except ValueError as error:
        message = str(error)
    else:
        return document
    raise RulesRefused(bucket, [Problem("", "document", message)])


def rule_members(document: object) -> object:
    """Return the value of `Rules`, with or without the outer key; None if there is none."""
    if isinstance(document, Mapping) and OUTER_KEY in document:
        document = document[OUTER_KEY]
    return document.get("Rules") if isinstance(document, Mapping) else None


def default_document(destination: str) -> dict[str, object]:
    """Return the document for the stack's default destination: one rule for the whole bucket."""
    rule = {
        "ID": "default",
        "Priority": 0,
        "Filter": {},
        "Status": "Enabled",
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
    }
    return {"Rules": [rule]}


def with_ids(document: object) -> dict[str, object]:
    """Return a valid document as it is stored: without the outer key, and every rule with an id."""
    outer = document[OUTER_KEY] if isinstance(document, Mapping) and OUTER_KEY in document else document
    members = dict(outer) if isinstance(outer, Mapping) else {}
    rules = members.get("Rules")
    if isinstance(rules, list):
        members["Rules"] = [rule if rule.get("ID") else {"ID": generated_id(rule), **rule} for rule in rules]
    return members


def parse(bucket: str, document: object, shape_problems: Sequence[Problem] = ()) -> RuleSet:
    """Return the rules of a source bucket. Raises RulesRefused with every problem, `shape_problems` included."""
    readings = _read_all(bucket, document, shape_problems)
    # A rule without an id is named by its position here: its author has not seen the generated id yet.
    named = [_named(reading) for reading in readings]
    problems = [problem for reading in readings for problem in reading.problems]
    problems += conflicts(named)
    known = {(problem.rule, problem.field) for problem in problems}
    problems += [problem for problem in shape_problems if (problem.rule, problem.field) not in known]
    if problems:
        order = {reading.name: position for position, reading in enumerate(readings, 1)}
        raise RulesRefused(bucket, sorted(problems, key=lambda problem: order.get(problem.rule, 0)))
    warnings = [warning for reading in readings for warning in reading.warnings]
    return RuleSet(bucket, tuple(reading.rule for reading in readings), (*warnings, *never_wins(named)))


def _named(reading: Reading) -> Rule:
    return reading.rule if reading.rule.id == reading.name else replace(reading.rule, id=reading.name)


def _read_all(bucket: str, document: object, shape_problems: Sequence[Problem]) -> list[Reading]:
    members = rule_members(document)
    fatal = _not_a_list_of_rules(document, members)
    if fatal or not isinstance(members, list):
        raise RulesRefused(bucket, fatal or tuple(shape_problems))
    return [read_rule(bucket, label(rule, index), rule) for index, rule in enumerate(members, 1)]


def _not_a_list_of_rules(document: object, members: object) -> list[Problem]:
    if not isinstance(document, Mapping):
        return [Problem("", "document", f"must be an object with Rules, not {describe(document)}")]
    if not isinstance(members, list):
        return [Problem("", "Rules", f"must be a list of rules, not {describe(members)}" if members else "is missing")]
    if not 1 <= len(members) <= MOST_RULES:
        return [Problem("", "Rules", f"has {len(members):,} rules; 1 to {MOST_RULES:,} are allowed")]
    return [
        Problem(f"rule {index}", "", f"must be an object, not {describe(rule)}")
        for index, rule in enumerate(members, 1)
        if not isinstance(rule, Mapping)
    ]


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"names {name!r} twice in one object")
        members[name] = value
    return members


def _no_constant(name: str) -> object:
    raise ValueError(f"contains {name}, which is not JSON")
