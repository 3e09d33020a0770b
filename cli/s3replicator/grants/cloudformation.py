"""The documents of one account -> a CloudFormation template.

Pure. A template can hold what CloudFormation may change on resources that it has not made: bucket policies, roles and
rules. It can change neither the policy of a key nor the notifications of a bucket that exist already: these are printed
as notes, with the command.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html
"""

import re
from collections.abc import Mapping
from typing import Any

ROLE_ARN = re.compile(r":role/(.*/)?")


def template(documents: Mapping[str, Any], description: str) -> dict[str, Any]:
    """Return the template of an account's documents. Deploy it in the Region of its buckets."""
    resources: dict[str, Any] = {}
    for bucket, policy in documents["bucket_policies"].items():
        properties = {"Bucket": bucket, "PolicyDocument": policy}
        resources[_id("PolicyOf", bucket, resources)] = {"Type": "AWS::S3::BucketPolicy", "Properties": properties}
    for name, role in documents["roles"].items():
        resources[_id("Role", name, resources)] = {"Type": "AWS::IAM::Role", "Properties": _role(name, role)}
    for name, rule in documents.get("event_rules", {}).items():
        properties = {"Name": name, "EventPattern": rule["pattern"], "Targets": rule["targets"]}
        resources[_id("Rule", name, resources)] = {
            "Type": "AWS::Events::Rule",
            "DependsOn": sorted(each for each in resources if resources[each]["Type"] == "AWS::IAM::Role"),
            "Properties": properties,
        }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Description": description, "Resources": resources}


def is_empty(documents: Mapping[str, Any]) -> bool:
    """Return whether there is nothing of an account that a template can hold."""
    return not any(documents.get(kind) for kind in ("bucket_policies", "roles", "event_rules"))


def _role(name: str, role: Mapping[str, Any]) -> dict[str, Any]:
    found = ROLE_ARN.search(role["arn"])
    path = f"/{found[1]}" if found and found[1] else "/"
    return {
        "RoleName": name,
        "Path": path,
        "AssumeRolePolicyDocument": role["trust"],
        "Policies": [{"PolicyName": "replicator", "PolicyDocument": role["policy"]}],
    }


def _id(kind: str, name: str, taken: Mapping[str, Any]) -> str:
    """Return a logical id: letters and digits, at most 255, and none twice."""
    words = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", name))
    wanted, number = f"{kind}{words}"[:250], 2
    free = wanted
    while free in taken:
        free, number = f"{wanted}{number}", number + 1
    return free
