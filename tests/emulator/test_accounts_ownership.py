"""Owners of objects and keys of several accounts: who owns what a stranger writes, and who may read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.accounts import OTHERS, OURS, THEIRS, allow, function, on_bucket, policy, role, using
from tests.emulator.plain import refused

EVERYTHING = ("*",)
WORLD: dict[str, Any] = {"accounts": [THEIRS, OTHERS]}
Client = Callable[..., Any]
_numbers = count(1)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


@pytest.fixture
def client(emulator: Running) -> Client:
    return emulator.client


@pytest.fixture
def ids(client: Client) -> dict[str, str]:
    """Return the canonical user id of each account."""
    return {each: client("s3", account=each).list_buckets()["Owner"]["ID"] for each in (OURS, THEIRS, OTHERS)}


def bucket_of(client: Client, ownership: str, *, account: str = THEIRS, admits: str | None = OURS) -> str:
    """Create a versioned bucket whose policy allows everything to another account; return its name."""
    name, s3 = f"owned-{next(_numbers)}", client("s3", account=account)
    s3.create_bucket(Bucket=name, ObjectOwnership=ownership)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if admits:
        s3.put_bucket_policy(Bucket=name, Policy=policy(on_bucket(name, *EVERYTHING, Principal={"AWS": admits})))
    return name


def owners(client: Client, bucket: str) -> dict[str, str]:
    """Return the owner of each version as every operation tells it."""
    s3 = client("s3", account=THEIRS)
    return {
        "versions": s3.list_object_versions(Bucket=bucket)["Versions"][0]["Owner"]["ID"],
        "objects": s3.list_objects(Bucket=bucket)["Contents"][0]["Owner"]["ID"],
        "objects v2": s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"],
    }


def test_each_account_has_a_canonical_user_id(client: Client, ids: dict[str, str]) -> None:
    assert len(set(ids.values())) == 3
    for account in (OURS, THEIRS):
        bucket = bucket_of(client, "ObjectWriter", account=account)
        acl = client("s3", account=account).get_bucket_acl(Bucket=bucket)
        assert acl["Owner"]["ID"] == ids[account]
        assert [grant["Grantee"]["ID"] for grant in acl["Grants"]] == [ids[account]]


@pytest.mark.parametrize(
    "case",
    [
        ("BucketOwnerEnforced", None, THEIRS),
        ("BucketOwnerEnforced", "bucket-owner-full-control", THEIRS),
        ("BucketOwnerPreferred", None, OURS),
        ("BucketOwnerPreferred", "bucket-owner-read", OURS),
        ("BucketOwnerPreferred", "bucket-owner-full-control", THEIRS),
        ("ObjectWriter", None, OURS),
        ("ObjectWriter", "bucket-owner-full-control", OURS),
    ],
)
@pytest.mark.parametrize("way", ["put", "copy", "parts"])
def test_the_settings_of_the_bucket_decide_who_owns_what_a_stranger_writes(
    client: Client, ids: dict[str, str], case: tuple[str, str | None, str], way: str
) -> None:
    ownership, acl, owner = case
    bucket, s3 = bucket_of(client, ownership), client("s3")
    write(s3, bucket, way, {"ACL": acl} if acl else {})
    assert set(owners(client, bucket).values()) == {ids[owner]}
    reader = client("s3", account=owner)
    assert reader.get_object_acl(Bucket=bucket, Key="key")["Owner"]["ID"] == ids[owner]
    assert reader.get_object(Bucket=bucket, Key="key")["Body"].read() == b"1"


def write(s3: Any, bucket: str, way: str, settings: dict[str, Any]) -> None:
    named = {"Bucket": bucket, "Key": "key", **settings}
    if way == "put":
        s3.put_object(**named, Body=b"1")
    elif way == "copy":
        own = bucket + "-source"
        s3.create_bucket(Bucket=own)
        s3.put_object(Bucket=own, Key="source", Body=b"1")
        s3.copy_object(**named, CopySource=f"{own}/source")
    else:
        upload = s3.create_multipart_upload(**named)["UploadId"]
        part = {"Bucket": bucket, "Key": "key", "UploadId": upload}
        etag = s3.upload_part(**part, PartNumber=1, Body=b"1")["ETag"]
        s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})


def test_disabling_acls_makes_everything_the_bucket_owners(client: Client, ids: dict[str, str]) -> None:
    bucket, owner = bucket_of(client, "ObjectWriter"), client("s3", account=THEIRS)
    client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")
    with refused("AccessDenied", 403):
        owner.get_object(Bucket=bucket, Key="key")
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    owner.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
    owner.get_object(Bucket=bucket, Key="key")
    grants = owner.get_object_acl(Bucket=bucket, Key="key")["Grants"]
    assert [grant["Grantee"]["ID"] for grant in grants] == [ids[THEIRS]]


# Who may read an object of another account than the bucket's


def test_the_bucket_owner_may_not_read_what_a_stranger_owns_but_may_list_and_delete_it(client: Client) -> None:
    bucket, owner = bucket_of(client, "ObjectWriter"), client("s3", account=THEIRS)
    version = client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")["VersionId"]
    for ask in (owner.get_object, owner.get_object_acl):
        with refused("AccessDenied", 403):
            ask(Bucket=bucket, Key="key")
    with refused("403", 403):
        owner.head_object(Bucket=bucket, Key="key", VersionId=version)
    with refused("AccessDenied", 403):
        owner.put_object_acl(Bucket=bucket, Key="key", ACL="bucket-owner-full-control")
    assert [each["Key"] for each in owner.list_objects_v2(Bucket=bucket)["Contents"]] == ["key"]
    owner.delete_object(Bucket=bucket, Key="key", VersionId=version)
    with refused("NoSuchKey", 404):
        client("s3").get_object(Bucket=bucket, Key="key")


def test_the_bucket_policy_allows_nobody_to_read_what_a_stranger_owns(client: Client) -> None:
    bucket = bucket_of(client, "ObjectWriter")
    client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")
    both = on_bucket(bucket, *EVERYTHING, Principal={"AWS": [OURS, OTHERS]})
    client("s3", account=THEIRS).put_bucket_policy(Bucket=bucket, Policy=policy(both))
    with refused("AccessDenied", 403):
        client("s3", account=OTHERS).get_object(Bucket=bucket, Key="key")
    client("s3").put_object(Bucket=bucket, Key="key", Body=b"1", ACL="bucket-owner-full-control")
    with refused("AccessDenied", 403):
        client("s3", account=OTHERS).get_object(Bucket=bucket, Key="key")


def test_the_bucket_policy_may_deny_its_owner_to_read_an_object(client: Client) -> None:
    bucket = bucket_of(client, "ObjectWriter")
    client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")
    client("s3").get_object(Bucket=bucket, Key="key")
    allowed = on_bucket(bucket, *EVERYTHING, Principal={"AWS": OURS})
    denied = on_bucket(bucket, "GetObject", Principal={"AWS": OURS}, Effect="Deny")
    client("s3", account=THEIRS).put_bucket_policy(Bucket=bucket, Policy=policy(allowed, denied))
    with refused("AccessDenied", 403):
        client("s3").get_object(Bucket=bucket, Key="key")


@pytest.mark.parametrize(("granted", "action"), [("GrantRead", "get_object"), ("GrantReadACP", "get_object_acl")])
def test_a_grant_of_the_object_is_what_a_stranger_needs(
    emulator: Running, client: Client, ids: dict[str, str], granted: str, action: str
) -> None:
    """Beside the permission of its own account, which a user has and a role needs."""
    bucket, s3 = bucket_of(client, "ObjectWriter"), client("s3")
    s3.put_object(Bucket=bucket, Key="key", Body=b"1", **{granted: f"id={ids[OTHERS]}"})
    getattr(client("s3", account=OTHERS), action)(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        getattr(client("s3", account=THEIRS), action)(Bucket=bucket, Key="key")
    without = using(emulator, function(emulator, role(emulator, OTHERS, None)))
    with refused("AccessDenied", 403):
        getattr(without, action)(Bucket=bucket, Key="key")
    having = using(emulator, function(emulator, role(emulator, OTHERS, None, on_bucket(bucket, "Get*"))))
    getattr(having, action)(Bucket=bucket, Key="key")


def test_the_owner_of_an_object_changes_its_acl_and_cannot_give_it_away(client: Client, ids: dict[str, str]) -> None:
    bucket, s3 = bucket_of(client, "ObjectWriter"), client("s3")
    s3.put_object(Bucket=bucket, Key="key", Body=b"1")
    s3.put_object_acl(Bucket=bucket, Key="key", ACL="bucket-owner-full-control")
    grants = s3.get_object_acl(Bucket=bucket, Key="key")["Grants"]
    assert [grant["Grantee"]["ID"] for grant in grants] == [ids[OURS], ids[THEIRS]]
    client("s3", account=THEIRS).get_object(Bucket=bucket, Key="key")
    wrong = {"Owner": {"ID": ids[THEIRS]}, "Grants": []}
    with refused("AccessDenied", 403):
        s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy=wrong)


def test_a_bucket_acl_lets_an_account_list_and_write(client: Client, ids: dict[str, str]) -> None:
    bucket, stranger = bucket_of(client, "ObjectWriter", admits=None), client("s3")
    owner = client("s3", account=THEIRS)
    asked: list[tuple[str, Callable[[], Any]]] = [
        ("GrantRead", lambda: stranger.list_objects_v2(Bucket=bucket)),
        ("GrantWrite", lambda: stranger.put_object(Bucket=bucket, Key="key", Body=b"1")),
        ("GrantReadACP", lambda: stranger.get_bucket_acl(Bucket=bucket)),
    ]
    for grant, ask in asked:
        owner.put_bucket_acl(Bucket=bucket, ACL="private")
        with refused("AccessDenied", 403):
            ask()
        owner.put_bucket_acl(Bucket=bucket, **{grant: f"id={ids[OURS]}"})
        ask()


def test_delete_markers_have_an_owner(client: Client, ids: dict[str, str]) -> None:
    bucket = bucket_of(client, "ObjectWriter")
    client("s3").delete_object(Bucket=bucket, Key="key")
    listed = client("s3", account=THEIRS).list_object_versions(Bucket=bucket)["DeleteMarkers"]
    assert [each["Owner"]["ID"] for each in listed] == [ids[OURS]]


@pytest.mark.parametrize("translated", [True, False])
def test_native_replicas_belong_to_the_source_unless_the_rule_changes_that(
    emulator: Running, client: Client, ids: dict[str, str], translated: bool
) -> None:
    source = bucket_of(client, "ObjectWriter", account=OURS)
    there = bucket_of(client, "ObjectWriter")
    to: dict[str, Any] = {"Bucket": f"arn:aws:s3:::{there}", "Account": THEIRS}
    to |= {"AccessControlTranslation": {"Owner": "Destination"}} if translated else {}
    rule: dict[str, Any] = {"ID": "r", "Priority": 1, "Status": "Enabled", "Filter": {}, "Destination": to}
    rule |= {"DeleteMarkerReplication": {"Status": "Disabled"}}
    configuration = {"Role": f"arn:aws:iam::{OURS}:role/r", "Rules": [rule]}
    client("s3").put_bucket_replication(Bucket=source, ReplicationConfiguration=configuration)
    client("s3").put_object(Bucket=source, Key="key", Body=b"1")
    assert emulator.idle()
    assert set(owners(client, there).values()) == {ids[THEIRS if translated else OURS]}


def test_events_name_the_requester_and_the_owner_of_the_bucket(emulator: Running, client: Client) -> None:
    bucket = bucket_of(client, "BucketOwnerEnforced")
    sqs, events, owner = (client(each, account=THEIRS) for each in ("sqs", "events", "s3"))
    url = sqs.create_queue(QueueName="named")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{THEIRS}:named"
    services = {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]}
    admitted = policy(allow("sqs:SendMessage", arn, Principal=services))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": admitted})
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn}])
    to_queue = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    owner.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [to_queue], "EventBridgeConfiguration": {}},
    )
    client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")
    assert emulator.idle()
    bodies = [
        json.loads(message["Body"]) for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    (record,) = (body["Records"][0] for body in bodies if "Records" in body)
    (event,) = (body for body in bodies if "detail" in body)
    assert record["s3"]["bucket"]["ownerIdentity"] == {"principalId": f"A3{THEIRS}"}
    assert (event["account"], event["detail"]["requester"]) == (THEIRS, OURS)


# Keys of KMS


def key_of(client: Client, account: str, *statements: dict[str, Any]) -> str:
    """Create a key that its own account may use, and others as far as these statements say; return its ARN."""
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}
    made = client("kms", account=account).create_key(Policy=policy(own, *statements))
    return str(made["KeyMetadata"]["Arn"])


def key_to(principal: str, *actions: str, **condition: Any) -> dict[str, Any]:
    statement = allow([f"kms:{each}" for each in actions], Principal={"AWS": principal})
    return statement | ({"Condition": condition} if condition else {})


def encrypted(client: Client, key: str, *, bucket_key: bool = False) -> str:
    """Return a bucket of the other account, with this key as default."""
    bucket = bucket_of(client, "BucketOwnerEnforced")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}]
    client("s3", account=THEIRS).put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return bucket


@pytest.mark.parametrize("admitted", [True, False])
@pytest.mark.parametrize("may", [True, False])
def test_a_key_of_another_account_needs_both_sides(
    emulator: Running, client: Client, admitted: bool, may: bool
) -> None:
    key = key_of(client, THEIRS, *[key_to(OURS, "GenerateDataKey", "Decrypt")] * admitted)
    bucket = encrypted(client, key)
    of_key = allow(["kms:GenerateDataKey", "kms:Decrypt"], key)
    s3 = using(emulator, function(emulator, role(emulator, OURS, None, on_bucket(bucket, "*"), *[of_key] * may)))
    if admitted and may:
        assert s3.put_object(Bucket=bucket, Key="key", Body=b"1")["SSEKMSKeyId"] == key
        assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"1"
        return
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=bucket, Key="key", Body=b"1")
    client("s3", account=THEIRS).put_object(Bucket=bucket, Key="key", Body=b"1")
    with refused("AccessDenied", 403):
        s3.get_object(Bucket=bucket, Key="key")


def test_the_user_of_an_account_needs_the_policy_of_anothers_key(client: Client) -> None:
    closed, opened = key_of(client, THEIRS), key_of(client, THEIRS, key_to(OURS, "GenerateDataKey"))
    with refused("AccessDenied", 403):
        client("s3").put_object(Bucket=encrypted(client, closed), Key="key", Body=b"1")
    bucket = encrypted(client, opened)
    client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")
    with refused("AccessDenied", 403):  # to read it again takes another action
        client("s3").get_object(Bucket=bucket, Key="key")


@pytest.mark.parametrize("bucket_key", [True, False])
def test_the_context_is_that_of_the_bucket_with_a_bucket_key(client: Client, bucket_key: bool) -> None:
    kms = client("kms", account=THEIRS)
    key = key_of(client, THEIRS)
    bucket = encrypted(client, key, bucket_key=bucket_key)
    resource = f"arn:aws:s3:::{bucket}"
    context = {"kms:EncryptionContext:aws:s3:arn": resource, "kms:CallerAccount": OURS}
    own = key_to(f"arn:aws:iam::{THEIRS}:root", "*")
    condition = key_to(OURS, "GenerateDataKey", StringEquals=context)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(own, condition))
    if bucket_key:
        client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")
        return
    with refused("AccessDenied", 403):
        client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")


def test_an_alias_is_looked_for_in_the_callers_account(client: Client) -> None:
    key = key_of(client, THEIRS)
    client("kms", account=THEIRS).create_alias(AliasName="alias/default", TargetKeyId=key)
    bucket = encrypted(client, "alias/default")
    assert client("s3", account=THEIRS).put_object(Bucket=bucket, Key="key", Body=b"1")["SSEKMSKeyId"] == key
    with refused("KMS.NotFoundException", 400):
        client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")


def test_what_the_key_that_aws_manages_encrypted_only_its_account_can_read(client: Client) -> None:
    bucket = bucket_of(client, "BucketOwnerEnforced")
    named = {"Bucket": bucket, "Key": "key"}
    key = client("s3").put_object(**named, Body=b"1", ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
    assert key.split(":")[4] == OURS
    assert client("s3").get_object(**named)["Body"].read() == b"1"
    with refused("AccessDenied", 403):
        client("s3", account=THEIRS).get_object(**named)


def test_a_key_of_a_known_account_must_exist(client: Client) -> None:
    bucket = encrypted(client, f"arn:aws:kms:us-east-1:{OTHERS}:key/0d990263-018e-4065-a703-eff731de951e")
    with refused("KMS.NotFoundException", 400):
        client("s3").put_object(Bucket=bucket, Key="key", Body=b"1")
