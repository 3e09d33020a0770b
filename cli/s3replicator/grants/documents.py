"""A plan -> the documents that each account puts in place, as JSON output has them.

Separate from the plan: here it is about policies as wholes. S3 can only replace a bucket's policy, so what is printed
has to contain what is there already.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from s3replicator.grants.events import EventPlan
from s3replicator.grants.facts import Facts
from s3replicator.grants.grant import Grant, document
from s3replicator.grants.needs import ALL
from s3replicator.grants.plan import Plan
from s3replicator.grants.policy import Statement
from s3replicator.policy_patterns import as_list

BUCKET_POLICY_BYTES = 20_480
"""The most that S3 takes (S3 user guide, "Bucket policies")."""
ROLE_POLICY_CHARACTERS = 10_240
"""The most that inline policies of a role have together, without white space (IAM user guide, "IAM quotas")."""
KINDS = ("bucket_policies", "key_policies", "roles")
_OURS = frozenset(need.sid for need in ALL)


@dataclass(frozen=True, slots=True)
class Documents:
    """What is printed. accounts: the documents by account. notes: sentences. fits: no document is too large."""

    accounts: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    fits: bool = True


def compose(
    facts: Facts,
    planned: Plan,
    existing: Mapping[str, Sequence[Statement]],
    events: EventPlan | None = None,
    notes: Sequence[str] = (),
) -> Documents:
    """Return the documents of a plan. existing: the policies of buckets that could be read, by name."""
    accounts: dict[str, dict[str, Any]] = {}
    for grant in planned.grants:
        kind = "key_policies" if grant.resource.is_key else "bucket_policies"
        _of(accounts, grant.resource.account)[kind].setdefault(grant.resource.name, []).append(grant)
    for role in planned.roles:
        _of(accounts, role.account)["roles"][role.name] = {
            "arn": role.arn,
            "trust": role.trust(),
            "policy": role.policy(),
        }
    for documents in accounts.values():
        for bucket, grants in documents["bucket_policies"].items():
            documents["bucket_policies"][bucket] = _bucket_policy(grants, existing.get(bucket, ()), facts)
        for key, grants in documents["key_policies"].items():
            documents["key_policies"][key] = document(each.statement() for each in grants)["Statement"]
    if events is not None:
        _of(accounts, events.account).update(events.documents())
        _of(accounts, events.account)["roles"].update(events.roles())
    too_large = tuple(_too_large(accounts))
    return Documents(dict(sorted(accounts.items())), (*notes, *too_large), not too_large)


def json_document(bucket: str, documents: Documents, planned: Plan) -> dict[str, Any]:
    """Return what `--format json` prints. statements: what each is for, and what is seen without it."""
    accounts = documents.accounts
    grants = (*planned.grants, *(grant for role in planned.roles for grant in role.grants))
    return {
        "bucket": bucket,
        "accounts": accounts,
        "statements": [_described(each) for each in dict.fromkeys(grants)],
        "notes": list(documents.notes),
    }


ALONE = {
    "bucket-policy": ("bucket_policies", ()),
    "key-policy": ("key_policies", ()),
    "role-trust": ("roles", ("trust",)),
    "role-policy": ("roles", ("policy",)),
    "notification": ("notifications", ()),
    "event-rule": ("event_rules", ()),
}
"""What can be printed alone, as KIND/NAME: where it is in an account's documents, and in its own."""


def alone(documents: Documents) -> dict[str, Any]:
    """Return every document by KIND/NAME, as the AWS CLI takes it."""
    found: dict[str, Any] = {}
    for kinds in documents.accounts.values():
        for kind, (place, parts) in ALONE.items():
            for name, content in kinds.get(place, {}).items():
                found[f"{kind}/{name}"] = content[parts[0]] if parts else content
    return found


def _described(grant: Grant) -> dict[str, Any]:
    return {
        "sid": grant.need.sid,
        "account": grant.resource.account,
        "resource": grant.resource.name,
        "principals": list(grant.principals),
        "why": grant.need.why,
        "without": grant.need.without,
    }


def _of(accounts: dict[str, dict[str, Any]], account: str) -> dict[str, Any]:
    return accounts.setdefault(account, {kind: {} for kind in KINDS})


def _bucket_policy(grants: Sequence[Grant], there: Sequence[Statement], facts: Facts) -> dict[str, Any]:
    """Return a whole policy: what others have put there, then our statements."""
    ours = {role for grant in grants for role in grant.principals} | set(facts.roles.all)
    kept = [dict(each) for each in there if not _is_replaced(each, ours)]
    return document([*kept, *(each.statement() for each in grants)])


def _is_replaced(statement: Statement, ours: set[str]) -> bool:
    """Return whether a statement is an earlier one of this stack.

    S3 writes the unique id of a role that was deleted in place of its ARN, and takes no policy that names one.
    """
    sid, principal = str(statement.get("Sid", "")).rstrip("0123456789"), statement.get("Principal")
    named = {str(each) for each in as_list(principal.get("AWS"))} if isinstance(principal, Mapping) else set()
    known = sid in _OURS and statement.get("Effect") == "Allow"
    return known and bool(named) and all(each in ours or each.startswith("AROA") for each in named)


def _too_large(accounts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    for documents in accounts.values():
        for bucket, policy in documents["bucket_policies"].items():
            if (size := _size(policy)) > BUCKET_POLICY_BYTES:
                found.append(
                    f"the policy of {bucket} has {size:,} bytes, and S3 takes {BUCKET_POLICY_BYTES:,}: let functions "
                    "assume a role of that account (DestinationRoles), or remove statements that nobody needs"
                )
        for name, role in documents["roles"].items():
            if (size := _size(role["policy"])) > ROLE_POLICY_CHARACTERS:
                found.append(
                    f"the policy of role {name} has {size:,} characters, and IAM takes {ROLE_POLICY_CHARACTERS:,} "
                    "inline: use one role for fewer destinations"
                )
    return found


def _size(policy: Mapping[str, Any]) -> int:
    return len(json.dumps(policy, separators=(",", ":")).encode())
