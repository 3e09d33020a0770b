"""The facts about one stack and the rules of one bucket, from AWS: for `grants` and for `rules check`.

Separate from `reading.py`, which knows buckets one by one; here it is decided whose they are, and by which role they
are reached.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.rules.matching import RuleSet

from s3replicator.grants.facts import BucketFacts, Facts, Roles
from s3replicator.grants.reading import ClientOf, Reader
from s3replicator.stack import Stack

COPIERS = ("ReplicateRoleArn", "CopyPartsRoleArn", "BatchRoleArn")


class Misused(ValueError):
    """An argument or a parameter is not what it must be. Its text says what."""


def pairs(texts: list[str], what: str) -> dict[str, str]:
    """Return NAME=VALUE arguments as a mapping. Raises Misused."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise Misused(f"'{text}' is not {what}")
        found[name.strip()] = value.strip()
    return found


def clients_of(stack: Stack, profiles: Mapping[str, str]) -> ClientOf:
    """Return clients by account. profiles: the profile to use for an account; others use the stack's credentials.

    Raises Misused for a profile that is not configured.
    """
    sessions = {account: _session(profile) for account, profile in profiles.items()}
    made: dict[tuple[str, str, str], object] = {}

    def client(service: str, region: str, account: str) -> object:
        if account not in sessions:
            return stack.client(service, region)
        key = (service, region, account)
        if key not in made:
            config = Config(retries={"mode": "standard"}, user_agent_extra="s3replicator")
            session = sessions[account]
            made[key] = session.client(service, region_name=region, config=config)  # type: ignore[call-overload]
        return made[key]

    return client


def _session(profile: str) -> boto3.Session:
    try:
        return boto3.Session(profile_name=profile)
    except (BotoCoreError, ValueError) as error:
        raise Misused(f"the profile {profile} is not usable: {error}") from error


def elsewhere(stack: Stack, profiles: Mapping[str, str]) -> Callable[[str], Callable[[str, str], object]]:
    """Return clients of a service in a Region, by the account that owns what they ask about."""
    of_account = clients_of(stack, profiles)
    return lambda account: lambda service, region: of_account(service, region, account)


@dataclass(frozen=True, slots=True)
class Ways:
    """How the command was told to reach other accounts, beside what the stack's parameters say."""

    roles: Mapping[str, str]
    external_id: str = ""


def destination_roles(stack: Stack, ways: Ways) -> DestinationRoles:
    """Return the roles of the stack's parameters and of the command. Raises Misused."""
    for arn in ways.roles.values():
        if len(arn.split(":")) != 6 or ":role/" not in arn:
            raise Misused(f"'{arn}' is not the ARN of a role")
    return DestinationRoles({**stack.accounts.roles.entries, **ways.roles})


def stack_roles(stack: Stack) -> Roles:
    """Return the roles of a stack's functions. Ends the command if the stack is of an earlier version."""
    return Roles(
        tuple(stack.output(name) for name in COPIERS), stack.output("MonitorRoleArn"), stack.output("VerifyRoleArn")
    )


def gather(stack: Stack, rules: RuleSet, reader: Reader, ways: Ways | None = None) -> Facts:
    """Return the facts about a bucket's rules. Raises Misused. What cannot be read is among the reader's notes."""
    own, parameters = stack.facts.account, stack.parameters
    ways = ways or Ways({})
    roles = destination_roles(stack, ways)
    enabled = [rule for rule in rules.rules if rule.enabled]
    accounts = {rule.destination.bucket: rule.destination.account for rule in enabled if rule.destination.account}
    names = dict.fromkeys(rule.destination.bucket for rule in enabled)
    keys = [each.strip() for each in parameters.get("SourceKmsKeys", "").split(",")]
    return Facts(
        stack=stack.facts,
        roles=stack_roles(stack),
        rules=rules,
        source=reader.bucket(rules.bucket, parameters.get("SourceAccount") or own),
        destinations=tuple(_destination(reader, name, accounts.get(name), own) for name in names),
        destination_roles=roles,
        external_id=ways.external_id or stack.accounts.external_id,
        source_keys=tuple(key for key in keys if len(key.split(":")) == 6),
        verifies=bool(parameters.get("VerifySchedule")),
        status_tag=parameters.get("SourceStatusTag") == "true",
    )


def _destination(reader: Reader, name: str, account: str | None, own: str) -> BucketFacts:
    if account is None and reader.is_owned_by(name, own) is None:
        reader.notes.append(
            f"it cannot be seen whose {name} is, and no rule says so: it is taken for account {own}'s. If it belongs "
            "to another account, name that in Destination.Account"
        )
    return reader.bucket(name, account or own)
