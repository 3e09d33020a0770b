"""What the demo stands on: buckets, stacks, rules, and a destination that lets not everything in."""

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
        # One knows the names of its peer's functions, as is advised; the other was not told, to show that it may be so.
        {"name": REPLICATOR_EAST, "region": EAST, "parameters": {"PeerPrincipals": ""}},
        {"name": REPLICATOR_WEST, "region": WEST},
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
    """Return the rules of one side of a two-way pair: everything goes over, deletes too."""
    return {"Rules": [_rule("both ways", 1, destination, {"Prefix": ""}, deletes="Enabled")]}


def furnish(emulator: Running) -> None:
    """Return the buckets what a well-kept bucket has: a lifecycle rule for uploads that nobody completed."""
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


def close_a_door(emulator: Running) -> None:
    """Let the destination's bucket policy deny what is private, as a security team may do without telling."""
    statement = {
        "Sid": "NothingPrivateLeavesItsRegion",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{SHOP_WEST}/{PRIVATE}*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    emulator.client("s3", WEST).put_bucket_policy(Bucket=SHOP_WEST, Policy=policy)


def open_the_door(emulator: Running) -> None:
    """Repair what `close_a_door` did."""
    emulator.client("s3", WEST).delete_bucket_policy(Bucket=SHOP_WEST)
