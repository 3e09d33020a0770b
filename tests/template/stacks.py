"""The template as CloudFormation would see it: transformed, parameters filled in, references to resources kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from emulator.cloudformation.template import StackIdentity, plain_template

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
FUNCTIONS = {
    "ReplicateFunction": "replicate",
    "CopyPartsFunction": "copy_parts",
    "MonitorFunction": "monitor",
    "ReleaseFunction": "release",
    "BatchFunction": "batch",
    "VerifyFunction": "verify",
}
ROLES = {name: name.replace("Function", "Role") for name in FUNCTIONS}
JOBS_ROLE = "BatchJobsRole"
"""The role of S3 Batch Operations jobs: of no function."""
EVERYTHING = {
    "SourceBuckets": "east,east-2",
    "DestinationBuckets": "west,west-2",
    "CreateSourceBucket": "fresh",
    "DefaultDestination": "far",
    "SourceKmsKeys": "arn:aws:kms:us-east-1:123456789012:key/s",
    "DestinationKmsKeys": "arn:aws:kms:us-west-2:123456789012:key/d",
    "PeerPrincipals": "AROAPEER:peer-replicate",
    "DestinationRoles": "222222222222=arn:aws:iam::222222222222:role/writer,far=arn:aws:iam::333333333333:role/a/k",
    "UseEventBridge": "true",
}
"""Every optional part of the template that widens no permission at the source, at once."""
AFTER_THE_WRITE = {"ReplicaModifications": "true", "AnnotationDeletions": "true", "CloudTrailEvents": "true"}
"""What a stack may be told to do beside that, once an object is written."""
SOURCES = {"east", "east-2", "fresh"}
DESTINATIONS = {"west", "west-2", "far"}

Document = Mapping[str, Any]


@cache
def source() -> Document:
    """Read the template as it is written."""
    parsed: Document = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


@cache
def stack(**parameters: str) -> Document:
    """Return the template with these parameters, its code uploaded as `sam deploy` does.

    It is made once for all tests: nobody may change it.
    """
    identity = StackIdentity(name="replicator", region="us-east-1", account=ACCOUNT)
    uploaded = (ROOT / "template.yaml").read_text().replace("CodeUri: functions/", "CodeUri: s3://code/functions.zip")
    return plain_template(uploaded, parameters, identity)


def resources(document: Document, kind: str) -> dict[str, Any]:
    """Pick the resources of one type, by logical id."""
    return {name: each for name, each in document["Resources"].items() if each["Type"] == kind}


def properties(document: Document, name: str) -> Document:
    """Return the properties of a resource."""
    found: Document = document["Resources"][name]["Properties"]
    return found


def policies(document: Document, role: str) -> dict[str, Document]:
    """Return the policy documents of a role by name: inline ones, and the stack's managed ones."""
    inline = {each["PolicyName"]: each["PolicyDocument"] for each in properties(document, role)["Policies"]}
    return inline | {name: properties(document, name)["PolicyDocument"] for name in managed(document, role)}


def managed(document: Document, role: str) -> list[str]:
    """Return the stack's managed policies that a role has, by logical id."""
    return [each["Ref"] for each in properties(document, role).get("ManagedPolicyArns", [])]


def statements(document: Document, role: str) -> list[Document]:
    """All statements of a role's policies."""
    return [each for policy in policies(document, role).values() for each in policy["Statement"]]


def listed(value: Any) -> list[Any]:
    """Return what policies write as one thing or a list of them as a list."""
    return value if isinstance(value, list) else [value]


def allowed(document: Document, role: str) -> Iterator[tuple[str, Any]]:
    """Each action that a role allows, with each resource that it allows it on."""
    for statement in statements(document, role):
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, resource


def bucket_of(arn: str) -> str:
    """Return the bucket that an S3 ARN names."""
    return arn.split(":::", 1)[1].split("/", 1)[0]
