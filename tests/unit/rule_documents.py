"""Builders of rules as a document has them, shared by the tests of rules; a value of `...` leaves a field out."""

from typing import Any

KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WHOLE = {"Status": "Enabled"}
Rules = list[dict[str, Any]]


def newer(**fields: Any) -> dict[str, Any]:
    """Return a rule in the newer form, with Filter and Priority."""
    rule: dict[str, Any] = {
        "ID": "one",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::west"},
    }
    return {name: value for name, value in (rule | fields).items() if value is not ...}


def older(**fields: Any) -> dict[str, Any]:
    """Return a rule in the older form, with Prefix."""
    rule = {"ID": "one", "Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::west"}}
    return {name: value for name, value in (rule | fields).items() if value is not ...}


def to(**fields: Any) -> dict[str, Any]:
    """Return the member Destination with more fields."""
    return {"Destination": {"Bucket": "arn:aws:s3:::west", **fields}}


def both(*tags: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the member Filter with an And."""
    return {"Filter": {"And": {"Tags": list(tags), **fields}}}


def tag(key: Any = "k", value: Any = "v") -> dict[str, Any]:
    return {"Key": key, "Value": value}


def rtc(minutes: Any = 15, status: str = "Enabled") -> dict[str, Any]:
    return {"Status": status, "Time": {"Minutes": minutes}}


def metrics(minutes: Any = 15, status: str = "Enabled") -> dict[str, Any]:
    return {"Status": status, "EventThreshold": {"Minutes": minutes}}


KMS_ON = {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}}
MODIFICATIONS = {"SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}}}
