"""Checks the policies of other accounts for one bucket's rules, with the credentials at hand: for `rules check`.

Separate from `checking.py`, which is pure. No request is made if the rules stay within the stack's account.
"""

from collections.abc import Callable, Iterable, Mapping

from replicator.core.rules.matching import RuleSet

from s3replicator.findings import Finding, error, warning
from s3replicator.grants.checking import check
from s3replicator.grants.gathering import Misused, clients_of, gather
from s3replicator.grants.grant import Resource
from s3replicator.grants.plan import plan
from s3replicator.grants.policy import Statement
from s3replicator.grants.reading import Reader
from s3replicator.grants.reading_roles import read_role
from s3replicator.stack import Stack

Inspect = Callable[[RuleSet], Iterable[Finding]]


def inspector(stack: Stack, profiles: Mapping[str, str]) -> Inspect:
    """Return what finds what other accounts lack. profiles: by account, to read its policies with. Raises Misused."""
    clients = clients_of(stack, profiles)

    def inspect(rules: RuleSet) -> list[Finding]:
        if not _goes_elsewhere(stack, rules):
            return []
        reader = Reader(clients, stack.facts.region)
        try:
            facts = gather(stack, rules, reader)
        except Misused as misused:
            return [error(f"stack {stack.facts.name}", str(misused))]
        planned = plan(facts)
        reader.notes.clear()  # about settings, which the other checks have
        resources = dict.fromkeys(grant.resource for grant in planned.grants)
        policies = {each: _policy(reader, each, profiles) for each in resources}
        roles = {role.arn: read_role(clients, role, reader.notes, profiles) for role in planned.roles}
        return [*check(facts, planned, policies, roles), *(warning("other accounts", note) for note in reader.notes)]

    return inspect


def _goes_elsewhere(stack: Stack, rules: RuleSet) -> bool:
    own = stack.facts.account
    keys = [rule.destination.kms_key.split(":")[4] for rule in rules.rules if rule.enabled and rule.destination.kms_key]
    accounts = {rule.destination.account or own for rule in rules.rules if rule.enabled}
    source = stack.parameters.get("SourceAccount") or own
    return bool({*accounts, *keys, source} - {own}) or bool(stack.parameters.get("DestinationRoles"))


def _policy(reader: Reader, resource: Resource, profiles: Mapping[str, str]) -> "tuple[Statement, ...] | None":
    if not resource.is_key:
        found = reader.policy(resource.name, resource.account)
        return None if found is None else tuple(found)
    if resource.account not in profiles:  # AWS shows a key's policy to its own account only
        reader.notes.append(
            f"the policy of {resource.arn} can be read with credentials of its account only: "
            f"--account-profile {resource.account}=PROFILE"
        )
        return None
    found = reader.key_policy(resource.arn, resource.account)
    return None if found is None else tuple(found)
