"""Every feature of rules, end to end: an object that it applies to, and one that it does not."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.likeness import Comparison, Side

ACCOUNT = "123456789012"


def rule(name: str, destination: str, priority: int, where: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    target = {"Bucket": f"arn:aws:s3:::{destination}", **fields.pop("Destination", {})}
    base = {"ID": name, "Status": "Enabled", "Destination": target}
    newer = {"Priority": priority, "Filter": where, "DeleteMarkerReplication": {"Status": "Disabled"}}
    return base | (newer if where is not None else {}) | fields


def tag(key: str, value: str) -> dict[str, str]:
    return {"Key": key, "Value": value}


DELETES = {"DeleteMarkerReplication": {"Status": "Enabled"}}
FEATURES = [
    rule("prefix", "west", 1, {"Prefix": "photos/"}),
    rule("tag", "west", 2, {"And": {"Prefix": "tagged/", "Tags": [tag("class", "gold"), tag("ready", "yes")]}}),
    rule("off", "west", 3, {"Prefix": "off/"}, Status="Disabled"),
    rule("colder", "west", 4, {"Prefix": "cold/"}, Destination={"StorageClass": "STANDARD_IA"}),
    rule("frozen", "west", 12, {"Prefix": "frozen/"}, Destination={"StorageClass": "GLACIER"}),
    rule("low", "west", 5, {"Prefix": "ranked/"}, Destination={"StorageClass": "STANDARD_IA"}),
    rule("high", "west", 6, {"Prefix": "ranked/"}, Destination={"StorageClass": "ONEZONE_IA"}),
    rule("both west", "west", 7, {"Prefix": "both/"}),
    rule("both north", "north", 8, {"Prefix": "both/"}),
    rule("deletes", "west", 9, {"Prefix": "mirror/"}, **DELETES),
    rule("owner", "acl-west", 10, {"Prefix": "owned/"},
         Destination={"Account": ACCOUNT, "AccessControlTranslation": {"Owner": "Destination"}}),
    rule("strangers", "north", 11, {"Prefix": "strange/"}, Destination={"Account": "999999999999"}),
]  # fmt: skip
OLDER = [rule("older", "west", 0, None, Prefix="logs/")]
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1", "ownership": "ObjectWriter"},
        {"name": "old-east", "region": "us-east-1"},
        {"name": "bus-east", "region": "us-east-1"},
        {"name": "west", "region": "us-west-2"},
        {"name": "north", "region": "eu-north-1"},
        {"name": "acl-west", "region": "us-west-2", "ownership": "ObjectWriter"},
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"UseEventBridge": "true"},
            "rules": {
                "east": {"ReplicationConfiguration": {"Role": "arn:aws:iam::123456789012:role/r", "Rules": FEATURES}},
                "old-east": {"Rules": OLDER},
                "bus-east": {"Rules": [rule("bus", "west", 1, {"Prefix": ""}, **DELETES)]},
            },
        }
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        by_bus: dict[str, Any] = {"EventBridgeConfiguration": {}}
        emulator.client("s3").put_bucket_notification_configuration(Bucket="bus-east", NotificationConfiguration=by_bus)
        yield emulator
        assert take_failures(emulator) == [], "no test leaves a failure behind"


def put(emulator: Running, key: str, source: str = "east", **fields: Any) -> str:
    answer = emulator.client("s3").put_object(Bucket=source, Key=key, Body=b"content", **fields)
    assert emulator.idle()
    return str(answer["VersionId"])


def arrived(emulator: Running, key: str, destination: str = "west") -> bool:
    return bool(Side.of(emulator, destination).versions(key))


def head(emulator: Running, key: str, destination: str = "west") -> dict[str, Any]:
    side = Side.of(emulator, destination)
    [entry] = side.versions(key)
    return side.head(key, entry["VersionId"])


def test_a_prefix_selects_only_keys_that_begin_with_it(emulator: Running) -> None:
    for key in ("photos/1", "photo/1"):
        put(emulator, key)
    assert arrived(emulator, "photos/1")
    assert not arrived(emulator, "photo/1")


def test_a_tag_filter_selects_only_objects_with_all_of_its_tags(emulator: Running) -> None:
    put(emulator, "tagged/both", Tagging="class=gold&ready=yes&more=1")
    put(emulator, "tagged/one", Tagging="class=gold")
    put(emulator, "tagged/none")
    assert [arrived(emulator, f"tagged/{which}") for which in ("both", "one", "none")] == [True, False, False]


def test_a_disabled_rule_replicates_nothing(emulator: Running) -> None:
    put(emulator, "off/1")
    assert not arrived(emulator, "off/1")


def test_a_replica_has_the_storage_class_of_its_rule(emulator: Running) -> None:
    put(emulator, "cold/1")
    assert head(emulator, "cold/1")["StorageClass"] == "STANDARD_IA"


def test_the_newest_of_archived_replicas_is_current_however_their_events_arrive(emulator: Running) -> None:
    """S3 copies nothing that is archived, so a replica in GLACIER cannot be put back on top by copying itself."""
    emulator.post("delivery", {"shuffle": True, "seed": 3})
    newest: dict[str, str] = {}
    for _ in range(3):
        for number in range(12):
            key = f"frozen/{number}"
            newest[key] = emulator.client("s3").put_object(Bucket="east", Key=key, Body=b"content")["VersionId"]
    emulator.post("delivery", {"duplicate": 0.0, "shuffle": False})
    assert emulator.idle()
    west = Side.of(emulator, "west")
    current = {key: next(each for each in west.entries()[key] if each["IsLatest"]) for key in newest}
    assert {key: west.origin(key, entry["VersionId"]) for key, entry in current.items()} == newest
    assert {west.head(key, entry["VersionId"])["StorageClass"] for key, entry in current.items()} == {"GLACIER"}


def test_of_two_rules_for_one_destination_the_higher_priority_applies(emulator: Running) -> None:
    put(emulator, "ranked/1")
    assert head(emulator, "ranked/1")["StorageClass"] == "ONEZONE_IA"


def test_an_object_is_replicated_to_each_destination_whose_rule_selects_it(emulator: Running) -> None:
    put(emulator, "both/1", Tagging="team=blue", Metadata={"a": "b"})
    east = Side.of(emulator, "east")
    for destination in ("west", "north"):
        assert Comparison(east, Side.of(emulator, destination)).differences({"both/1"}) == []


def test_a_rule_of_the_older_form_selects_by_its_prefix(emulator: Running) -> None:
    put(emulator, "logs/1", "old-east")
    put(emulator, "other/1", "old-east")
    assert arrived(emulator, "logs/1")
    assert not arrived(emulator, "other/1")


def test_a_delete_marker_is_replicated_where_its_rule_says_and_a_permanent_deletion_never(emulator: Running) -> None:
    version = put(emulator, "mirror/1")
    emulator.client("s3").delete_object(Bucket="east", Key="mirror/1")
    assert emulator.idle()
    west = Side.of(emulator, "west")
    assert sorted(entry["Marker"] for entry in west.entries()["mirror/1"]) == [False, True]
    assert next(entry for entry in west.entries()["mirror/1"] if entry["IsLatest"])["Marker"]
    emulator.client("s3").delete_object(Bucket="east", Key="mirror/1", VersionId=version)
    assert emulator.idle()
    assert arrived(emulator, "mirror/1"), "a permanent deletion stays on its own side"


def test_a_write_after_a_replicated_delete_is_current_at_the_destination(emulator: Running) -> None:
    put(emulator, "mirror/2")
    emulator.client("s3").delete_object(Bucket="east", Key="mirror/2")
    assert emulator.idle()
    version = put(emulator, "mirror/2", Metadata={"second": "life"})
    west = Side.of(emulator, "west")
    current = next(entry for entry in west.entries()["mirror/2"] if entry["IsLatest"])
    assert west.origin("mirror/2", current["VersionId"]) == version


def test_a_rule_that_changes_the_owner_leaves_the_grants_of_the_source_out(emulator: Running) -> None:
    put(emulator, "owned/1", ACL="public-read")
    west = Side.of(emulator, "acl-west")
    [entry] = west.versions("owned/1")
    assert {permission for permission, _ in west.grants("owned/1", entry["VersionId"])} == {"FULL_CONTROL"}


def test_a_rule_whose_account_does_not_own_the_destination_fails(emulator: Running) -> None:
    put(emulator, "strange/1")
    [failure] = take_failures(emulator)
    assert failure.attributes["DestinationBucket"] == "north"
    assert failure.attributes["Reason"] == "DstPutObjectNotPermitted"
    assert not arrived(emulator, "strange/1", "north")


def test_objects_encrypted_with_kms_are_skipped_unless_the_rule_selects_them(emulator: Running) -> None:
    put(emulator, "photos/kms", ServerSideEncryption="aws:kms")
    assert not arrived(emulator, "photos/kms")
    skipped = [each for each in emulator.get("metrics") if each["metric"] == "OperationsSkipped"]
    assert any(each["dimensions"].get("Reason") == "SseKmsObjectsNotSelected" for each in skipped)


def test_archived_objects_are_not_replicated(emulator: Running) -> None:
    put(emulator, "photos/glacier", StorageClass="GLACIER")
    assert not arrived(emulator, "photos/glacier")


def test_changes_that_come_through_eventbridge_are_replicated(emulator: Running) -> None:
    version = put(emulator, "a b+ü.txt", "bus-east")
    bus, west = Side.of(emulator, "bus-east"), Side.of(emulator, "west")
    assert Comparison(bus, west).differences({"a b+ü.txt"}) == []
    [entry] = west.versions("a b+ü.txt")
    assert west.origin("a b+ü.txt", entry["VersionId"]) == version
    emulator.client("s3").delete_object(Bucket="bus-east", Key="a b+ü.txt")
    assert emulator.idle()
    assert any(each["Marker"] for each in west.entries()["a b+ü.txt"])


def test_metrics_of_a_rule_have_s3s_names_and_dimensions(emulator: Running) -> None:
    put(emulator, "photos/measured")
    published = [each for each in emulator.get("metrics") if each["dimensions"].get("RuleId") == "prefix"]
    assert {"ReplicationLatency", "OperationsReplicated", "BytesReplicated"} <= {each["metric"] for each in published}
    assert {frozenset(each["dimensions"]) for each in published if each["metric"] == "BytesReplicated"} == {
        frozenset({"SourceBucket", "DestinationBucket", "RuleId"})
    }
