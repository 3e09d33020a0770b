"""Rule documents: what each field means, and which values are refused, with the rule and the field."""

from collections.abc import Callable
from typing import Any

import pytest
from replicator.aws.rule_shape import shape_problems
from replicator.core.rules.document import RulesRefused, parse
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Destination, Rule

from tests.unit.rule_documents import (
    KEY,
    KMS_ON,
    MODIFICATIONS,
    WHOLE,
    Rules,
    both,
    metrics,
    newer,
    older,
    rtc,
    tag,
    to,
)


def understood(*rules: dict[str, Any], bucket: str = "east") -> RuleSet:
    document = {"Rules": list(rules)}
    return parse(bucket, document, shape_problems(document))


def refused(*rules: Any, bucket: str = "east") -> set[tuple[str, str]]:
    document = {"Rules": list(rules)}
    with pytest.raises(RulesRefused) as caught:
        parse(bucket, document, shape_problems(document))
    return {(problem.rule, problem.field) for problem in caught.value.problems}


MEANINGS: dict[str, tuple[dict[str, Any], Callable[[Rule], Any], Any]] = {
    "ID": (newer(), lambda r: r.id, "one"),
    "Status Enabled": (newer(), lambda r: r.enabled, True),
    "Status Disabled": (newer(Status="Disabled"), lambda r: r.enabled, False),
    "Priority": (newer(Priority=7), lambda r: r.priority, 7),
    "Filter makes it version 2": (newer(), lambda r: r.version, 2),
    "Prefix makes it version 1": (older(), lambda r: r.version, 1),
    "the older form's prefix": (older(Prefix="a/"), lambda r: r.prefix, "a/"),
    "Filter.Prefix": (newer(Filter={"Prefix": "a/"}), lambda r: r.prefix, "a/"),
    "Filter.Tag": (newer(Filter={"Tag": tag()}), lambda r: r.tags, {("k", "v")}),
    "Filter.And": (newer(**both(tag(), Prefix="a")), lambda r: (r.prefix, r.tags), ("a", {("k", "v")})),
    "Filter.And without a prefix": (newer(**both(tag(), tag("l"))), lambda r: (r.prefix, len(r.tags)), ("", 2)),
    "an empty tag value": (newer(Filter={"Tag": tag(value="")}), lambda r: r.tags, {("k", "")}),
    "Destination.Bucket": (newer(), lambda r: r.destination, Destination("west")),
    "another partition": (newer(**to(Bucket="arn:aws-cn:s3:::west")), lambda r: r.destination.bucket, "west"),
    "StorageClass": (newer(**to(StorageClass="GLACIER_IR")), lambda r: r.destination.storage_class, "GLACIER_IR"),
    "Account": (newer(**to(Account="111122223333")), lambda r: r.destination.account, "111122223333"),
    "no owner override by Account alone":
        (newer(**to(Account="111122223333")), lambda r: r.destination.owner_override, False),
    "AccessControlTranslation":
        (newer(**to(Account="111122223333", AccessControlTranslation={"Owner": "Destination"})),
         lambda r: r.destination.owner_override, True),
    "ReplicaKmsKeyID":
        (newer(**to(EncryptionConfiguration={"ReplicaKmsKeyID": KEY}), **KMS_ON),
         lambda r: (r.kms_selected, r.destination.kms_key), (True, KEY)),
    "SseKmsEncryptedObjects Disabled":
        (newer(SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Disabled"}}), lambda r: r.kms_selected,
         False),
    "DeleteMarkerReplication Enabled": (newer(DeleteMarkerReplication=WHOLE), lambda r: r.delete_markers, True),
    "DeleteMarkerReplication Disabled": (newer(), lambda r: r.delete_markers, False),
    "the older form replicates delete markers": (older(), lambda r: r.delete_markers, True),
    "ReplicaModifications": (newer(**MODIFICATIONS), lambda r: r.replica_modifications, True),
    "no ReplicaModifications": (newer(), lambda r: r.replica_modifications, False),
    "ExistingObjectReplication": (newer(ExistingObjectReplication=WHOLE), lambda r: r.existing_objects, True),
    "ReplicationTime": (newer(**to(ReplicationTime=rtc(5), Metrics=metrics(5))), lambda r: r.threshold_minutes, 5),
    "Metrics alone": (newer(**to(Metrics=metrics(20))), lambda r: r.threshold_minutes, 20),
    "part of a minute":
        (newer(**to(ReplicationTime=rtc(0.1), Metrics=metrics(0.1))), lambda r: r.threshold_minutes, 0.1),
    "Metrics without a threshold": (newer(**to(Metrics=WHOLE)), lambda r: r.threshold_minutes, None),
    "ReplicationTime Disabled":
        (newer(**to(ReplicationTime=rtc(15, "Disabled"), Metrics=metrics(15, "Disabled"))),
         lambda r: r.threshold_minutes, None),
    "ReplicaTag by default": (newer(), lambda r: r.replica_tag, True),
    "ReplicaTag Disabled": (newer(ReplicatorOptions={"ReplicaTag": "Disabled"}), lambda r: r.replica_tag, False),
    "PreserveETag by default": (newer(), lambda r: r.preserve_etag, False),
    "PreserveETag Enabled": (newer(ReplicatorOptions={"PreserveETag": "Enabled"}), lambda r: r.preserve_etag, True),
    "AnnotationDeletions by default": (newer(), lambda r: r.annotation_deletions, False),
    "AnnotationDeletions Enabled":
        (newer(ReplicatorOptions={"AnnotationDeletions": "Enabled"}), lambda r: r.annotation_deletions, True),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "read", "expected"), MEANINGS.values(), ids=MEANINGS)
def test_each_field_of_a_rule_has_its_meaning(rule: dict[str, Any], read: Callable[[Rule], Any], expected: Any) -> None:
    assert read(understood(rule).rules[0]) == expected


KMS = "SourceSelectionCriteria.SseKmsEncryptedObjects"
REFUSALS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no Status": (newer(Status=...), {"Status"}),
    "a Status that is none": (newer(Status="enabled"), {"Status"}),
    "a Status of another type": (newer(Status=True), {"Status"}),
    "no Destination": (newer(Destination=...), {"Destination"}),
    "a Destination of another type": (newer(Destination="west"), {"Destination"}),
    "no Destination.Bucket": (newer(Destination={}), {"Destination.Bucket"}),
    "a bucket's name instead of its ARN": (newer(**to(Bucket="west")), {"Destination.Bucket"}),
    "another service's ARN": (newer(**to(Bucket="arn:aws:sqs:::west")), {"Destination.Bucket"}),
    "an access point": (newer(**to(Bucket="arn:aws:s3:us-east-1:111122223333:accesspoint/x")), {"Destination.Bucket"}),
    "an object's ARN": (newer(**to(Bucket="arn:aws:s3:::west/key")), {"Destination.Bucket"}),
    "the source bucket": (newer(**to(Bucket="arn:aws:s3:::east")), {"Destination.Bucket"}),
    "neither Filter nor Prefix": (newer(Filter=...), {"Filter"}),
    "Filter and Prefix": (newer(Prefix=""), {"Prefix"}),
    "Filter with Prefix and Tag": (newer(Filter={"Prefix": "a", "Tag": tag()}), {"Filter"}),
    "Filter with Tag and And": (newer(Filter={"Tag": tag(), **both(tag(), tag("l"))["Filter"]}), {"Filter"}),
    "Filter null": (newer(Filter=None), {"Filter"}),
    "And with one tag": (newer(**both(tag())), {"Filter.And"}),
    "And with a prefix only": (newer(Filter={"And": {"Prefix": "a"}}), {"Filter.And"}),
    "And with the same tag key twice": (newer(**both(tag("k", "1"), tag("k", "2"))), {"Filter.And.Tags[1].Key"}),
    "And with eleven tags": (newer(**both(*(tag(f"k{i}") for i in range(11)))), {"Filter.And.Tags"}),
    "And with tags that are no list":
        (newer(Filter={"And": {"Prefix": "", "Tags": tag()}}), {"Filter.And", "Filter.And.Tags"}),
    "a tag that is no object": (newer(Filter={"And": {"Prefix": "", "Tags": ["k"]}}), {"Filter.And.Tags[0]"}),
    "a tag without a key": (newer(Filter={"Tag": {"Value": "v"}}), {"Filter.Tag.Key"}),
    "a tag with an empty key": (newer(Filter={"Tag": tag("")}), {"Filter.Tag.Key"}),
    "a tag key of 129 characters": (newer(Filter={"Tag": tag("k" * 129)}), {"Filter.Tag.Key"}),
    "a tag without a value": (newer(Filter={"Tag": {"Key": "k"}}), {"Filter.Tag.Value"}),
    "a tag value of 257 characters": (newer(Filter={"Tag": tag("k", "v" * 257)}), {"Filter.Tag.Value"}),
    "a tag value that is a number": (newer(**both(tag("k", 1), Prefix="")), {"Filter.And.Tags[0].Value"}),
    "a prefix of 1,025 characters": (newer(Filter={"Prefix": "p" * 1025}), {"Filter.Prefix"}),
    "an older prefix of 1,025 characters": (older(Prefix="p" * 1025), {"Prefix"}),
    "no Priority": (newer(Priority=...), {"Priority"}),
    "a negative Priority": (newer(Priority=-1), {"Priority"}),
    "a Priority above 2147483647": (newer(Priority=2**31), {"Priority"}),
    "a Priority that is a text": (newer(Priority="1"), {"Priority"}),
    "a Priority that is true": (newer(Priority=True), {"Priority"}),
    "a Priority of 1.5": (newer(Priority=1.5), {"Priority"}),
    "Priority in the older form": (older(Priority=1), {"Priority"}),
    "no DeleteMarkerReplication": (newer(DeleteMarkerReplication=...), {"DeleteMarkerReplication"}),
    "delete markers with a tag filter":
        (newer(Filter={"Tag": tag()}, DeleteMarkerReplication=WHOLE), {"DeleteMarkerReplication.Status"}),
    "delete markers with tags in And":
        (newer(**both(tag(), Prefix="a"), DeleteMarkerReplication=WHOLE), {"DeleteMarkerReplication.Status"}),
    "DeleteMarkerReplication in the older form": (older(DeleteMarkerReplication=WHOLE), {"DeleteMarkerReplication"}),
    "an unknown DeleteMarkerReplication":
        (newer(DeleteMarkerReplication={"Status": "Yes"}), {"DeleteMarkerReplication.Status"}),
    "ReplicaModifications in the older form":
        (older(**MODIFICATIONS), {"SourceSelectionCriteria.ReplicaModifications"}),
    "SourceSelectionCriteria that is empty": (newer(SourceSelectionCriteria={}), {"SourceSelectionCriteria"}),
    "KMS objects without a key": (newer(**KMS_ON), {"Destination.EncryptionConfiguration.ReplicaKmsKeyID"}),
    "a key without KMS objects": (newer(**to(EncryptionConfiguration={"ReplicaKmsKeyID": KEY})), {KMS}),
    "EncryptionConfiguration without a key":
        (newer(**to(EncryptionConfiguration={}), **KMS_ON), {"Destination.EncryptionConfiguration.ReplicaKmsKeyID"}),
    "a key by its bare id":
        (newer(**to(EncryptionConfiguration={"ReplicaKmsKeyID": KEY[-36:]}), **KMS_ON),
         {"Destination.EncryptionConfiguration.ReplicaKmsKeyID"}),
    "AccessControlTranslation without Account":
        (newer(**to(AccessControlTranslation={"Owner": "Destination"})), {"Destination.Account"}),
    "another Owner":
        (newer(**to(Account="111122223333", AccessControlTranslation={"Owner": "Source"})),
         {"Destination.AccessControlTranslation.Owner"}),
    "no Owner":
        (newer(**to(Account="111122223333", AccessControlTranslation={})),
         {"Destination.AccessControlTranslation.Owner"}),
    "an Account of 11 digits": (newer(**to(Account="11112222333")), {"Destination.Account"}),
    "an Account of other digits": (newer(**to(Account="\u0661" * 12)), {"Destination.Account"}),
    "an unknown StorageClass": (newer(**to(StorageClass="COLD")), {"Destination.StorageClass"}),
    "a StorageClass that no replica can have": (newer(**to(StorageClass="OUTPOSTS")), {"Destination.StorageClass"}),
    "ReplicationTime without Metrics": (newer(**to(ReplicationTime=rtc())), {"Destination.Metrics"}),
    "ReplicationTime with Metrics Disabled":
        (newer(**to(ReplicationTime=rtc(), Metrics=metrics(15, "Disabled"))), {"Destination.Metrics.Status"}),
    "ReplicationTime without Time":
        (newer(**to(ReplicationTime=WHOLE, Metrics=WHOLE)), {"Destination.ReplicationTime.Time"}),
    "ReplicationTime without Minutes":
        (newer(**to(ReplicationTime={"Status": "Enabled", "Time": {}}, Metrics=WHOLE)),
         {"Destination.ReplicationTime.Time.Minutes"}),
    "zero minutes": (newer(**to(ReplicationTime=rtc(0), Metrics=WHOLE)), {"Destination.ReplicationTime.Time.Minutes"}),
    "minutes that are no number":
        (newer(**to(Metrics=metrics(float("nan")))), {"Destination.Metrics.EventThreshold.Minutes"}),
    "a text for minutes": (newer(**to(Metrics=metrics("15"))), {"Destination.Metrics.EventThreshold.Minutes"}),
    "true for minutes": (newer(**to(Metrics=metrics(True))), {"Destination.Metrics.EventThreshold.Minutes"}),
    "two different thresholds":
        (newer(**to(ReplicationTime=rtc(15), Metrics=metrics(5))), {"Destination.Metrics.EventThreshold.Minutes"}),
    "ReplicationTime in the older form":
        (older(**to(ReplicationTime=rtc(), Metrics=metrics())), {"Destination.ReplicationTime"}),
    "an unknown ReplicatorOptions": (newer(ReplicatorOptions={"Colour": "Enabled"}), {"ReplicatorOptions.Colour"}),
    "an unknown option value": (newer(ReplicatorOptions={"ReplicaTag": "No"}), {"ReplicatorOptions.ReplicaTag"}),
    "ReplicatorOptions of another type": (newer(ReplicatorOptions=[]), {"ReplicatorOptions"}),
    "an unknown field": (newer(Filtr={}), {"Filtr"}),
    "an unknown field deep down": (newer(**to(StorageClas="GLACIER")), {"Destination.StorageClas"}),
    "an unknown ExistingObjectReplication":
        (newer(ExistingObjectReplication={"Status": ""}), {"ExistingObjectReplication.Status"}),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "fields"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_names_the_rule_and_the_field(rule: dict[str, Any], fields: set[str]) -> None:
    assert refused(rule) == {("one", field) for field in fields}


def test_the_core_by_itself_refuses_everything_but_unknown_fields() -> None:
    for what, (rule, fields) in REFUSALS.items():
        if not fields & {"Filtr", "Destination.StorageClas"}:
            with pytest.raises(RulesRefused) as caught:
                parse("east", {"Rules": [rule]})
            assert {problem.field for problem in caught.value.problems} == fields, what


CONFLICTS: dict[str, tuple[Rules, set[tuple[str, str]]]] = {
    "an id twice": ([newer(), newer(Priority=2)], {("rule 2", "ID")}),
    "a priority twice for one destination": ([newer(), newer(ID="two")], {("two", "Priority")}),
    "a priority twice, one of them disabled": ([newer(), newer(ID="two", Status="Disabled")], {("two", "Priority")}),
    "both forms": ([newer(), older(ID="two")], {("two", "Prefix")}),
    "older prefixes that overlap": ([older(Prefix="a"), older(ID="two", Prefix="ab")], {("two", "Prefix")}),
    "the shorter one last": ([older(Prefix="ab"), older(ID="two", Prefix="a")], {("one", "Prefix")}),
    "older prefixes that are equal": ([older(Prefix="a"), older(ID="two", Prefix="a")], {("two", "Prefix")}),
    "the older form with two destinations":
        ([older(Prefix="a"), older(ID="two", Prefix="b", Destination={"Bucket": "arn:aws:s3:::north"})],
         {("two", "Destination.Bucket")}),
    "an id of 256 characters": ([newer(ID="i" * 256)], {("rule 1", "ID")}),
    "an id that no message attribute can hold": ([newer(ID="a\x01")], {("rule 1", "ID")}),
    "a rule without an id goes by its position":
        ([newer(), newer(ID=..., Priority=2, Status="On")], {("rule 2", "Status")}),
    "a conflict of rules without ids": ([newer(ID=...), newer(ID=...)], {("rule 2", "Priority")}),
    "rules that are no objects": ([newer(), 5], {("rule 2", "")}),  # type: ignore[list-item]
    "everything at once":
        ([newer(Status="On"), newer(ID="two", Priority=2, Filter=None),
          newer(ID="three", Priority=3, **to(Bucket="x"))],
         {("one", "Status"), ("two", "Filter"), ("three", "Destination.Bucket")}),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), CONFLICTS.values(), ids=CONFLICTS)
def test_rules_that_conflict_with_each_other_are_refused(rules: Rules, expected: set[tuple[str, str]]) -> None:
    assert refused(*rules) == expected


ALLOWED: dict[str, Rules] = {
    "equal priorities for different destinations": [newer(), newer(ID="two", **to(Bucket="arn:aws:s3:::north"))],
    "overlapping prefixes in the newer form": [newer(), newer(ID="two", Priority=2, Filter={"Prefix": "a"})],
    "older prefixes side by side": [older(Prefix="ab"), older(ID="two", Prefix="ac")],
    "1,000 rules": [newer(ID=f"r{i}", Priority=i) for i in range(1000)],
    "an id of 255 characters": [newer(ID="i" * 255)],
    "limits of prefix and tag":
        [newer(**both(tag("k" * 128, "v" * 256), *(tag(f"k{i}") for i in range(9)), Prefix="p" * 1024))],
    "And with an empty prefix and a tag": [newer(**both(tag(), Prefix=""))],
    "a source bucket of the same name in part": [newer(**to(Bucket="arn:aws:s3:::east-2"))],
}  # fmt: skip


@pytest.mark.parametrize("rules", ALLOWED.values(), ids=ALLOWED)
def test_rules_within_the_limits_are_accepted(rules: Rules) -> None:
    assert len(understood(*rules).rules) == len(rules)
