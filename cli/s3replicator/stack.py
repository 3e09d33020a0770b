"""The deployed stack that a command is about: its parameters, its outputs, and clients for what is in it.

Every request uses boto3's ordinary credentials, Region and endpoint settings.
"""

import os
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from replicator.aws.sessions import RoleCredentials, assume_arguments, session_with
from replicator.core.deciding.accounts import Accounts, DestinationRoles
from replicator.core.deciding.bucket_names import is_pattern
from replicator.core.deciding.target import Target
from replicator.settings import read_accounts

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.output import fail
from s3replicator.stack_facts import StackFacts

VARIABLE = "S3REPLICATOR_STACK"
DEFAULT_NAME = "s3-replicator"
SAMCONFIG = Path("samconfig.toml")
ACCOUNT_PARAMETERS = {"DESTINATION_ROLES": "DestinationRoles", "DESTINATION_EXTERNAL_ID": "DestinationExternalId"}
SESSION_NAME = "s3replicator"
"""Of operators' sessions, so that CloudTrail tells them from those of functions."""
OUTPUTS = ("ControlBucket", "ChangeQueue", "ChangeQueueArn")

StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        envvar=VARIABLE,
        help=f"Name of the deployed stack. Default: the one in ./{SAMCONFIG}, else {DEFAULT_NAME}.",
        show_default=False,
    ),
]
RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region",
        help="Region of the stack. Default: the Region of your AWS configuration, else of ./samconfig.toml.",
        show_default=False,
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="Profile of your AWS configuration to use.", show_default=False)
]
AccountProfilesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--account-profile",
        metavar="ACCOUNT=PROFILE",
        help="Read an account's buckets and keys with a profile of your AWS configuration. Repeatable.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


class StackUnusable(Exception):
    """There is such a stack, or may be, but no command can use it; says why."""


@dataclass(slots=True)
class Stack:
    """A deployed stack, with a boto3 session that can reach it. config: of its clients, beside the usual one."""

    session: boto3.Session
    facts: StackFacts
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    config: Config | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _sessions: dict[str, boto3.Session] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the boto3 client of a service, in the stack's Region unless another is named."""
        key = (service, region or self.facts.region)
        with self._making:  # boto3's sessions are for one thread at a time
            if key not in self._clients:
                self._clients[key] = _client(self.session, *key, self.config)
            return self._clients[key]

    def client_toward(self, bucket: str, account: str, service: str, region: str | None = None) -> Any:
        """Return the client of a service for a destination: with its role, as the functions use it, if it has one.

        Its requests raise Trouble if the role may not be assumed; `calling` makes CallFailed of it.
        """
        role = self.accounts.roles.of(Target(bucket, account))
        if not role:
            return self.client(service, region)
        if role not in self._sessions:
            credentials = RoleCredentials(lambda: self.client("sts"), role, self.accounts)
            self._sessions[role] = session_with(credentials, self.session.profile_name)
        return _client(self._sessions[role], service, region or self.facts.region, self.config)

    def role_id(self, role: str) -> str:
        """Return the id of a role, which its sessions write as. Raises CallFailed if it may not be assumed."""
        asked = assume_arguments(role, self.accounts)
        with calling("sts:AssumeRole"):
            answer = self.client("sts").assume_role(**asked)
            return str(answer["AssumedRoleUser"]["AssumedRoleId"]).partition(":")[0]

    @property
    def accounts(self) -> Accounts:
        """Whose the stack's buckets are, and the roles by which its functions, and operators, reach destinations."""
        source = self.parameters.get("SourceAccount") or self.facts.account
        given = {variable: self.parameters.get(name, "") for variable, name in ACCOUNT_PARAMETERS.items()}
        return read_accounts(SESSION_NAME, {**given, "SOURCE_ACCOUNT": source})

    def output(self, name: str) -> str:
        """Return an output of the stack. Ends the command with exit status 2 if it has none of that name."""
        if name not in self.outputs:
            fail(f"stack {self.facts.name} has no output {name}; deploy the current version of S3 Replicator")
        return self.outputs[name]


@dataclass(frozen=True, slots=True)
class Named:
    """The stack that a command names, before anything of it was read. region: None if none is configured."""

    session: boto3.Session
    name: str
    region: str | None

    def describe(self, config: Config | None = None) -> Stack:
        """Read the stack. Raises CallFailed, and StackUnusable if it is not one of ours, or there is no Region.

        config: of all requests to it, in place of boto3's usual retries and time-outs.
        """
        if self.region is None:
            how = "set the stack's Region with --region, AWS_DEFAULT_REGION or in your AWS configuration"
            raise StackUnusable(f"no Region: {how}")
        with calling("cloudformation:DescribeStacks"):
            client = _client(self.session, "cloudformation", self.region, config)
            answer = client.describe_stacks(StackName=self.name)
        return _stack(self.session, self.name, self.region, answer["Stacks"][0], config)


def name_stack(name: str | None, region: str | None, profile: str | None) -> Named:
    """Return the stack that the options and the configuration name. Raises BotoCoreError if the latter is unusable."""
    configured = _samconfig()
    session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"), profile_name=profile)
    name = name or configured.get("stack_name") or DEFAULT_NAME
    return Named(session, name, session.region_name or configured.get("region"))


def open_stack(name: str | None, region: str | None, profile: str | None) -> Stack:
    """Find the stack. Ends the command with exit status 2 if there is no such stack or it cannot be read."""
    return open_named(lambda: name_stack(name, region, profile))


def open_named(name: Callable[[], Named]) -> Stack:
    """Find the stack that somebody names. Ends the command with exit status 2 if it cannot be used."""
    try:
        named = name()
    except (BotoCoreError, ValueError) as error:
        fail(f"the AWS configuration is not usable: {error}")
    try:
        return named.describe()
    except StackUnusable as unusable:
        fail(str(unusable))
    except CallFailed as failed:
        if failed.call.code == "ValidationError":
            where = f"no stack '{named.name}' in {named.region}"
            fail(f"{where}; set its name with --stack or {VARIABLE}, its Region with --region")
        fail(f"cannot read stack {named.name}: {failed.call.advice(f'stack {named.name}')}")
    except (BotoCoreError, ValueError) as error:
        fail(f"the AWS configuration is not usable: {error}")


def _stack(
    session: boto3.Session, name: str, region: str, description: Mapping[str, Any], config: Config | None
) -> Stack:
    outputs = {each["OutputKey"]: each["OutputValue"] for each in description.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each.get("ParameterValue", "") for each in description.get("Parameters", [])}
    missing = [output for output in OUTPUTS if output not in outputs]
    if missing:
        status = description.get("StackStatus", "unknown")
        where = f"stack {name} in {region} (status {status})"
        raise StackUnusable(f"{where} has no output {missing[0]}: it is not an S3 Replicator stack")
    return Stack(session, stack_facts(name, region, parameters, outputs), outputs, parameters, config)


def stack_facts(name: str, region: str, parameters: Mapping[str, str], outputs: Mapping[str, str]) -> StackFacts:
    """Return what a stack's parameters and outputs say about the buckets and keys it may use."""
    created, default = parameters.get("CreateSourceBucket", ""), parameters.get("DefaultDestination", "")
    sources = _names(parameters, "SourceBuckets")
    return StackFacts(
        name=name,
        region=region,
        account=outputs["ChangeQueueArn"].split(":")[4],
        control_bucket=outputs["ControlBucket"],
        change_queue_url=outputs["ChangeQueue"],
        change_queue_arn=outputs["ChangeQueueArn"],
        source_buckets=frozenset({*sources, created} - {""}),
        destination_buckets=frozenset({*_names(parameters, "DestinationBuckets"), default} - {""}),
        destination_kms_keys=frozenset(_names(parameters, "DestinationKmsKeys")),
        default_source=created or next((name for name in sources[:1] if not is_pattern(name)), ""),
        default_destination=default,
        event_bridge=parameters.get("UseEventBridge", "") == "true",
        writers=tuple(each for each in outputs.get("ReplicatorPrincipals", "").split(",") if each),
        replicate_function=outputs.get("ReplicateFunction", ""),
        replica_modifications=parameters.get("ReplicaModifications", "") == "true",
        annotation_deletions=parameters.get("AnnotationDeletions", "") == "true",
        roles=DestinationRoles.read(parameters.get("DestinationRoles", "")),
        sources_account=parameters.get("SourceAccount", ""),
    )


def _names(parameters: Mapping[str, str], name: str) -> list[str]:
    return [each.strip() for each in parameters.get(name, "").split(",") if each.strip()]


def _client(session: boto3.Session, service: str, region: str, config: Config | None = None) -> Any:
    # Any: boto3 has one client type per service, chosen by the text of its name.
    usual = Config(retries={"mode": "standard"}, user_agent_extra="s3replicator")
    return session.client(service, region_name=region, config=usual.merge(config) if config else usual)  # type: ignore[call-overload]


def _samconfig() -> dict[str, str]:
    """Return the stack name and Region that `sam deploy` would use in this folder."""
    try:
        document = tomllib.loads(SAMCONFIG.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        fail(f"cannot read {SAMCONFIG}: {error}")
    found: dict[str, str] = {}
    for command in ("global", "deploy"):
        found |= _table(_table(_table(document, "default"), command), "parameters")
    return {name: found[name] for name in ("stack_name", "region") if isinstance(found.get(name), str)}


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a table of a TOML document, an empty one if there is none."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}
