"""What requests that change a version after the write answer: which version they mean, and what a lock forbids.

Recorded on AWS: tags, ACLs and retention of delete markers, tags of versions that are not current, and what extends and
what shortens a retention. The rest follows the pages of the operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.s3 import version_ids
from tests.emulator.plain import Plain, refused

NOW = datetime.now(UTC).replace(microsecond=0)
TAGS = {"TagSet": [{"Key": "a", "Value": "1"}]}
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "put_object_tagging": {"Tagging": TAGS},
    "delete_object_tagging": {},
    "put_object_acl": {"ACL": "public-read"},
    "put_object_retention": {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": NOW + timedelta(days=1)}},
    "put_object_legal_hold": {"LegalHold": {"Status": "ON"}},
    "put_object_annotation": {"AnnotationName": "note", "AnnotationPayload": b"x"},
    "delete_object_annotation": {"AnnotationName": "note"},
}
every_change = pytest.mark.parametrize("change", CHANGES)


@pytest.fixture
def lockable(aws: Plain) -> str:
    return aws.bucket(ObjectLockEnabledForBucket=True, ObjectOwnership="ObjectWriter")


def make(s3: Any, change: str, bucket: str, version: str | None = None, **settings: Any) -> Any:
    named = {"Bucket": bucket, "Key": "key", **({"VersionId": version} if version else {})}
    return getattr(s3, change)(**named, **{**CHANGES[change], **settings})


def write(s3: Any, bucket: str, body: bytes = b"x", **settings: Any) -> str:
    return str(s3.put_object(Bucket=bucket, Key="key", Body=body, **settings)["VersionId"])


def state(s3: Any, bucket: str, version: str) -> dict[str, Any]:
    """Return all of a version that these requests may change."""
    named = {"Bucket": bucket, "Key": "key", "VersionId": version}
    head = s3.head_object(**named)
    listed = s3.list_object_annotations(**named).get("Annotations", [])
    return {
        "tags": s3.get_object_tagging(**named)["TagSet"],
        "grants": s3.get_object_acl(**named)["Grants"],
        "lock": {name: value for name, value in head.items() if name.startswith("ObjectLock")},
        "annotations": [each["AnnotationName"] for each in listed],
    }


@every_change
def test_a_version_that_is_not_current_changes_alone(s3: Any, lockable: str, change: str) -> None:
    older, newer = write(s3, lockable, Tagging="b=2"), write(s3, lockable, b"y", Tagging="b=2")
    for version in (older, newer):
        make(s3, "put_object_annotation", lockable, version)
    before = {version: state(s3, lockable, version) for version in (older, newer)}
    settings = {"AnnotationName": "other"} if change == "put_object_annotation" else {}
    make(s3, change, lockable, older, **settings)
    assert state(s3, lockable, newer) == before[newer]
    assert state(s3, lockable, older) != before[older]


@every_change
def test_a_delete_marker_cannot_be_changed_by_its_id(s3: Any, lockable: str, change: str) -> None:
    write(s3, lockable)
    marker = s3.delete_object(Bucket=lockable, Key="key")["VersionId"]
    with refused("MethodNotAllowed", 405) as error:
        make(s3, change, lockable, marker)
    assert error["ResourceType"] == "DeleteMarker"


@every_change
def test_a_version_that_is_gone_is_named(s3: Any, lockable: str, change: str) -> None:
    gone = write(s3, lockable)
    write(s3, lockable)
    s3.delete_object(Bucket=lockable, Key="key", VersionId=gone)
    with refused("NoSuchVersion", 404) as error:
        make(s3, change, lockable, gone)
    assert (error["Key"], error["VersionId"]) == ("key", gone)
    with refused("InvalidArgument", 400):
        make(s3, change, lockable, "never-made")


@every_change
def test_a_version_of_another_key_is_not_found(s3: Any, lockable: str, change: str) -> None:
    with refused("NoSuchKey", 404):
        make(s3, change, lockable)
    with refused("NoSuchVersion", 404):
        make(s3, change, lockable, version_ids.new())


@pytest.mark.parametrize("change", ["put_object_tagging", "delete_object_tagging"])
def test_an_answer_about_tags_names_the_version(s3: Any, lockable: str, change: str) -> None:
    older, newer = write(s3, lockable), write(s3, lockable)
    assert make(s3, change, lockable)["VersionId"] == newer
    assert make(s3, change, lockable, older)["VersionId"] == older


def test_an_answer_about_an_annotation_names_the_version_of_the_object(s3: Any, lockable: str) -> None:
    older = write(s3, lockable)
    write(s3, lockable)
    for change in ("put_object_annotation", "delete_object_annotation"):
        answer = make(s3, change, lockable, older)
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-object-version-id"] == older


@pytest.mark.parametrize("change", ["put_object_retention", "put_object_legal_hold"])
def test_without_object_lock_there_is_neither_retention_nor_legal_hold(aws: Plain, s3: Any, change: str) -> None:
    bucket = aws.bucket()
    write(s3, bucket)
    with refused("InvalidRequest", 400) as error:
        make(s3, change, bucket)
    assert error["Message"] == "Bucket is missing Object Lock Configuration"


# Retention


def retain(s3: Any, bucket: str, mode: str, days: float, **settings: Any) -> None:
    retention = {"Mode": mode, "RetainUntilDate": NOW + timedelta(days=days)}
    s3.put_object_retention(Bucket=bucket, Key="key", Retention=retention, **settings)


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_retention_can_be_extended_and_put_again_but_not_shortened(s3: Any, lockable: str, mode: str) -> None:
    write(s3, lockable)
    for days in (1, 2, 2):
        retain(s3, lockable, mode, days)
    with refused("AccessDenied", 403) as error:
        retain(s3, lockable, mode, 1)
    assert error["Message"] == "Access Denied because object protected by object lock."
    with refused("AccessDenied", 403):
        s3.put_object_retention(Bucket=lockable, Key="key", Retention={})
    found = s3.get_object_retention(Bucket=lockable, Key="key")["Retention"]
    assert found == {"Mode": mode, "RetainUntilDate": NOW + timedelta(days=2)}


def test_only_governance_can_be_bypassed(s3: Any, lockable: str) -> None:
    write(s3, lockable)
    retain(s3, lockable, "GOVERNANCE", 3)
    retain(s3, lockable, "GOVERNANCE", 1, BypassGovernanceRetention=True)
    retain(s3, lockable, "COMPLIANCE", 2, BypassGovernanceRetention=True)
    for mode, days in (("COMPLIANCE", 1), ("GOVERNANCE", 3)):
        with refused("AccessDenied", 403):
            retain(s3, lockable, mode, days, BypassGovernanceRetention=True)


def hold(s3: Any, bucket: str, status: str = "ON", **fields: Any) -> None:
    retention = {"Mode": "GOVERNANCE", "EventHold": status, **fields}
    s3.put_object_retention(Bucket=bucket, Key="key", Retention=retention)


def test_an_event_hold_has_no_date_until_it_is_released(s3: Any, lockable: str) -> None:
    write(s3, lockable)
    hold(s3, lockable, EventHoldDuration={"Days": 90})
    found = s3.get_object_retention(Bucket=lockable, Key="key")["Retention"]
    assert found == {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 90}}
    with refused("AccessDenied", 403):
        s3.put_object_retention(Bucket=lockable, Key="key", Retention={})
    hold(s3, lockable, "OFF")
    released = s3.get_object_retention(Bucket=lockable, Key="key")["Retention"]
    assert released.keys() == {"Mode", "RetainUntilDate"}
    assert timedelta(days=89) < released["RetainUntilDate"] - NOW < timedelta(days=91)


# Annotations of locked versions


@pytest.mark.parametrize(("locked", "annotatable"), [("retention", False), ("legal hold", True)])
def test_a_retention_forbids_new_annotations_and_a_legal_hold_does_not(
    s3: Any, lockable: str, locked: str, annotatable: bool
) -> None:
    version = write(s3, lockable)
    make(s3, "put_object_annotation", lockable)
    make(s3, "put_object_retention" if locked == "retention" else "put_object_legal_hold", lockable)
    write(s3, lockable)
    if annotatable:
        make(s3, "put_object_annotation", lockable, version, AnnotationName="other")
    else:
        with refused("AccessDenied", 403):
            make(s3, "put_object_annotation", lockable, version, AnnotationName="other")
    with refused("AccessDenied", 403):
        make(s3, "delete_object_annotation", lockable, version)


@pytest.mark.parametrize("change", ["put_object_tagging", "delete_object_tagging", "put_object_acl"])
def test_a_lock_protects_neither_tags_nor_acl(s3: Any, lockable: str, change: str) -> None:
    write(s3, lockable)
    retain(s3, lockable, "COMPLIANCE", 1)
    make(s3, change, lockable)
