"""CloudFormation resources of S3 and DynamoDB: buckets, bucket policies and tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from emulator.clients import location_constraint
from emulator.cloudformation.resources.base import Properties, Resource


class Bucket(Resource):
    """AWS::S3::Bucket."""

    kind = "AWS::S3::Bucket"
    name_property = "BucketName"
    longest_name = 63

    def create(self) -> None:
        s3 = self.client("s3")
        if self.name in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            raise RuntimeError(f"{self.name} already exists")  # in us-east-1, CreateBucket of one's own bucket succeeds
        object_lock = bool(self.properties.get("ObjectLockEnabled", False))
        s3.create_bucket(Bucket=self.name, ObjectLockEnabledForBucket=object_lock, **location_constraint(self.region))
        self.attributes = {
            "Arn": f"arn:aws:s3:::{self.name}",
            "DomainName": f"{self.name}.s3.amazonaws.com",
            "DualStackDomainName": f"{self.name}.s3.dualstack.{self.region}.amazonaws.com",
            "RegionalDomainName": f"{self.name}.s3.{self.region}.amazonaws.com",
        }
        self.update({})

    def update(self, before: Properties) -> None:
        s3 = self.client("s3")
        for name, (operation, arguments) in _PUT.items():
            if name in self.properties and self.properties[name] != before.get(name):
                getattr(s3, operation)(Bucket=self.name, **arguments(self.properties[name]))
        for name, (operation, fixed) in _DELETE.items():
            if name in before and name not in self.properties:
                getattr(s3, operation)(Bucket=self.name, **fixed)

    def destroy(self) -> None:
        self.client("s3").delete_bucket(Bucket=self.name)


def _encryption(value: Properties) -> dict[str, Any]:
    rules = [
        {
            ("ApplyServerSideEncryptionByDefault" if name == "ServerSideEncryptionByDefault" else name): each
            for name, each in rule.items()
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _notification(value: Properties) -> dict[str, Any]:
    configuration: dict[str, Any] = {}
    for section, target, arn in (
        ("QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "Topic", "TopicArn"),
        ("LambdaConfigurations", "Function", "LambdaFunctionArn"),
    ):
        entries = [_notification_entry(entry, target, arn) for entry in value.get(section, [])]
        if entries:
            configuration["LambdaFunctionConfigurations" if target == "Function" else section] = entries
    if str(value.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled", False)).lower() == "true":
        configuration["EventBridgeConfiguration"] = {}
    return {"NotificationConfiguration": configuration}


def _notification_entry(entry: Properties, target: str, arn: str) -> dict[str, Any]:
    rules = entry.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    only = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {arn: entry[target], "Events": [entry["Event"]], **only}


def _lifecycle(value: Properties) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    same = (
        "Status",
        "AbortIncompleteMultipartUpload",
        "NoncurrentVersionExpiration",
    )
    plain: dict[str, Any] = {name: rule[name] for name in same if name in rule}
    plain["Filter"] = {"Prefix": rule.get("Prefix", "")}
    if "Id" in rule:
        plain["ID"] = rule["Id"]
    expiration = {"ExpirationInDays": "Days", "ExpirationDate": "Date", "ExpiredObjectDeleteMarker": None}
    if chosen := {to or name: rule[name] for name, to in expiration.items() if name in rule}:
        plain["Expiration"] = chosen
    if "NoncurrentVersionExpirationInDays" in rule:
        plain["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(rule["NoncurrentVersionExpirationInDays"])}
    if "Transitions" in rule:
        plain["Transitions"] = [
            {"StorageClass": each["StorageClass"], "Days": int(each["TransitionInDays"])}
            for each in rule["Transitions"]
        ]
    return plain


def _as(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {name: value}


_PUT: Mapping[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "VersioningConfiguration": ("put_bucket_versioning", _as("VersioningConfiguration")),
    "BucketEncryption": ("put_bucket_encryption", _encryption),
    "PublicAccessBlockConfiguration": ("put_public_access_block", _as("PublicAccessBlockConfiguration")),
    "OwnershipControls": ("put_bucket_ownership_controls", _as("OwnershipControls")),
    "LifecycleConfiguration": ("put_bucket_lifecycle_configuration", _lifecycle),
    "ObjectLockConfiguration": ("put_object_lock_configuration", _as("ObjectLockConfiguration")),
    "Tags": ("put_bucket_tagging", lambda tags: {"Tagging": {"TagSet": tags}}),
    "NotificationConfiguration": ("put_bucket_notification_configuration", _notification),
}
_DELETE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "LifecycleConfiguration": ("delete_bucket_lifecycle", {}),
    "NotificationConfiguration": ("put_bucket_notification_configuration", {"NotificationConfiguration": {}}),
    "OwnershipControls": ("delete_bucket_ownership_controls", {}),
    "PublicAccessBlockConfiguration": ("delete_public_access_block", {}),
    "Tags": ("delete_bucket_tagging", {}),
}


class BucketPolicy(Resource):
    """AWS::S3::BucketPolicy."""

    kind = "AWS::S3::BucketPolicy"

    def create(self) -> None:
        self.physical_resource_id = self.properties["Bucket"]
        self.update({})

    def update(self, before: Properties) -> None:
        policy = json.dumps(self.properties["PolicyDocument"])
        self.client("s3").put_bucket_policy(Bucket=self.properties["Bucket"], Policy=policy)

    def replaced_by(self, properties: Properties) -> bool:
        return bool(properties["Bucket"] != self.properties["Bucket"])

    def destroy(self) -> None:
        self.client("s3").delete_bucket_policy(Bucket=self.properties["Bucket"])


class Table(Resource):
    """AWS::DynamoDB::Table."""

    kind = "AWS::DynamoDB::Table"
    name_property = "TableName"

    def create(self) -> None:
        encryption = self.properties.get("SSESpecification")
        renamed = {"SSESpecification": _table_encryption(encryption)} if encryption else {}
        created = self.call("dynamodb", "create_table", TableName=self.name, **renamed)["TableDescription"]
        self.attributes = {"Arn": created["TableArn"]}
        if "LatestStreamArn" in created:
            self.attributes["StreamArn"] = created["LatestStreamArn"]
        self._put_separate_settings({})

    def update(self, before: Properties) -> None:
        changed = {"DeletionProtectionEnabled", "BillingMode", "ProvisionedThroughput", "StreamSpecification"}
        settings = {name: self.properties[name] for name in changed if self.properties.get(name) != before.get(name)}
        if settings:
            self.client("dynamodb").update_table(TableName=self.name, **settings)
        old, new = (_by_name(each.get("GlobalSecondaryIndexes", [])) for each in (before, self.properties))
        for name in old.keys() - new.keys():
            self._change_index({"Delete": {"IndexName": name}})
        for name in new.keys() - old.keys():
            self._change_index({"Create": new[name]})
        self._put_separate_settings(before)

    def _change_index(self, change: dict[str, Any]) -> None:
        self.client("dynamodb").update_table(
            TableName=self.name,
            AttributeDefinitions=self.properties["AttributeDefinitions"],
            GlobalSecondaryIndexUpdates=[change],
        )

    def _put_separate_settings(self, before: Properties) -> None:
        """Put the settings that are not parameters of CreateTable."""
        client, properties = self.client("dynamodb"), self.properties
        if (ttl := properties.get("TimeToLiveSpecification")) != before.get("TimeToLiveSpecification"):
            client.update_time_to_live(TableName=self.name, TimeToLiveSpecification=ttl)
        recovery = properties.get("PointInTimeRecoverySpecification")
        if recovery != before.get("PointInTimeRecoverySpecification"):
            client.update_continuous_backups(TableName=self.name, PointInTimeRecoverySpecification=recovery)

    def replaced_by(self, properties: Properties) -> bool:
        return super().replaced_by(properties) or properties["KeySchema"] != self.properties["KeySchema"]

    def destroy(self) -> None:
        self.client("dynamodb").delete_table(TableName=self.name)


def _table_encryption(value: Properties) -> dict[str, Any]:
    return {("Enabled" if name == "SSEEnabled" else name): each for name, each in value.items()}


def _by_name(indexes: list[Any]) -> dict[str, Any]:
    return {index["IndexName"]: index for index in indexes}
