"""Stacks: which resources a template becomes, what an update keeps, what a deletion retains."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Options, Running, running
from emulator.world.document import World, WorldBucket, WorldStack
from emulator.world.stacks import TEMPLATE, DeployError, derived_parameters, packaged
from tests.emulator import sample_stack

REGION = "us-east-1"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_stack.write(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="module")
def emulator(template: Path) -> Iterator[Running]:
    stack = WorldStack("sample", REGION, {"CreateSourceBucket": "fresh", "SourceBuckets": "one,two"})
    with running(World(stacks=(stack,)), Options(template=template)) as up:
        yield up


def create(emulator: Running, name: str, body: str, **parameters: str) -> dict[str, Any]:
    """Deploy a stack through the API; returns its description."""
    cloudformation = emulator.client("cloudformation", REGION)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=body,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    return describe(emulator, name)


def describe(emulator: Running, name: str) -> dict[str, Any]:
    (stack,) = emulator.client("cloudformation", REGION).describe_stacks(StackName=name)["Stacks"]
    return dict(stack)


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def function(emulator: Running, name: str) -> dict[str, Any]:
    return dict(emulator.client("lambda", REGION).get_function_configuration(FunctionName=name))


def test_the_outputs_of_a_stack_are_resolved(emulator: Running) -> None:
    found = emulator.outputs("sample")
    assert found["Queue"].startswith(f"{emulator.endpoint}/123456789012/sample-Queue-")
    assert found["QueueArn"] == f"arn:aws:sqs:{REGION}:123456789012:{found['Queue'].rpartition('/')[2]}"
    assert found["RecordFunction"] == "sample-record"
    assert found["Bucket"] == "fresh"


def test_a_function_has_exactly_the_environment_of_the_template(emulator: Running) -> None:
    found = emulator.outputs("sample")
    assert function(emulator, "sample-record")["Environment"]["Variables"] == {
        "LEVEL": "INFO",
        "MINUTES": "15",
        "QUEUE_URL": found["Queue"],
        "PRINCIPALS": found["Principals"],
    }


def test_the_role_id_is_the_one_that_iam_knows(emulator: Running) -> None:
    role = function(emulator, "sample-record")["Role"].rpartition("/")[2]
    known = emulator.client("iam", REGION).get_role(RoleName=role)["Role"]["RoleId"]
    assert emulator.outputs("sample")["Principals"] == f"{known}:sample-record"


def test_a_resource_whose_condition_does_not_hold_is_not_created(emulator: Running) -> None:
    role = function(emulator, "sample-record")["Role"].rpartition("/")[2]
    policy = emulator.client("iam", REGION).get_role_policy(RoleName=role, PolicyName="record")["PolicyDocument"]
    assert policy["Statement"][1]["Resource"] == ["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"]
    bare = outputs(create(emulator, "bare", packaged_sample(emulator)))
    assert "Bucket" not in bare
    role = function(emulator, "bare-record")["Role"].rpartition("/")[2]
    policy = emulator.client("iam", REGION).get_role_policy(RoleName=role, PolicyName="record")["PolicyDocument"]
    assert [each["Action"] for each in policy["Statement"] if "s3:" in str(each["Action"])] == []


def packaged_sample(emulator: Running, **changes: str) -> str:
    """Return the sample template as it is deployed, with texts of it replaced."""
    body = packaged_text(emulator)
    for before, after in changes.items():
        assert before in body
        body = body.replace(before, after)
    return body


def packaged_text(emulator: Running) -> str:
    text: str = emulator.client("cloudformation", REGION).get_template(StackName="sample")["TemplateBody"]
    return text if isinstance(text, str) else json.dumps(text)


def test_a_queue_has_its_attributes_and_its_policy(emulator: Running) -> None:
    found = emulator.outputs("sample")
    sqs = emulator.client("sqs", REGION)
    attributes = sqs.get_queue_attributes(QueueUrl=found["Queue"], AttributeNames=["All"])["Attributes"]
    dead = found["DeadQueue"].rpartition("/")[2]
    assert attributes["VisibilityTimeout"] == "60"
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:123456789012:{dead}",
        "maxReceiveCount": 3,
    }
    assert json.loads(attributes["Policy"])["Statement"][0]["Resource"] == found["QueueArn"]


def test_an_event_source_mapping_has_its_settings(emulator: Running) -> None:
    mappings = emulator.client("lambda", REGION).list_event_source_mappings()["EventSourceMappings"]
    queue = emulator.outputs("sample")["QueueArn"]
    (mapping,) = (each for each in mappings if each["EventSourceArn"] == queue)
    assert mapping["BatchSize"] == 10
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert len(mapping["FilterCriteria"]["Filters"]) == 2


def test_a_table_has_its_index_its_expiry_and_its_recovery(emulator: Running) -> None:
    table, dynamodb = emulator.outputs("sample")["Table"], emulator.client("dynamodb", REGION)
    description = dynamodb.describe_table(TableName=table)["Table"]
    assert [each["IndexName"] for each in description["GlobalSecondaryIndexes"]] == ["ByB"]
    assert description["SSEDescription"]["Status"] == "ENABLED"
    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_bucket_has_everything_that_its_template_says(emulator: Running) -> None:
    s3 = emulator.client("s3", REGION)
    assert s3.get_bucket_versioning(Bucket="fresh")["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket="fresh")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
    ownership = s3.get_bucket_ownership_controls(Bucket="fresh")["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (lifecycle,) = s3.get_bucket_lifecycle_configuration(Bucket="fresh")["Rules"]
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    (notification,) = s3.get_bucket_notification_configuration(Bucket="fresh")["QueueConfigurations"]
    assert notification["QueueArn"] == emulator.outputs("sample")["QueueArn"]
    assert notification["Events"] == ["s3:ObjectCreated:*"]


def test_a_log_group_has_its_retention(emulator: Running) -> None:
    groups = emulator.client("logs", REGION).describe_log_groups(logGroupNamePrefix="/aws/lambda/sample-record")
    assert groups["logGroups"][0]["retentionInDays"] == 30


def test_an_alarm_has_its_metric(emulator: Running) -> None:
    alarms = emulator.client("cloudwatch", REGION).describe_alarms(AlarmNamePrefix="sample-Alarm")["MetricAlarms"]
    assert [each["MetricName"] for each in alarms] == ["Count"]


def test_a_dashboard_has_the_names_of_the_stacks_resources(emulator: Running) -> None:
    dashboard = emulator.client("cloudwatch", REGION).get_dashboard(DashboardName="sample")["DashboardBody"]
    assert json.loads(dashboard)["widgets"][0]["properties"]["metrics"][0][-1] == "sample-record"


def test_an_update_changes_what_changed_and_keeps_the_rest(emulator: Running) -> None:
    before = outputs(create(emulator, "changing", packaged_sample(emulator)))
    sqs, cloudformation = emulator.client("sqs", REGION), emulator.client("cloudformation", REGION)
    sqs.send_message(QueueUrl=before["DeadQueue"], MessageBody="still there")
    cloudformation.update_stack(
        StackName="changing",
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "Minutes", "ParameterValue": "20"},
            {"ParameterKey": "MaximumConcurrency", "ParameterValue": "7"},
            {"ParameterKey": "Level", "UsePreviousValue": True},
        ],
    )
    stack = describe(emulator, "changing")
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert outputs(stack) == before
    assert {"ParameterKey": "Minutes", "ParameterValue": "20"} in stack["Parameters"]
    assert function(emulator, "changing-record")["Environment"]["Variables"]["MINUTES"] == "20"
    mappings = emulator.client("lambda", REGION).list_event_source_mappings()["EventSourceMappings"]
    limits = {each["EventSourceArn"]: each.get("ScalingConfig") for each in mappings}
    assert limits[before["QueueArn"]] == {"MaximumConcurrency": 7}
    (message,) = sqs.receive_message(QueueUrl=before["DeadQueue"])["Messages"]
    assert message["Body"] == "still there"


def test_an_update_deletes_and_adds_resources(emulator: Running) -> None:
    body = packaged_sample(emulator)
    before = outputs(create(emulator, "growing", body))
    document = json.loads(body)
    del document["Resources"]["Alarm"]
    del document["Resources"]["Table"], document["Outputs"]["Table"]
    document["Resources"]["Extra"] = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 3}}
    document["Resources"]["Queue"]["Properties"]["VisibilityTimeout"] = 90
    document["Outputs"]["Extra"] = {"Value": {"Ref": "Extra"}}
    emulator.client("cloudformation", REGION).update_stack(StackName="growing", TemplateBody=json.dumps(document))
    after = outputs(describe(emulator, "growing"))
    sqs = emulator.client("sqs", REGION)
    names = ["DelaySeconds", "VisibilityTimeout"]
    extra = sqs.get_queue_attributes(QueueUrl=after["Extra"], AttributeNames=names)["Attributes"]
    queue = sqs.get_queue_attributes(QueueUrl=after["Queue"], AttributeNames=names)["Attributes"]
    assert (extra["DelaySeconds"], queue["VisibilityTimeout"]) == ("3", "90")
    assert emulator.client("cloudwatch", REGION).describe_alarms(AlarmNamePrefix="growing")["MetricAlarms"] == []
    assert before["Table"] in emulator.client("dynamodb", REGION).list_tables()["TableNames"]  # its policy is to retain


def test_a_deleted_stack_retains_what_its_template_says(emulator: Running) -> None:
    found = outputs(create(emulator, "leaving", packaged_sample(emulator)))
    cloudformation = emulator.client("cloudformation", REGION)
    cloudformation.delete_stack(StackName="leaving")
    assert found["Table"] in emulator.client("dynamodb", REGION).list_tables()["TableNames"]
    assert found["Queue"] not in emulator.client("sqs", REGION).list_queues()["QueueUrls"]
    names = [each["FunctionName"] for each in emulator.client("lambda", REGION).list_functions()["Functions"]]
    assert "leaving-record" not in names
    with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="leaving")


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"Sources": "x"}, r"Parameters: \[Sources\] do not exist in the template"),
        ({"Level": "LOUD"}, "Parameter 'Level' must be one of AllowedValues \\[INFO, DEBUG\\], not 'LOUD'"),
        ({"Minutes": "61"}, "Parameter 'Minutes' must be from 1 to 60, not 61"),
        ({"Minutes": "soon"}, "Parameter 'Minutes' must be a number, not 'soon'"),
    ],
    ids=["an unknown name", "a value that is not allowed", "a number too high", "no number"],
)
def test_a_wrong_parameter_of_a_stack_is_refused(emulator: Running, parameters: dict[str, str], complaint: str) -> None:
    with pytest.raises(emulator.client("cloudformation", REGION).exceptions.ClientError, match=complaint):
        create(emulator, "refused", packaged_sample(emulator), **parameters)


def test_a_template_that_the_sam_transform_refuses_is_refused_with_its_message(emulator: Running) -> None:
    body = json.loads(packaged_sample(emulator))
    body["Resources"]["LookFunction"]["Properties"]["CodeUri"] = "elsewhere/"
    with pytest.raises(emulator.client("cloudformation", REGION).exceptions.ClientError, match="not a valid S3 Uri"):
        create(emulator, "refused", json.dumps(body))


def test_a_stack_that_cannot_be_created_is_rolled_back_and_says_why(emulator: Running) -> None:
    stack = create(emulator, "failing", packaged_sample(emulator), CreateSourceBucket="fresh")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = emulator.client("cloudformation", REGION).describe_stack_events(StackName="failing")["StackEvents"]
    assert any("fresh already exists" in each.get("ResourceStatusReason", "") for each in events)
    assert not [each for each in emulator.client("sqs", REGION).list_queues()["QueueUrls"] if "failing" in each]


def test_a_stack_whose_name_makes_a_function_name_too_long_is_rolled_back(emulator: Running) -> None:
    stack = create(emulator, "l" * 64, packaged_sample(emulator))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "at 'functionName' failed to satisfy constraint" in stack["StackStatusReason"]


def test_what_a_rolled_back_creation_leaves_is_said_by_the_deletion_policy(emulator: Running) -> None:
    policies = {"retain": "Retain", "retainexceptoncreate": "RetainExceptOnCreate", "delete": "Delete"}
    resources: dict[str, Any] = {
        policy.capitalize(): {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": value,
            "Properties": {"BucketName": f"left-{policy}"},
        }
        for policy, value in policies.items()
    }
    resources["Taken"] = {
        "Type": "AWS::S3::Bucket",
        "DependsOn": [*resources],
        "Properties": {"BucketName": "fresh"},
    }
    assert create(emulator, "left", json.dumps({"Resources": resources}))["StackStatus"] == "ROLLBACK_COMPLETE"
    buckets = [each["Name"] for each in emulator.client("s3").list_buckets()["Buckets"]]
    assert [name for name in buckets if name.startswith("left-")] == ["left-retain"]


def test_a_stack_can_be_created_and_updated_by_change_sets(emulator: Running) -> None:
    cloudformation, body = emulator.client("cloudformation", REGION), packaged_sample(emulator)
    made = cloudformation.create_change_set(
        StackName="staged", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body
    )
    described = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    added = {each["ResourceChange"]["LogicalResourceId"] for each in described["Changes"]}
    assert {"RecordFunction", "Queue", "RecordFunctionMessages"} <= added
    cloudformation.execute_change_set(ChangeSetName=made["Id"])
    stack = describe(emulator, "staged")
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert outputs(stack)["RecordFunction"] == "staged-record"
    again = cloudformation.create_change_set(
        StackName="staged", ChangeSetName="second", ChangeSetType="UPDATE", TemplateBody=body
    )
    assert cloudformation.describe_change_set(ChangeSetName=again["Id"])["Status"] == "FAILED"


def test_template_yaml_can_be_deployed_and_has_the_promised_outputs(emulator: Running) -> None:
    found = outputs(create(emulator, "real", packaged(TEMPLATE), SourceBuckets="one", DestinationBuckets="two"))
    promised = {
        "ReplicateFunction",
        "CopyPartsFunction",
        "MonitorFunction",
        "BatchFunction",
        "VerifyFunction",
        "ChangeQueue",
        "BackfillQueue",
        "PartQueue",
        "DeadLetterQueue",
        "JournalTable",
        "ControlBucket",
    }
    assert promised <= found.keys()
    assert all(found[name].startswith("http://") for name in found if name.endswith("Queue"))


def test_the_parameters_of_a_worlds_stack_name_its_buckets_and_what_its_rules_name() -> None:
    rules = {
        "Rules": [
            {"Destination": {"Bucket": "arn:aws:s3:::elsewhere", "EncryptionConfiguration": {"ReplicaKmsKeyID": "k"}}},
            {"Destination": "malformed"},
            "malformed",
        ]
    }
    stack = WorldStack(
        "s", "us-east-1", rules={"a": rules, "b": {"Rules": None}, "c": {"ReplicationConfiguration": rules}}
    )
    world = World((WorldBucket("a", "us-east-1"), WorldBucket("d", "us-west-2")), (stack,))
    assert derived_parameters(stack, world) == {
        "SourceBuckets": "a",
        "DestinationBuckets": "a,d,elsewhere",
        "SourceKmsKeys": "",
        "DestinationKmsKeys": "k",
        "ReplicaModifications": "false",
        "AnnotationDeletions": "false",
    }


@pytest.mark.parametrize("status", ["Enabled", "Disabled"])
@pytest.mark.parametrize(
    ("parameter", "section", "wrapped"),
    [("ReplicaModifications", "SourceSelectionCriteria", True), ("AnnotationDeletions", "ReplicatorOptions", False)],
)
def test_what_one_rule_enables_every_stack_of_the_world_may_do(
    parameter: str, section: str, wrapped: bool, status: str
) -> None:
    rule = {section: {parameter: {"Status": status} if wrapped else status}}
    theirs = WorldStack("theirs", "us-west-2", rules={"b": {"Rules": [{section: None}, rule]}})
    ours = WorldStack("ours", "us-east-1")
    expected = "true" if status == "Enabled" else "false"
    assert derived_parameters(ours, World(stacks=(ours, theirs)))[parameter] == expected


def test_a_template_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"nothing\.yaml: No such file"):
        packaged(tmp_path / "nothing.yaml")


def test_a_queue_has_the_tags_of_its_template_and_follows_their_changes(emulator: Running) -> None:
    def body(**tags: str) -> str:
        properties = {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        queue = {"Type": "AWS::SQS::Queue", "Properties": properties}
        return json.dumps({"Resources": {"Queue": queue}, "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}})

    url = outputs(create(emulator, "tagged", body(s3replicator="changes", team="a")))["Url"]
    sqs, cloudformation = emulator.client("sqs", REGION), emulator.client("cloudformation", REGION)
    of_cloudformation = {"aws:cloudformation:stack-name": "tagged", "aws:cloudformation:logical-id": "Queue"}
    wanted = {"s3replicator": "changes", "team": "a", **of_cloudformation}
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == wanted
    cloudformation.update_stack(StackName="tagged", TemplateBody=body(s3replicator="parts"))
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"s3replicator": "parts", **of_cloudformation}
