"""The replication configuration of a bucket: stored as it was put, and refused where S3 refuses it.

Both buckets must be versioned, and versioning cannot be suspended while rules exist. A rule without ID gets one. The
role is stored, and its permissions are not evaluated.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-and-other-bucket-configs.html
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3.histories import find_bucket, lock
from emulator.s3.native.selection import Rule
from emulator.s3.requests import Request

_STATES = ("Enabled", "Disabled")
_MOST_RULES = 1000
_LONGEST_ID = 255


def put(request: Request) -> Answer:
    """PutBucketReplication."""
    bucket, content = request.bucket, request.xml("ReplicationConfiguration", "Rule", "Tag")
    if bucket.versioning_status != "Enabled":
        raise _invalid("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    rules = content.get("Rule", [])
    if not content.get("Role") or not 0 < len(rules) <= _MOST_RULES:
        raise malformed_xml()
    documents = [_named(rule) for rule in rules]
    for rule in map(Rule, documents):
        _check(rule)
    if len({document["ID"] for document in documents}) < len(documents):
        raise _invalid("Rule Id must be unique.")
    _check_priorities([Rule(document) for document in documents])
    with lock(bucket):
        bucket.__dict__["native_replication"] = {"Role": str(content["Role"]), "Rule": documents}
    return Answer(200, {})


def get(request: Request) -> Answer:
    """GetBucketReplication."""
    found = _stored(request.bucket)
    if not found:
        message = "The replication configuration was not found"
        code = "ReplicationConfigurationNotFoundError"
        raise S3Error(404, code, message, BucketName=request.bucket.name)
    return s3_answer("ReplicationConfiguration", found)


def delete(request: Request) -> Answer:
    """DeleteBucketReplication."""
    request.bucket.__dict__.pop("native_replication", None)
    return Answer(204, {})


def role(bucket: FakeBucket) -> str:
    """Return the ARN of the role that S3 replicates with; empty without a configuration."""
    return str(_stored(bucket).get("Role", ""))


def rules(bucket: FakeBucket) -> list[Rule]:
    """Return the enabled rules of a bucket."""
    return [rule for rule in map(Rule, _stored(bucket).get("Rule", ())) if rule.enabled]


def is_configured(bucket: FakeBucket) -> bool:
    """Return whether the bucket has rules, enabled or not."""
    return bool(_stored(bucket))


def _stored(bucket: FakeBucket) -> Mapping[str, Any]:
    found: Mapping[str, Any] = bucket.__dict__.get("native_replication", {})
    return found


def _named(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {**_with_empty(rule), "ID": rule.get("ID") or secrets.token_hex(24)}


def _with_empty(element: Any) -> Any:
    """Return an element with its empty children, which S3 returns as they were put."""
    if isinstance(element, Mapping):
        return {name: _with_empty(child) for name, child in element.items()}
    return [_with_empty(each) for each in element] if isinstance(element, list) else element or ""


def _check(rule: Rule) -> None:
    """Raise MalformedXML or InvalidRequest for a rule that S3 refuses."""
    document = rule.document
    if document.get("Status") not in _STATES or not rule.destination or len(str(document["ID"])) > _LONGEST_ID:
        raise malformed_xml()
    if not rule.is_v2 and ("Priority" in document or "DeleteMarkerReplication" in document):
        raise _invalid("Filter must be specified if DeleteMarkerReplication or Priority is.")
    if rule.is_v2 and ("Priority" not in document or "DeleteMarkerReplication" not in document):
        raise _invalid("Priority and DeleteMarkerReplication must be specified for this version of the configuration.")
    if rule.tags and rule.replicates_markers:
        raise _invalid("Delete marker replication is not supported if any Tag filter is specified.")
    if rule.kms_selected and not rule.kms_key:
        raise _invalid("ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.")
    there = find_bucket(rule.destination)
    if there is None or there.versioning_status != "Enabled":
        raise _invalid("Destination bucket must have versioning enabled.")


def _check_priorities(checked: list[Rule]) -> None:
    """Raise InvalidRequest for two rules of one destination with the same priority."""
    places = [(rule.destination, rule.priority) for rule in checked if rule.is_v2]
    if len(set(places)) < len(places):
        raise _invalid("Found duplicate priority in the rules of a destination.")


def _invalid(message: str) -> S3Error:
    return S3Error(400, "InvalidRequest", message)
