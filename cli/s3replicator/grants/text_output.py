"""What `grants` prints for people: each statement with what it allows, what it is for, and what is seen without it."""

from collections.abc import Iterator, Mapping
from typing import Any

from s3replicator.grants.documents import Documents
from s3replicator.grants.needs import ALL, Need
from s3replicator.output import Output
from s3replicator.policy_patterns import as_list

_BY_SID: Mapping[str, Need] = {need.sid: need for need in ALL}
HOW = {
    "bucket_policies": "aws s3api put-bucket-policy --bucket {name} --policy file://POLICY.json",
    "key_policies": "add to it: aws kms get-key-policy, and put-key-policy, --key-id {name} --policy-name default",
    "roles": "aws iam create-role --role-name {name}, and put-role-policy",
    "notifications": "aws s3api put-bucket-notification-configuration --bucket {name}",
    "event_rules": "aws events put-rule --name {name}, and put-targets",
}
TITLES = {
    "bucket_policies": "policy of bucket",
    "key_policies": "policy of key",
    "roles": "role",
    "notifications": "notifications of bucket",
    "event_rules": "EventBridge rule",
}


def print_documents(bucket: str, documents: Documents, output: Output) -> None:
    """Print what each account must put in place."""
    for account, kinds in documents.accounts.items():
        output.line(f"account {account}", style="bold")
        for kind, title in TITLES.items():
            for name, content in kinds.get(kind, {}).items():
                output.line(f"  {title} {name}", style="bold cyan")
                output.line(f"    {HOW[kind].format(name=name)}", style="dim")
                _print(kind, content, output)
    if not documents.accounts:
        output.line(f"{bucket}: no other account has to put anything in place", style="green")
    for note in documents.notes:
        output.line(f"note  {note}", style="yellow")
    if documents.accounts:
        output.line(f"The documents themselves: s3replicator grants {bucket} --format json, or cloudformation")


def _print(kind: str, content: Any, output: Output) -> None:
    if kind == "roles":
        _print_statements(content["trust"]["Statement"], output)
        _print_statements(content["policy"]["Statement"], output)
    elif kind in {"bucket_policies", "key_policies"}:
        _print_statements(content["Statement"] if kind == "bucket_policies" else content, output)
    else:
        for line in _lines(content):
            output.line(f"    {line}")


def _print_statements(statements: list[Mapping[str, Any]], output: Output) -> None:
    for statement in statements:
        need = _BY_SID.get(str(statement.get("Sid", "")).rstrip("0123456789"))
        output.line(f"    {statement.get('Sid', 'a statement without a Sid')}", style="bold")
        rows = [
            *([("for", need.why.replace("`", ""))] if need else []),
            (str(statement.get("Effect", "")).lower(), _joined(statement.get("Action", statement.get("NotAction")))),
            *([("to", _joined(_named(statement["Principal"])))] if "Principal" in statement else []),
            *([("on", _joined(statement["Resource"]))] if "Resource" in statement else []),
            *(("if", condition) for condition in _conditions(statement.get("Condition"))),
            *([("without", need.without.replace("`", ""))] if need else []),
        ]
        for label, text in rows:
            output.line(f"      {label:8}{text}", style="yellow" if label == "without" else "")


def _named(principal: Any) -> list[Any]:
    if not isinstance(principal, Mapping):
        return [principal]
    return [each for named in principal.values() for each in as_list(named)]


def _conditions(condition: Any) -> Iterator[str]:
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        for key, values in keys.items() if isinstance(keys, Mapping) else ():
            yield f"{key} {operator} {_joined(values)}"


def _joined(values: Any) -> str:
    return ", ".join(str(each) for each in as_list(values))


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    for name, value in content.items():
        for each in as_list(value):
            parts = each.items() if isinstance(each, Mapping) else [("", each)]
            yield f"{name}: " + "; ".join(f"{part} {_joined(given)}".strip() for part, given in parts)
