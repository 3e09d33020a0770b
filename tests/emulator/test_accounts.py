"""Several accounts: what belongs to which, and that a stranger may do only what both accounts allow."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.model import Shape

from emulator import s3 as emulated
from emulator.iam.principals import Credentials
from emulator.running import Running, running
from emulator.world.document import parse_world
from emulator.world.fields import WorldError
from tests.emulator.accounts import OTHERS, OURS, THEIRS, allow, function, policy, role, using
from tests.emulator.plain import refused

TO_OUR_USER = {"AWS": f"arn:aws:iam::{OURS}:user/emulator"}
WORLD: dict[str, Any] = {
    "accounts": [OTHERS],
    "buckets": [
        {"name": "ours", "region": "us-east-1"},
        {"name": "theirs", "region": "us-east-1", "account": THEIRS},
        {
            "name": "admitting",
            "region": "us-east-1",
            "account": THEIRS,
            "policy": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": TO_OUR_USER,
                        "Action": ["s3:GetObject", "s3:PutObject", "s3:*BucketPolicy"],
                        "Resource": ["arn:aws:s3:::admitting", "arn:aws:s3:::admitting/*"],
                    }
                ]
            },
        },
    ],
}
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


@pytest.fixture
def client(emulator: Running) -> Client:
    return emulator.client


# The world and the ready file


def test_the_ready_file_names_the_user_of_each_account(emulator: Running) -> None:
    document = emulator.ready_document()
    assert set(document["accounts"]) == {OURS, THEIRS, OTHERS}
    assert document["accounts"][OURS] == {name: document[name] for name in ("access_key_id", "secret_access_key")}
    assert len({each["access_key_id"] for each in document["accounts"].values()}) == 3


@pytest.mark.parametrize("field", ["buckets[0].account", "stacks[0].account", "accounts[0]"])
def test_the_id_of_an_account_has_twelve_digits(field: str) -> None:
    wrong: dict[str, Any] = {
        "buckets[0].account": {"buckets": [{"name": "one", "region": "us-east-1", "account": "12"}]},
        "stacks[0].account": {"stacks": [{"name": "one", "region": "us-east-1", "account": "12"}]},
        "accounts[0]": {"accounts": ["12"]},
    }
    with pytest.raises(WorldError, match=field.replace("[", r"\[").replace("]", r"\]")):
        parse_world(wrong[field])


# What belongs to which account


def test_each_account_lists_its_own_buckets(client: Client) -> None:
    listed = {account: client("s3", account=account).list_buckets()["Buckets"] for account in (OURS, THEIRS, OTHERS)}
    assert {account: [each["Name"] for each in buckets] for account, buckets in listed.items()} == {
        OURS: ["ours"],
        THEIRS: ["admitting", "theirs"],
        OTHERS: [],
    }


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_the_name_of_a_bucket_is_taken_for_all_accounts(client: Client, region: str) -> None:
    with refused("BucketAlreadyExists", 409):
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client("s3", region).create_bucket(Bucket="theirs", **where)


def test_a_bucket_belongs_to_who_creates_it_and_is_deleted_by_them(client: Client) -> None:
    s3 = client("s3", account=OTHERS)
    s3.create_bucket(Bucket="created", ObjectOwnership="BucketOwnerEnforced")
    with refused("AccessDenied", 403):
        client("s3").delete_bucket(Bucket="created")
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["created"]
    s3.put_bucket_tagging(Bucket="created", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert s3.get_bucket_tagging(Bucket="created")["TagSet"] == [{"Key": "a", "Value": "1"}]
    s3.delete_bucket(Bucket="created")
    assert s3.list_buckets()["Buckets"] == []


def test_queues_keys_and_tables_of_the_same_name_are_of_different_accounts(client: Client) -> None:
    for account in (OURS, THEIRS):
        sqs = client("sqs", account=account)
        url = sqs.create_queue(QueueName="same")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        assert attributes["QueueArn"] == f"arn:aws:sqs:us-east-1:{account}:same"
        assert client("kms", account=account).create_key()["KeyMetadata"]["AWSAccountId"] == account
        schema: dict[str, Any] = {
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        table = client("dynamodb", account=account).create_table(TableName="same", **schema)["TableDescription"]
        assert f":{account}:" in table["TableArn"]


def test_the_key_of_an_iam_user_is_of_the_account_that_created_it(emulator: Running, client: Client) -> None:
    iam = client("iam", account=THEIRS)
    iam.create_user(UserName="her")
    key = iam.create_access_key(UserName="her")["AccessKey"]
    hers = using(emulator, Credentials(key["AccessKeyId"], key["SecretAccessKey"], ""))
    assert [each["Name"] for each in hers.list_buckets()["Buckets"]] == ["admitting", "theirs"]
    with refused("AccessDenied", 403):
        hers.list_objects_v2(Bucket="ours")


# Strangers


def test_a_stranger_may_nothing_without_the_policy_of_the_bucket(client: Client) -> None:
    s3 = client("s3")
    client("s3", account=THEIRS).put_object(Bucket="theirs", Key="key", Body=b"1")
    asked: list[Callable[[], Any]] = [
        lambda: s3.get_object(Bucket="theirs", Key="key"),
        lambda: s3.get_object(Bucket="theirs", Key="missing"),
        lambda: s3.put_object(Bucket="theirs", Key="key", Body=b"2"),
        lambda: s3.delete_object(Bucket="theirs", Key="key"),
        lambda: s3.list_object_versions(Bucket="theirs"),
        lambda: s3.get_bucket_versioning(Bucket="theirs"),
        lambda: s3.put_bucket_policy(Bucket="theirs", Policy='{"Statement": []}'),
        lambda: s3.delete_bucket(Bucket="theirs"),
        lambda: s3.copy_object(Bucket="ours", Key="key", CopySource="theirs/key"),
    ]
    for ask in asked:
        with refused("AccessDenied", 403) as caught:
            ask()
        assert caught["Message"] == "Access Denied"
    assert client("s3", account=THEIRS).get_object(Bucket="theirs", Key="key")["Body"].read() == b"1"


def test_a_stranger_may_what_the_policy_of_the_bucket_says_and_no_more(client: Client) -> None:
    s3 = client("s3")
    s3.put_object(Bucket="admitting", Key="key", Body=b"1")
    assert s3.get_object(Bucket="admitting", Key="key")["Body"].read() == b"1"
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket="admitting", Key="key")
    with refused("AccessDenied", 403):
        client("s3", account=OTHERS).get_object(Bucket="admitting", Key="key")


def test_the_policy_of_a_bucket_is_its_owners_affair(client: Client) -> None:
    """Even a caller that the policy allows to."""
    s3 = client("s3")
    for ask in (s3.get_bucket_policy, s3.delete_bucket_policy):
        with refused("MethodNotAllowed", 405):
            ask(Bucket="admitting")
    with refused("MethodNotAllowed", 405):
        s3.put_bucket_policy(Bucket="admitting", Policy='{"Statement": []}')
    assert "Statement" in client("s3", account=THEIRS).get_bucket_policy(Bucket="admitting")["Policy"]


@pytest.mark.parametrize("by_role", [True, False])
@pytest.mark.parametrize("by_bucket", [True, False])
def test_a_role_needs_both_sides(emulator: Running, client: Client, by_role: bool, by_bucket: bool) -> None:
    name = f"both-sides-{by_role}-{by_bucket}".lower()
    owner = client("s3", account=THEIRS)
    owner.create_bucket(Bucket=name)
    statement = allow("s3:PutObject", f"arn:aws:s3:::{name}/*")
    s3 = using(emulator, function(emulator, role(emulator, OURS, None, *[statement] * by_role)))
    if by_bucket:
        owner.put_bucket_policy(Bucket=name, Policy=policy(statement | {"Principal": {"AWS": OURS}}))
    if by_role and by_bucket:
        s3.put_object(Bucket=name, Key="key", Body=b"1")
        return
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=name, Key="key", Body=b"1")


def test_a_public_policy_admits_no_stranger_where_public_buckets_are_restricted(client: Client) -> None:
    owner, s3 = client("s3", account=THEIRS), client("s3")
    owner.create_bucket(Bucket="restricted")
    owner.delete_public_access_block(Bucket="restricted")
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    owner.put_bucket_policy(Bucket="restricted", Policy=json.dumps({"Statement": [everybody]}))
    s3.put_object(Bucket="restricted", Key="key", Body=b"1")
    owner.put_public_access_block(Bucket="restricted", PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    with refused("AccessDenied", 403):
        s3.put_object(Bucket="restricted", Key="key", Body=b"1")
    owner.put_object(Bucket="restricted", Key="key", Body=b"1")


def test_a_stranger_may_not_use_a_queue_unless_its_policy_says_so(client: Client) -> None:
    owner, sqs = client("sqs", account=THEIRS), client("sqs")
    url = owner.create_queue(QueueName="guarded")["QueueUrl"]
    with refused("AccessDenied", 403):
        sqs.send_message(QueueUrl=url, MessageBody="1")
    with refused("AccessDenied", 403):
        sqs.get_queue_url(QueueName="guarded", QueueOwnerAWSAccountId=THEIRS)
    arn = f"arn:aws:sqs:us-east-1:{THEIRS}:guarded"
    statement = {"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": "sqs:SendMessage", "Resource": arn}
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    sqs.send_message(QueueUrl=url, MessageBody="2")
    with refused("AccessDenied", 403):
        sqs.receive_message(QueueUrl=url)
    assert [each["Body"] for each in owner.receive_message(QueueUrl=url)["Messages"]] == ["2"]


def test_a_stranger_may_not_use_a_key_or_a_table(client: Client) -> None:
    key = client("kms", account=THEIRS).create_key()["KeyMetadata"]["Arn"]
    with refused("AccessDeniedException", 400):
        client("kms").encrypt(KeyId=key, Plaintext=b"1")
    with refused("AccessDeniedException", 400):
        table = f"arn:aws:dynamodb:us-east-1:{THEIRS}:table/whatever"
        client("dynamodb").get_item(TableName=table, Key={"k": {"S": "1"}})


def test_a_stranger_sees_no_jobs_of_another_account(client: Client) -> None:
    with refused("AccessDenied", 403):
        client("s3control").list_jobs(AccountId=THEIRS)
    assert client("s3control", account=THEIRS).list_jobs(AccountId=THEIRS)["Jobs"] == []


# The expected owner


def _value(shape: Shape) -> Any:
    """Return some value of a parameter that is required; which one does not matter."""
    kinds = {"structure": {}, "list": [], "integer": 1, "boolean": True, "blob": b"", "timestamp": "2030-01-01"}
    return kinds.get(shape.type_name, (getattr(shape, "enum", None) or ["some"])[0])


def _operations() -> list[tuple[str, str]]:
    """Return the operations that take an expected owner and that the emulator has, each with the parameter."""
    model = botocore.session.get_session().get_service_model("s3")
    known = emulated.implemented()
    return [
        (name, parameter)
        for name in model.operation_names
        for parameter in ("ExpectedBucketOwner", "ExpectedSourceBucketOwner")
        if name in known and parameter in getattr(model.operation_model(name).input_shape, "members", ())
    ]


@pytest.fixture(scope="module")
def unchecked(emulator: Running) -> Any:
    """Return a client that sends whatever it is given."""
    key = emulator.accounts[OURS]
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=emulator.endpoint,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    client.put_object(Bucket="ours", Key="some", Body=b"1")
    return client


def test_every_operation_checks_the_expected_owner(unchecked: Any) -> None:
    """An owner that the bucket does not have is refused, before anything else is looked at."""
    asked = _operations()
    assert len(asked) > 60
    model = unchecked.meta.service_model
    for name, parameter in asked:
        shape = model.operation_model(name).input_shape
        arguments = {each: _value(shape.members[each]) for each in shape.required_members}
        named = {"Bucket": "ours", **({"CopySource": "ours/some"} if "CopySource" in arguments else {})}
        code = "403" if name.startswith("Head") else "AccessDenied"
        with refused(code, 403):
            getattr(unchecked, xform_name(name))(**{**arguments, **named, parameter: OTHERS})


def test_an_account_cannot_be_chosen_by_a_header_of_moto(emulator: Running, client: Client) -> None:
    """A header by which moto would believe whose it is."""
    key = emulator.accounts[OTHERS].access_key_id
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{emulator.endpoint}/",
        data=b"Action=ListRoles&Version=2010-05-08",
        headers={
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20300101/us-east-1/iam/aws4_request",
            "x-moto-account-id": THEIRS,
        },
    )
    client("iam", account=THEIRS).create_role(RoleName="secret", AssumeRolePolicyDocument='{"Statement": []}')
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert b"secret" not in answer.read()
