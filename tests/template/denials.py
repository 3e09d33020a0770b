"""One permission of one role taken away for one key, for many keys at once: what the functions do then.

Separate from the scenarios, because the policies are written from what a first run was checked for. Each case has a key
of its own, for which the role is denied the action, so that all cases are played side by side. In every other respect a
Deny for one key is a role without the action.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from emulator.running import Running
from tests.emulator.failures import take_failures
from tests.template.every_kind import STACK
from tests.template.scenarios import EVENTS, RESTORED, TASKS, delete, run_tasks

LEFT_OUT = frozenset(
    f"s3:{name}" for name in ("GetObjectTagging", "GetObjectVersionTagging", "GetObjectRetention", "GetObjectLegalHold")
)
OPERATE = Path(__file__).parents[2] / "docs" / "operate.md"
_numbers = count(1)
_CONTEXT = "kms:EncryptionContext:aws:s3:arn"


def promised() -> dict[tuple[str, str], str]:
    """Return what the page promises, by action and place."""
    table = OPERATE.read_text().partition("## What a missing permission looks like")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    return {(action, place): text for action, place, text in rows}


@dataclass(frozen=True, order=True)
class Permission:
    """An action of a role, on one side: `east`, `west`, or another resource."""

    role: str
    action: str
    side: str


@dataclass(frozen=True)
class Case:
    """A permission that is missing for a key, and the scenario that needs it."""

    permission: Permission
    scenario: str
    key: str

    def statement(self) -> dict[str, Any]:
        """Return the statement that takes the permission away for the key."""
        side, action = self.permission.side, self.permission.action
        denied: dict[str, Any] = {"Effect": "Deny", "Action": action}
        if action.startswith("kms:"):
            bucket = "east" if side.endswith("key/source") else "west"
            arn = f"arn:aws:s3:::{bucket}/{self.key}"
            return denied | {"Resource": side, "Condition": {"StringEquals": {_CONTEXT: arn}}}
        if action.startswith("s3:ListBucket"):
            condition = {"StringEquals": {"s3:prefix": self.key}}
            return denied | {"Resource": f"arn:aws:s3:::{side}", "Condition": condition}
        return denied | {"Resource": f"arn:aws:s3:::{side}/{self.key}"}


def by_key(rows: Iterable[Mapping[str, Any]], roles: Mapping[str, str]) -> dict[Permission, list[str]]:
    """Return the keys for which each permission was checked, in their order; none for what names no key.

    A HEAD that only leaves something out does not count.
    """
    found: dict[Permission, list[str]] = {}
    for row in rows:
        if row["operation"] in ("HeadObject", "GetObject") and row["action"] in LEFT_OUT:
            continue
        if row["operation"] in ("PutObjectAnnotation", "GetObjectAnnotation") and row["action"].startswith("kms:"):
            continue  # which leaves annotations out, but fails nothing
        resource = row["resource"]
        if row["operation"] == "GetObjectAnnotation" and resource.startswith("arn:aws:s3:::west/"):
            continue  # a probe, of the first version that a container meets
        bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
        if not resource.startswith("arn:aws:s3:::"):
            bucket, key = resource, str(row["conditions"].get(_CONTEXT, "")).rpartition("/")[2]
        key = key or str(row["conditions"].get("s3:prefix", ""))
        keys = found.setdefault(Permission(roles[row["role"]], row["action"], bucket), [])
        if key and key not in keys:
            keys.append(key)
    return found


def take_away(aws: Running, cases: Sequence[Case], names: Mapping[str, str]) -> None:
    """Attach policies that deny each case's permission to its role. names: of the roles as deployed, by logical id."""
    iam = aws.client("iam")
    for role, name in names.items():
        statements = [each.statement() for each in cases if each.permission.role == role]
        for first in range(0, len(statements), 25):
            some = statements[first : first + 25]
            document = json.dumps({"Version": "2012-10-17", "Statement": some})
            policy = iam.create_policy(PolicyName=f"{role}-{next(_numbers)}", PolicyDocument=document)["Policy"]
            iam.attach_role_policy(RoleName=name, PolicyArn=policy["Arn"])


def play(aws: Running, scenarios: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Play each scenario with its keys; return what tasks said, by key."""
    for name, scenario in EVENTS.items():
        if keys := scenarios.get(name):
            scenario(aws, keys)
    if keys := scenarios.get("delete"):
        delete(aws, keys)
    return run_tasks(aws, [(name, key) for name in (*RESTORED, *TASKS) for key in scenarios.get(name, ())])


def failures(aws: Running) -> dict[str, set[str]]:
    """Take the failures out of the dead-letter queue: reasons by key."""
    found: dict[str, set[str]] = {}
    for failure in take_failures(aws, STACK):
        found.setdefault(str(failure.s3_object["key"]), set()).add(failure.attributes["Reason"])
    return found
