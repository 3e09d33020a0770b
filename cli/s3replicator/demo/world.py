"""The world of the demo: its buckets, stacks and rules, and a bucket policy that denies some keys."""

import json
from collections.abc import Mapping
from typing import Any

from emulator.running import Running

EAST, WEST = "us-east-1", "us-west-2"
SHOP_EAST, SHOP_WEST = "shop-east", "shop-west"
NOTES_EAST, NOTES_WEST = "notes-east", "notes-west"
REPLICATOR_EAST, REPLICATOR_WEST = "replicator-east", "replicator-west"
PRIVATE = "photos/private/"

WORLD: Mapping[str, Any] = {
    "buckets": [
        {"name": SHOP_EAST, "region": EAST, "ownership": "BucketOwnerPreferred"},
        {"name": SHOP_WEST, "region": WEST, "ownership": "BucketOwnerPreferred"},
        {"name": NOTES_EAST, "region": EAST},
        {"name": NOTES_WEST, "region": WEST},
    ],
    "stacks": [
        # Neither is told the functions of the other: `rules put` finds them.
        {"name": REPLICATOR_EAST, "region": EAST, "parameters": {"PeerPrincipals": ""}},
        {"name": REPLICATOR_WEST, "region": WEST, "parameters": {"PeerPrincipals": ""}},
    ],
}


def _rule(name: str, priority: int, destination: str, where: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "ID": name,
        "Priority": priority,
        "Status": "Enabled",
        "Filter": where,
        "DeleteMarkerReplication": {"Status": more.pop("deletes", "Disabled")},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}", **more},
    }


SHOP_RULES = {
    "Rules": [
        _rule("photos", 1, SHOP_WEST, {"Prefix": "photos/"}),
        _rule(
            "public reports",
            2,
            SHOP_WEST,
            {"And": {"Prefix": "reports/", "Tags": [{"Key": "class", "Value": "public"}]}},
            StorageClass="STANDARD_IA",
        ),
    ]
}


def notes_rules(destination: str) -> dict[str, Any]:
    """Return the rules of one side of a two-way pair: everything is replicated, deletes included."""
    return {"Rules": [_rule("both ways", 1, destination, {"Prefix": ""}, deletes="Enabled")]}


def add_lifecycle_rules(emulator: Running) -> None:
    """Give every bucket a lifecycle rule that aborts incomplete multipart uploads, as `rules check` recommends."""
    rule = {
        "ID": "incomplete uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    for bucket in emulator.world.buckets:
        emulator.client("s3", bucket.region).put_bucket_lifecycle_configuration(
            Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule]}
        )


def deny_private_keys(emulator: Running) -> None:
    """Set a bucket policy at the destination that denies private keys, as a security team might."""
    statement = {
        "Sid": "NothingPrivateLeavesItsRegion",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{SHOP_WEST}/{PRIVATE}*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    emulator.client("s3", WEST).put_bucket_policy(Bucket=SHOP_WEST, Policy=policy)


def allow_private_keys(emulator: Running) -> None:
    """Remove the bucket policy that `deny_private_keys` has set."""
    emulator.client("s3", WEST).delete_bucket_policy(Bucket=SHOP_WEST)
