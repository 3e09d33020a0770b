"""CloudFormation resources of IAM: roles, with their inline policies, and managed policies.

Separate from the functions that assume the roles: what a role may do changes without them.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-managedpolicy.html
"""

from __future__ import annotations

import json
from typing import Any

from emulator.cloudformation.resources.base import Properties, Resource
from emulator.cloudformation.resources.quotas import check_inline_policies


class Role(Resource):
    """AWS::IAM::Role, with inline and managed policies."""

    kind = "AWS::IAM::Role"
    name_property = "RoleName"
    longest_name = 64

    def create(self) -> None:
        check_inline_policies(self.name, _inline(self.properties).values())
        role = self.call(
            "iam",
            "create_role",
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(self.properties["AssumeRolePolicyDocument"]),
        )["Role"]
        self.attributes = {"Arn": role["Arn"], "RoleId": role["RoleId"]}
        self._put_policies({})

    def update(self, before: Properties) -> None:
        check_inline_policies(self.name, _inline(self.properties).values())
        self.client("iam").update_assume_role_policy(
            RoleName=self.name, PolicyDocument=json.dumps(self.properties["AssumeRolePolicyDocument"])
        )
        self._put_policies(before)

    def _put_policies(self, before: Properties) -> None:
        iam = self.client("iam")
        old, new = (_inline(each) for each in (before, self.properties))
        for name in old.keys() - new.keys():
            iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        for name, document in new.items():
            iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=json.dumps(document))
        attached, wanted = (_managed(each) for each in (before, self.properties))
        for arn in attached - wanted:
            iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        for arn in wanted - attached:
            iam.attach_role_policy(RoleName=self.name, PolicyArn=arn)

    def destroy(self) -> None:
        iam = self.client("iam")
        for name in _inline(self.properties):
            iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        for arn in _managed(self.properties):
            iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        iam.delete_role(RoleName=self.name)


def _inline(properties: Properties) -> dict[str, Any]:
    """Return the inline policies by name. SAM's have no Version, which AWS accepts and moto does not."""
    return {
        policy["PolicyName"]: {"Version": "2012-10-17", **policy["PolicyDocument"]}
        for policy in properties.get("Policies", [])
    }


def _managed(properties: Properties) -> set[str]:
    return set(properties.get("ManagedPolicyArns", []))


class ManagedPolicy(Resource):
    """AWS::IAM::ManagedPolicy. A changed document becomes the default version; older ones are deleted."""

    kind = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    longest_name = 128

    def create(self) -> None:
        policy = self.call("iam", "create_policy", PolicyName=self.name, PolicyDocument=self._document)["Policy"]
        self.physical_resource_id = policy["Arn"]
        self.attributes = {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]}

    def update(self, before: Properties) -> None:
        if self.properties["PolicyDocument"] == before["PolicyDocument"]:
            return
        iam, arn = self.client("iam"), self.physical_resource_id
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=self._document, SetAsDefault=True)
        self._delete_versions()

    def destroy(self) -> None:
        self._delete_versions()
        self.client("iam").delete_policy(PolicyArn=self.physical_resource_id)

    @property
    def _document(self) -> str:
        return json.dumps(self.properties["PolicyDocument"])

    def _delete_versions(self) -> None:
        iam, arn = self.client("iam"), self.physical_resource_id
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
