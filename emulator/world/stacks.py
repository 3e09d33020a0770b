"""Deploying a world's stacks from the real template, as `sam deploy` would, with code from the working tree.

The emulator itself, too, creates stacks through its CloudFormation API only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from emulator import clients
from emulator.cloudformation.template import parse
from emulator.functions.code import from_working_tree
from emulator.world.document import World, WorldStack
from emulator.world.kms_keys import default_key, replica_keys

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"


class DeployError(RuntimeError):
    """A stack could not be deployed; the message names the stack and the reason."""


def deploy(stack: WorldStack, world: World, template: Path = TEMPLATE) -> dict[str, str]:
    """Create the stack and return its outputs. Raises DeployError."""
    body = packaged(template)
    declared = parse(body).get("Parameters", {})
    parameters = {name: value for name, value in derived_parameters(stack, world).items() if name in declared}
    cloudformation = _client(stack)
    try:
        cloudformation.create_stack(
            StackName=stack.name,
            TemplateBody=body,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in {**parameters, **stack.parameters}.items()
            ],
        )
    except ClientError as error:
        raise DeployError(f'stack "{stack.name}": {error.response["Error"]["Message"]}') from None
    (created,) = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    if created["StackStatus"] != "CREATE_COMPLETE":
        raise DeployError(f'stack "{stack.name}": {_reason(stack)}')
    return {output["OutputKey"]: output["OutputValue"] for output in created.get("Outputs", [])}


def _client(stack: WorldStack) -> Any:
    return clients.client("cloudformation", stack.region, stack.account)


def _reason(stack: WorldStack) -> str:
    events = _client(stack).describe_stack_events(StackName=stack.name)["StackEvents"]
    reasons = (event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"])
    return next(reasons, "rolled back without a reason")


def packaged(template: Path) -> str:
    """Return the template with every local CodeUri replaced by a reference to its directory, as `sam package` does.

    Raises DeployError if the template cannot be read.
    """
    try:
        document = parse(template.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeployError(
            f"{template}: {error.strerror}; the emulator needs a checkout, whose template it deploys"
        ) from None
    functions = [
        resource.setdefault("Properties", {})
        for resource in document["Resources"].values()
        if resource.get("Type") == "AWS::Serverless::Function"
    ]
    for properties in (document.get("Globals", {}).get("Function", {}), *functions):
        where = properties.get("CodeUri")
        if isinstance(where, str) and not where.startswith("s3://"):
            properties["CodeUri"] = from_working_tree(template.parent / where)
    return json.dumps(document)


def derived_parameters(stack: WorldStack, world: World) -> Mapping[str, str]:
    """Return the parameters that follow from the world: the buckets and keys that the stack's roles may use.

    They include every bucket of the world, for rules that are put later, and buckets that only rules name. Sources are
    buckets of one account: the stack's own, unless all rules are about buckets of another one. The keys of
    sources are those of the buckets' default encryption, those of destinations the ones that rules name. What rules
    have to enable, such as replica modifications, is allowed to every stack as soon as one rule of the world does.
    """
    destinations = list(stack.destinations())
    buckets = {str(each["Bucket"]).rpartition(":")[2] for each in destinations if "Bucket" in each}
    account = _source_account(stack, world)
    sources = [bucket for bucket in world.buckets if (bucket.region, bucket.account) == (stack.region, account)]
    return {
        **({"SourceAccount": account} if account != stack.account else {}),
        "SourceBuckets": ",".join(sorted(bucket.name for bucket in sources)),
        "DestinationBuckets": ",".join(sorted({bucket.name for bucket in world.buckets} | buckets)),
        "SourceKmsKeys": ",".join(sorted({default_key(bucket) for bucket in sources} - {""})),
        "DestinationKmsKeys": ",".join(sorted(set(replica_keys(stack)))),
        "ReplicaModifications": _enabled(world, "SourceSelectionCriteria", "ReplicaModifications"),
        "AnnotationDeletions": _enabled(world, "ReplicatorOptions", "AnnotationDeletions"),
    }


def _source_account(stack: WorldStack, world: World) -> str:
    owners = {world.account_of(bucket) or stack.account for bucket in stack.rules}
    return owners.pop() if len(owners) == 1 else stack.account


def _enabled(world: World, section: str, option: str) -> str:
    """Return "true" if a rule of the world enables an option: directly, or in the option's `Status`."""
    for rule in (each for stack in world.stacks for each in stack.each_rule()):
        found = rule.get(section)
        value = found.get(option) if isinstance(found, Mapping) else None
        if (value.get("Status") if isinstance(value, Mapping) else value) == "Enabled":
            return "true"
    return "false"


def set_peers(stack: WorldStack, peers: Iterable[str]) -> None:
    """Set a stack's `PeerPrincipals` to the roles of the other stacks, as an operator does for two-way replication.

    Do nothing if the world sets the parameter, or the template does not declare it.
    """
    cloudformation = _client(stack)
    (deployed,) = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    known = [parameter["ParameterKey"] for parameter in deployed["Parameters"]]
    principals = ",".join(peers)
    if not principals or "PeerPrincipals" in stack.parameters or "PeerPrincipals" not in known:
        return
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in known if name != "PeerPrincipals"]
    cloudformation.update_stack(
        StackName=stack.name,
        UsePreviousTemplate=True,
        Parameters=[*kept, {"ParameterKey": "PeerPrincipals", "ParameterValue": principals}],
    )
