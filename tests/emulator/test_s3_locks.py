"""Object Lock requests that S3 refuses, and the configuration of buckets: each value as it was recorded on AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.emulator.plain import Plain, put, refused

NOW = datetime.now(UTC).replace(microsecond=0)
BOTH = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"


@pytest.fixture(scope="module")
def lockable(aws: Plain) -> str:
    return aws.bucket(ObjectLockEnabledForBucket=True)


def configure(s3: Any, bucket: str, **default: Any) -> None:
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)


@pytest.mark.parametrize(
    ("locked", "name", "message"),
    [
        ({"ObjectLockMode": "GOVERNANCE"}, "x-amz-object-lock-retain-until-date", BOTH),
        ({"ObjectLockRetainUntilDate": NOW + timedelta(days=1)}, "x-amz-object-lock-mode", BOTH),
        (
            {"ObjectLockMode": "SOFT", "ObjectLockRetainUntilDate": NOW + timedelta(days=1)},
            "x-amz-object-lock-mode",
            "Unknown wormMode directive.",
        ),
        (
            {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": NOW - timedelta(days=1)},
            "x-amz-object-lock-retain-until-date",
            "The retain until date must be in the future!",
        ),
    ],
    ids=["no date", "no mode", "an unknown mode", "a date in the past"],
)
def test_the_header_of_a_lock_that_s3_does_not_take_is_named(
    s3: Any, lockable: str, locked: dict[str, Any], name: str, message: str
) -> None:
    with refused("InvalidArgument", 400) as error:
        put(s3, lockable, **locked)
    assert (error["ArgumentName"], error["Message"]) == (name, message)


def test_a_retention_of_an_unknown_mode_is_malformed(s3: Any, lockable: str) -> None:
    put(s3, lockable)
    retention = {"Mode": "SOFT", "RetainUntilDate": NOW + timedelta(days=1)}
    with refused("MalformedXML", 400):
        s3.put_object_retention(Bucket=lockable, Key="key", Retention=retention)


def test_a_retention_in_the_past_names_its_element(s3: Any, lockable: str) -> None:
    put(s3, lockable)
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": NOW - timedelta(days=1)}
    with refused("InvalidArgument", 400) as error:
        s3.put_object_retention(Bucket=lockable, Key="key", Retention=retention)
    assert error["ArgumentName"] == "RetainUntilDate"


def test_governance_becomes_compliance_only_with_the_bypass_header(s3: Any, lockable: str) -> None:
    put(s3, lockable, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=NOW + timedelta(hours=1))
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": NOW + timedelta(hours=2)}
    with refused("AccessDenied", 403):
        s3.put_object_retention(Bucket=lockable, Key="key", Retention=retention)
    s3.put_object_retention(Bucket=lockable, Key="key", Retention=retention, BypassGovernanceRetention=True)
    assert s3.get_object_retention(Bucket=lockable, Key="key")["Retention"]["Mode"] == "COMPLIANCE"


@pytest.mark.parametrize("versioning", [None, "Suspended"], ids=["never versioned", "suspended"])
def test_object_lock_needs_versioning(aws: Plain, s3: Any, versioning: str | None) -> None:
    bucket = aws.bucket(versioning=versioning)
    with refused("InvalidBucketState", 409) as error:
        configure(s3, bucket, Mode="GOVERNANCE", Days=1)
    assert error["Message"] == "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"


def test_the_default_retention_is_returned_in_the_unit_that_was_put(s3: Any, aws: Plain) -> None:
    bucket = aws.bucket()
    for default in ({"Mode": "GOVERNANCE", "Days": 1}, {"Mode": "COMPLIANCE", "Years": 2}):
        configure(s3, bucket, **default)
        found = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
        assert found == {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    found = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert found == {"ObjectLockEnabled": "Enabled"}


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE"}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "governance", "Days": 1}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}},
    ],
    ids=["empty", "not enabled", "no retention", "an empty retention", "no period", "a mode in small letters", "both"],
)
def test_a_lock_configuration_that_lacks_something_is_malformed(
    s3: Any, lockable: str, configuration: dict[str, Any]
) -> None:
    with refused("MalformedXML", 400):
        s3.put_object_lock_configuration(Bucket=lockable, ObjectLockConfiguration=configuration)


@pytest.mark.parametrize("default", [{"Days": 0}, {"Years": -1}, {"Days": 36_501}, {"Years": 101}])
def test_a_default_retention_lasts_a_day_to_a_hundred_years(s3: Any, lockable: str, default: dict[str, int]) -> None:
    with refused("InvalidArgument", 400) as error:
        configure(s3, lockable, Mode="GOVERNANCE", **default)
    assert error["ArgumentName"] in default


def test_a_bucket_without_object_lock_is_named(s3: Any, bucket: str) -> None:
    with refused("ObjectLockConfigurationNotFoundError", 404) as error:
        s3.get_object_lock_configuration(Bucket=bucket)
    assert error["BucketName"] == bucket


# Event holds, as far as AWS documents them


HELD = {"ObjectLockMode": "GOVERNANCE", "ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 7}


def test_an_event_hold_protects_without_an_end_and_is_returned_with_its_duration(s3: Any, lockable: str) -> None:
    version = put(s3, lockable, **HELD)["VersionId"]
    found = s3.head_object(Bucket=lockable, Key="key")
    assert HELD.items() <= found.items()
    assert "ObjectLockRetainUntilDate" not in found
    retention = s3.get_object_retention(Bucket=lockable, Key="key")["Retention"]
    assert retention == {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 7}}
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=lockable, Key="key", VersionId=version)
    s3.delete_object(Bucket=lockable, Key="key", VersionId=version, BypassGovernanceRetention=True)


def test_a_released_event_hold_leaves_a_retention_of_its_duration(s3: Any, lockable: str) -> None:
    put(s3, lockable, **HELD)
    s3.put_object_retention(Bucket=lockable, Key="key", Retention={"Mode": "GOVERNANCE", "EventHold": "OFF"})
    retention = s3.get_object_retention(Bucket=lockable, Key="key")["Retention"]
    assert retention.keys() == {"Mode", "RetainUntilDate"}
    assert timedelta(0) <= retention["RetainUntilDate"] - NOW - timedelta(days=7) < timedelta(hours=1)


def test_an_event_hold_is_not_shortened_to_a_date(s3: Any, lockable: str) -> None:
    put(s3, lockable, **HELD)
    with refused("AccessDenied", 403):
        s3.put_object_retention(Bucket=lockable, Key="key", Retention={})


@pytest.mark.parametrize(
    "held",
    [
        {"ObjectLockMode": None},
        {"ObjectLockEventHoldDurationDays": None},
        {"ObjectLockEventHoldDurationDays": 36_501},
        {"ObjectLockEventHoldDurationYears": 1},
    ],
    ids=["no mode", "no duration", "too long", "days and years"],
)
def test_an_event_hold_needs_a_mode_and_one_duration(s3: Any, lockable: str, held: dict[str, Any]) -> None:
    asked = {name: value for name, value in (HELD | held).items() if value is not None}
    with refused("InvalidArgument", 400):
        put(s3, lockable, **asked)


def test_new_objects_get_the_event_hold_of_their_bucket(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket()
    configure(s3, bucket, Mode="COMPLIANCE", DefaultEventHold={"Years": 1})
    default = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert default == {"Mode": "COMPLIANCE", "DefaultEventHold": {"Years": 1}}
    put(s3, bucket)
    found = s3.head_object(Bucket=bucket, Key="key")
    assert (found["ObjectLockMode"], found["ObjectLockEventHoldDurationYears"]) == ("COMPLIANCE", 1)
