"""Deploying the real template, as an operator's `sam deploy` would, with the code taken from the working tree.

What is deployed goes through the emulator's own CloudFormation API, so there is one way in which stacks come about.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from emulator import clients
from emulator.cloudformation.template import parse
from emulator.functions.code import from_working_tree
from emulator.world.document import World, WorldStack

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"


class DeployError(RuntimeError):
    """A stack could not be deployed; the message says which and why."""


def deploy(stack: WorldStack, world: World, template: Path = TEMPLATE) -> dict[str, str]:
    """Create the stack and return its outputs. Raises DeployError."""
    body = packaged(template)
    declared = parse(body).get("Parameters", {})
    parameters = {name: value for name, value in derived_parameters(stack, world).items() if name in declared}
    cloudformation = clients.client("cloudformation", stack.region)
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


def _reason(stack: WorldStack) -> str:
    events = clients.client("cloudformation", stack.region).describe_stack_events(StackName=stack.name)["StackEvents"]
    reasons = (event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"])
    return next(reasons, "it was rolled back without a reason")


def packaged(template: Path) -> str:
    """Return the template with every local CodeUri pointing at its directory, as `sam package` points it at S3.

    Raises DeployError when there is no template.
    """
    try:
        document = parse(template.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeployError(f"{template}: {error.strerror}; the emulator deploys the template of a checkout") from None
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
    """Return what follows from the world: which buckets and keys the stack's roles may use.

    Every bucket of the world, so that rules which are put later work too, and what only rules name.
    """
    destinations = [rule["Destination"] for rule in _rules(stack) if isinstance(rule.get("Destination"), dict)]
    buckets = {str(each["Bucket"]).rpartition(":")[2] for each in destinations if "Bucket" in each}
    keys = {str(each.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID", "")) for each in destinations}
    return {
        "SourceBuckets": ",".join(sorted(bucket.name for bucket in world.buckets if bucket.region == stack.region)),
        "DestinationBuckets": ",".join(sorted({bucket.name for bucket in world.buckets} | buckets)),
        "DestinationKmsKeys": ",".join(sorted(keys - {""})),
    }


def _rules(stack: WorldStack) -> Iterator[Mapping[str, Any]]:
    """Yield the rules of a stack, whatever else may be wrong with their documents."""
    for document in stack.rules.values():
        inner = document.get("ReplicationConfiguration", document)
        rules = inner.get("Rules") if isinstance(inner, Mapping) else None
        yield from (rule for rule in rules or [] if isinstance(rule, Mapping)) if isinstance(rules, list) else ()


def introduce(stack: WorldStack, peers: Iterable[str]) -> None:
    """Tell a stack which principals are the functions of the others, as the operator of a two-way set-up does.

    Nothing happens when the world has said it already, or the template does not want to know.
    """
    cloudformation = clients.client("cloudformation", stack.region)
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
