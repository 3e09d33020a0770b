"""What S3's message names decides the reason of a denial; without one, requests that write no object find out."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from replicator.aws.denials import Denied, named_in
from replicator.aws.objects import BucketObjects, Shared
from replicator.aws.writing import BucketReplicas
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason

from tests.unit.adapters import objects, uploads
from tests.unit.copies import plain
from tests.unit.wire import Answer, Wire

WHO = "User: arn:aws:sts::111122223333:assumed-role/replicator-ReplicateRole/replicator-replicate"
WHY = "because no identity-based policy allows the action"


def denied(message: str) -> Answer:
    return Answer(f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>", 403)


def error(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "CopyObject")


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (f'{WHO} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::west/k 1" {WHY}',
         Denied("s3:PutObject", "west")),
        (f"{WHO} is not authorized to perform: s3:GetObjectTagging on resource: arn:aws-cn:s3:::east/k {WHY}",
         Denied("s3:GetObjectTagging", "east")),
        (f'{WHO} is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::east" with an explicit deny',
         Denied("s3:ListBucket", "east")),
        (f"{WHO} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext {WHY}",
         Denied("kms:Decrypt")),
        (f"{WHO} is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:1:key/k {WHY}",
         Denied("kms:GenerateDataKey")),
        ("Access Denied", None),
        ("", None),
        (f'Access Denied to {WHO} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::west/k"', None),
    ],
    ids=["with quotes", "without, in China", "a bucket", "a ciphertext", "a KMS key", "another account's", "none",
         "in another place"],
)  # fmt: skip
def test_the_action_and_the_bucket_are_read_from_the_message(message: str, named: Denied | None) -> None:
    assert named_in(error(message)) == named


def test_an_error_without_a_response_names_nothing() -> None:
    assert named_in(ValueError("x")) is None
    assert named_in(None) is None


def copied(wire: Wire, source: BucketObjects) -> Permanent:
    client: Any = wire.clients().reader("us-east-1")
    replicas = BucketReplicas(Target("west"), client, client, shared=Shared(source=lambda _bucket, _target: source))
    with pytest.raises(Permanent) as trouble:
        replicas.copy(plain(), Guard())
    return trouble.value


@pytest.mark.parametrize(
    ("action", "bucket", "reason"),
    [
        ("s3:PutObject", "west", Reason.DST_PUT_DENIED),
        ("s3:PutObjectTagging", "west", Reason.DST_PUT_TAGS_DENIED),
        ("s3:PutObjectAcl", "west", Reason.DST_PUT_ACL_DENIED),
        ("s3:PutObjectRetention", "west", Reason.DST_PUT_RETENTION_DENIED),
        ("s3:PutObjectLegalHold", "west", Reason.DST_PUT_LEGAL_HOLD_DENIED),
        ("s3:PutObjectAnnotation", "west", Reason.DST_PUT_ANNOTATIONS_DENIED),
        ("s3:GetObject", "west", Reason.DST_GET_DENIED),
        ("s3:GetObject", "east", Reason.SRC_GET_DENIED),
        ("s3:GetObjectVersionTagging", "east", Reason.SRC_TAGS_DENIED),
        ("s3:GetObjectAnnotation", "east", Reason.SRC_ANNOTATIONS_DENIED),
        ("s3:SomethingNew", "west", Reason.DST_PUT_DENIED),
    ],
)
def test_a_copy_whose_message_names_the_action_costs_no_more_requests(action: str, bucket: str, reason: Reason) -> None:
    message = f'{WHO} is not authorized to perform: {action} on resource: "arn:aws:s3:::{bucket}/k" {WHY}'
    wire = Wire([denied(message)])
    trouble = copied(wire, objects(wire))
    side = "source" if bucket == "east" else "destination"
    assert (trouble.reason, trouble.detail) == (reason, f"CopyObject ({side}): AccessDenied 403 on {action}")
    assert len(wire.requests) == (2 if "Annotation" in action else 1), "without annotations it may be accepted"


def test_a_copy_without_a_message_costs_a_bounded_number_of_requests() -> None:
    wire = Wire([*[denied("Access Denied")] * 2, Answer("<Error><Code>NoSuchKey</Code></Error>", 404)])
    trouble = copied(wire, objects(wire))
    assert trouble.reason is Reason.DST_PUT_DENIED, "nothing else was denied"
    assert len(wire.requests) <= 17
    assert [request.method for request in wire.requests].count("PUT") == 2, "the copy alone writes"


def test_a_copy_whose_source_is_denied_names_the_source() -> None:
    wire = Wire([*[denied("Access Denied")] * 2, Answer("", 403)])
    trouble = copied(wire, objects(wire))
    assert trouble.reason is Reason.SRC_GET_DENIED


def test_an_upload_that_is_not_started_names_the_permission() -> None:
    message = f'{WHO} is not authorized to perform: s3:PutObjectTagging on resource: "arn:aws:s3:::west/k" {WHY}'
    wire = Wire([denied(message)])
    with pytest.raises(Permanent) as trouble:
        uploads(wire).start(plain())
    assert trouble.value.reason is Reason.DST_PUT_TAGS_DENIED
    assert len(wire.requests) == 1
