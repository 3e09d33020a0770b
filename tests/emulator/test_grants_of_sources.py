"""Sources of another account under default deny: each statement that `grants` prints for them is needed.

A source bucket for each statement that is taken away; what one of them needs is printed for all, with their names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from s3replicator.grants.needs import ON_SOURCE, ON_SOURCE_KEY

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.granted import printed
from tests.emulator.later import STRANGER
from tests.emulator.worlds import rule

OWNER = "333333333333"
SETTINGS = {"ownership": "ObjectWriter", "object_lock": True}
KEY = f"arn:aws:kms:us-east-1:{OWNER}:key/11111111-2222-3333-4444-555555555555"
REPLICA_KEY = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-666666666666"
COMPLETE, WITHOUT_KEY = "complete", "without-decryptsources"
SIDS = [need.sid for need in ON_SOURCE if need.sid.startswith(("Find", "Read"))]
LACKING = {f"without-{sid.lower()}": sid for sid in SIDS}
SOFT = ("ReadSourceSettings", "ReadSourceAnnotations")
"""Without these, changes are COMPLETED."""
CODES = {
    need.sid: set() if need.sid in SOFT else set(re.findall(r"`(Src\w+)`", need.without))
    for need in (*ON_SOURCE, *ON_SOURCE_KEY)
}
NAMES = (COMPLETE, WITHOUT_KEY, *LACKING)


def rules(name: str) -> dict[str, Any]:
    """Return rules whose replicas are below the name of the source."""
    selected = {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}}
    encrypted = {"EncryptionConfiguration": {"ReplicaKmsKeyID": REPLICA_KEY}}
    return {"Rules": [rule(name, "central", Filter={"Prefix": f"{name}/"}, Destination=encrypted, **selected)]}


WORLD: dict[str, Any] = {
    "buckets": [
        *({"name": name, "region": "us-east-1", "account": OWNER, **SETTINGS} for name in NAMES),
        {"name": "central", "region": "us-west-2", **SETTINGS},
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "rules": {name: rules(name) for name in NAMES},
            "parameters": {"SourceAccount": OWNER, "SourceKmsKeys": KEY},
        }
    ],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def failed(aws: Running) -> Mapping[str, set[str]]:
    """Put in place what is printed but for one statement each; return the reasons of failures by source."""
    found = printed(aws, COMPLETE)[OWNER]
    s3, kms = aws.client("s3", account=OWNER), aws.client("kms", account=OWNER)
    policy = json.loads(kms.get_key_policy(KeyId=KEY, PolicyName="default")["Policy"])
    for statement in found["key_policies"][KEY]:
        contexts = [f"arn:aws:s3:::{name}{rest}" for name in NAMES if name != WITHOUT_KEY for rest in ("", "/*")]
        statement["Condition"]["StringLike"] = {"kms:EncryptionContext:aws:s3:arn": contexts}
        policy["Statement"].append(statement)
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=json.dumps(policy))
    for name in NAMES:
        text = json.dumps(found["bucket_policies"][COMPLETE]).replace(f":::{COMPLETE}", f":::{name}")
        statements = [each for each in json.loads(text)["Statement"] if each["Sid"] != LACKING.get(name)]
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
        version = s3.put_object(
            Bucket=name, Key=f"{name}/k", Body=b"1", Tagging="a=b", GrantRead=f"id={STRANGER}",
            ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY,
        )["VersionId"]  # fmt: skip
        note = {"AnnotationName": "n", "AnnotationPayload": b"{}"}
        s3.put_object_annotation(Bucket=name, Key=f"{name}/k", VersionId=version, **note)
    assert aws.idle()
    reasons: dict[str, set[str]] = {name: set() for name in NAMES}
    for failure in take_failures(aws):
        reasons[str(failure.s3_object["key"]).partition("/")[0]].add(failure.attributes["Reason"])
    return reasons


def test_everything_of_a_source_replicates_with_what_is_printed(aws: Running, failed: Mapping[str, set[str]]) -> None:
    assert failed[COMPLETE] == set()
    head = aws.client("s3", "us-west-2").head_object(Bucket="central", Key=f"{COMPLETE}/k")
    assert head["SSEKMSKeyId"] == REPLICA_KEY


def test_each_statement_of_a_source_taken_away_breaks_what_the_page_says(failed: Mapping[str, set[str]]) -> None:
    seen = {sid: failed[name] for name, sid in {**LACKING, WITHOUT_KEY: "DecryptSources"}.items()}
    unexpected = {
        sid: reasons for sid, reasons in seen.items() if not reasons <= CODES[sid] or bool(reasons) != bool(CODES[sid])
    }
    assert unexpected == {}
