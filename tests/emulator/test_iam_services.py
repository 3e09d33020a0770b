"""A role's policies bound what a function does with KMS keys, queues, tables and buses; every check is logged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.callers import ACCOUNT, allow, caller, on, role
from tests.emulator.plain import Plain, head, put, refused

# KMS


def keys(action: str | list[str], key: str) -> dict[str, Any]:
    return allow(action, key, Condition={"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}})


def test_objects_of_a_kms_key_are_written_and_read_only_by_who_may_use_the_key(aws: Plain, bucket: str) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    sse = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    with refused("AccessDenied", 403) as error:
        put(caller(aws, on(bucket, "*"), keys("kms:Decrypt", key)), bucket, **sse)
    assert f"perform: kms:GenerateDataKey on resource: {key}" in error["Message"]
    writes = caller(aws, on(bucket, "*"), keys("kms:GenerateDataKey", key))
    put(writes, bucket, **sse)
    head(writes, bucket)
    with refused("403", 403):
        head(writes, bucket, ChecksumMode="ENABLED")
    with refused("AccessDenied", 403):
        writes.get_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        writes.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    reads = caller(aws, on(bucket, "*"), keys("kms:Decrypt", key))
    head(reads, bucket, ChecksumMode="ENABLED")
    reads.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")


def test_an_upload_in_parts_reads_its_parts_again_with_the_key(aws: Plain, bucket: str) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    writes = caller(aws, on(bucket, "*"), keys("kms:GenerateDataKey", key))
    named = {"Bucket": bucket, "Key": "key"}
    upload = writes.create_multipart_upload(**named, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)["UploadId"]
    with refused("AccessDenied", 403):
        writes.upload_part(**named, UploadId=upload, PartNumber=1, Body=b"1")
    both = caller(aws, on(bucket, "*"), keys(["kms:Decrypt", "kms:GenerateDataKey"], key))
    part = both.upload_part(**named, UploadId=upload, PartNumber=1, Body=b"1")["ETag"]
    with refused("AccessDenied", 403):
        writes.list_parts(**named, UploadId=upload)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    with refused("AccessDenied", 403):
        writes.complete_multipart_upload(**named, UploadId=upload, MultipartUpload=parts)


def test_the_key_that_aws_manages_for_s3_needs_no_permission(aws: Plain, bucket: str) -> None:
    theirs = caller(aws, on(bucket, "*"))
    put(theirs, bucket, ServerSideEncryption="aws:kms")
    theirs.get_object(Bucket=bucket, Key="key")


def test_a_key_policy_that_does_not_name_the_account_shuts_its_roles_out(aws: Plain, bucket: str) -> None:
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    elsewhere = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "kms:*"}
    theirs = caller(aws, on(bucket, "*"), keys("kms:*", key))
    put(theirs, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**elsewhere, "Resource": "*"}]})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document)
    with refused("AccessDenied", 403) as error:
        put(theirs, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert "because no resource-based policy allows" in error["Message"]


# Other services


def test_each_service_refuses_in_its_own_words(aws: Plain) -> None:
    url, _ = aws.queue()
    with refused("AccessDenied", 403):
        caller(aws, service="sqs").send_message(QueueUrl=url, MessageBody="x")
    with refused("AccessDeniedException", 400):
        caller(aws, service="dynamodb").get_item(TableName="t", Key={"a": {"S": "1"}})
    with refused("AccessDeniedException", 400):
        entry = {"Source": "s", "DetailType": "d", "Detail": "{}"}
        caller(aws, service="events").put_events(Entries=[entry])
    with refused("AccessDeniedException", 400):
        caller(aws, service="kms").describe_key(KeyId="alias/none")
    with refused("AccessDenied", 403):
        caller(aws, service="iam").list_roles()
    assert caller(aws, service="sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_batch_of_messages_needs_what_one_needs(aws: Plain) -> None:
    url, arn = aws.queue()
    theirs = caller(aws, allow("sqs:SendMessage", arn), service="sqs")
    theirs.send_message(QueueUrl=url, MessageBody="x")
    theirs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "x"}])
    with refused("AccessDenied", 403):
        theirs.receive_message(QueueUrl=url)
    other, _ = aws.queue()
    with refused("AccessDenied", 403):
        theirs.send_message(QueueUrl=other, MessageBody="x")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_queue_can_be_told_by_its_tags_in_any_region(aws: Plain, region: str) -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/s3replicator": "changes"}}
    theirs = caller(aws, allow("sqs:SendMessage", "*", Condition=tagged), service="sqs", region=region)
    url, _ = aws.queue(region)
    for tags in ({}, {"s3replicator": "parts"}):
        if tags:
            aws.client("sqs", region).tag_queue(QueueUrl=url, Tags=tags)
        with refused("AccessDenied", 403):
            theirs.send_message(QueueUrl=url, MessageBody="x")
    aws.client("sqs", region).tag_queue(QueueUrl=url, Tags={"s3replicator": "changes"})
    theirs.send_message(QueueUrl=url, MessageBody="x")
    with refused("AccessDenied", 403):
        theirs.receive_message(QueueUrl=url)


def test_a_queue_policy_denies_what_a_role_allows(aws: Plain) -> None:
    denies = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    url, arn = aws.queue(policy=denies)
    with refused("AccessDenied", 403) as error:
        caller(aws, allow("sqs:*", arn), service="sqs").send_message(QueueUrl=url, MessageBody="x")
    assert error["Message"].endswith("with an explicit deny in a resource-based policy")


def test_a_query_of_an_index_needs_the_index(aws: Plain) -> None:
    table = "table"
    dynamodb = aws.client("dynamodb")
    by_b = [{"AttributeName": "b", "KeyType": "HASH"}]
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "ab"],
        KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{"IndexName": "ByB", "KeySchema": by_b, "Projection": {"ProjectionType": "ALL"}}],
    )
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}"
    one = {":v": {"S": "1"}}
    whole, part = {"KeyConditionExpression": "a = :v"}, {"KeyConditionExpression": "b = :v", "IndexName": "ByB"}
    of_table = caller(aws, allow("dynamodb:*", arn), service="dynamodb")
    of_table.query(TableName=table, ExpressionAttributeValues=one, **whole)
    of_table.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": {"a": {"S": "1"}}}}])
    with refused("AccessDeniedException", 400):
        of_table.query(TableName=table, ExpressionAttributeValues=one, **part)
    of_index = caller(aws, allow("dynamodb:Query", f"{arn}/index/ByB"), service="dynamodb")
    of_index.query(TableName=table, ExpressionAttributeValues=one, **part)
    with refused("AccessDeniedException", 400):
        of_index.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": {"a": {"S": "1"}}}}])


def test_events_need_the_bus_that_they_go_to(aws: Plain) -> None:
    bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    theirs = caller(aws, allow("events:PutEvents", bus), service="events")
    entry = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    theirs.put_events(Entries=[entry])
    with refused("AccessDeniedException", 400):
        theirs.put_events(Entries=[entry, {**entry, "EventBusName": "other"}])


def test_an_aws_managed_policy_can_be_attached(aws: Plain) -> None:
    url, _ = aws.queue()
    arn = role(aws)
    theirs = aws.client("sqs", credentials=aws.emulator.principals.issue("AROA1", "f", role_arn=arn))
    with refused("AccessDenied", 403):
        theirs.receive_message(QueueUrl=url)
    managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
    aws.client("iam").attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=managed)
    theirs.receive_message(QueueUrl=url)


# The log


def test_each_check_of_a_function_can_be_read_afterwards(aws: Plain, bucket: str) -> None:
    aws.delete("authorizations")
    theirs = caller(aws, on(bucket, "PutObject"))
    put(theirs, bucket)
    with refused("AccessDenied", 403):
        put(theirs, bucket, Tagging="a=b")
    rows = aws.get("authorizations")
    assert [(row["action"], row["allowed"]) for row in rows] == [
        ("s3:PutObject", True),
        ("s3:PutObject", True),
        ("s3:PutObjectTagging", False),
    ]
    assert {row["function"] for row in rows} == {"replicate"}
    assert rows[0]["conditions"]["aws:SecureTransport"] == "true"
    assert aws.delete("authorizations") == aws.get("authorizations") == []
