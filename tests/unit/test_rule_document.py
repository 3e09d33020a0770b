"""Rule documents: what each field means, and that every refusal names the rule and the field."""

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


MEANINGS: list[tuple[int, str, dict[str, Any], Callable[[Rule], Any], Any]] = [
    (1, "ID", newer(), lambda r: r.id, "one"),
    (2, "Status Enabled", newer(), lambda r: r.enabled, True),
    (3, "Status Disabled", newer(Status="Disabled"), lambda r: r.enabled, False),
    (4, "Priority", newer(Priority=7), lambda r: r.priority, 7),
    (5, "Filter makes it version 2", newer(), lambda r: r.version, 2),
    (6, "Prefix makes it version 1", older(), lambda r: r.version, 1),
    (7, "the older form's prefix", older(Prefix="a/"), lambda r: r.prefix, "a/"),
    (8, "Filter.Prefix", newer(Filter={"Prefix": "a/"}), lambda r: r.prefix, "a/"),
    (9, "Filter.Tag", newer(Filter={"Tag": tag()}), lambda r: r.tags, {("k", "v")}),
    (10, "Filter.And", newer(**both(tag(), Prefix="a")), lambda r: (r.prefix, r.tags), ("a", {("k", "v")})),
    (11, "Filter.And without a prefix", newer(**both(tag(), tag("l"))), lambda r: (r.prefix, len(r.tags)), ("", 2)),
    (12, "an empty tag value", newer(Filter={"Tag": tag(value="")}), lambda r: r.tags, {("k", "")}),
    (13, "Destination.Bucket", newer(), lambda r: r.destination, Destination("west")),
    (14, "another partition", newer(**to(Bucket="arn:aws-cn:s3:::west")), lambda r: r.destination.bucket, "west"),
    (15, "StorageClass", newer(**to(StorageClass="GLACIER_IR")), lambda r: r.destination.storage_class, "GLACIER_IR"),
    (16, "Account", newer(**to(Account="111122223333")), lambda r: r.destination.account, "111122223333"),
    (17, "no owner override by Account alone", newer(**to(Account="111122223333")),
     lambda r: r.destination.owner_override, False),
    (18, "AccessControlTranslation",
     newer(**to(Account="111122223333", AccessControlTranslation={"Owner": "Destination"})),
     lambda r: r.destination.owner_override, True),
    (19, "ReplicaKmsKeyID", newer(**to(EncryptionConfiguration={"ReplicaKmsKeyID": KEY}), **KMS_ON),
     lambda r: (r.kms_selected, r.destination.kms_key), (True, KEY)),
    (20, "SseKmsEncryptedObjects Disabled",
     newer(SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Disabled"}}),
     lambda r: r.kms_selected, False),
    (21, "DeleteMarkerReplication Enabled", newer(DeleteMarkerReplication=WHOLE), lambda r: r.delete_markers, True),
    (22, "DeleteMarkerReplication Disabled", newer(), lambda r: r.delete_markers, False),
    (23, "the older form replicates delete markers", older(), lambda r: r.delete_markers, True),
    (24, "ReplicaModifications", newer(**MODIFICATIONS), lambda r: r.replica_modifications, True),
    (25, "no ReplicaModifications", newer(), lambda r: r.replica_modifications, False),
    (26, "ExistingObjectReplication", newer(ExistingObjectReplication=WHOLE), lambda r: r.existing_objects, True),
    (27, "ReplicationTime", newer(**to(ReplicationTime=rtc(5), Metrics=metrics(5))), lambda r: r.threshold_minutes, 5),
    (28, "Metrics alone", newer(**to(Metrics=metrics(20))), lambda r: r.threshold_minutes, 20),
    (38, "part of a minute", newer(**to(ReplicationTime=rtc(0.1), Metrics=metrics(0.1))),
     lambda r: r.threshold_minutes, 0.1),
    (29, "Metrics without a threshold", newer(**to(Metrics=WHOLE)), lambda r: r.threshold_minutes, None),
    (30, "ReplicationTime Disabled", newer(**to(ReplicationTime=rtc(15, "Disabled"), Metrics=metrics(15, "Disabled"))),
     lambda r: r.threshold_minutes, None),
    (31, "ReplicaTag by default", newer(), lambda r: r.replica_tag, True),
    (32, "ReplicaTag Disabled", newer(ReplicatorOptions={"ReplicaTag": "Disabled"}), lambda r: r.replica_tag, False),
    (33, "PreserveETag by default", newer(), lambda r: r.preserve_etag, False),
    (34, "PreserveETag Enabled", newer(ReplicatorOptions={"PreserveETag": "Enabled"}), lambda r: r.preserve_etag, True),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "read", "expected"), [row[2:] for row in MEANINGS],
                         ids=[f"{row[0]:02} {row[1]}" for row in MEANINGS])  # fmt: skip
def test_what_a_field_means(rule: dict[str, Any], read: Callable[[Rule], Any], expected: Any) -> None:
    assert read(understood(rule).rules[0]) == expected


KMS = "SourceSelectionCriteria.SseKmsEncryptedObjects"
REFUSALS: list[tuple[int, str, dict[str, Any], set[str]]] = [
    (1, "no Status", newer(Status=...), {"Status"}),
    (2, "a Status that is none", newer(Status="enabled"), {"Status"}),
    (3, "a Status of another type", newer(Status=True), {"Status"}),
    (4, "no Destination", newer(Destination=...), {"Destination"}),
    (5, "a Destination of another type", newer(Destination="west"), {"Destination"}),
    (6, "no Destination.Bucket", newer(Destination={}), {"Destination.Bucket"}),
    (7, "a bucket's name instead of its ARN", newer(**to(Bucket="west")), {"Destination.Bucket"}),
    (8, "another service's ARN", newer(**to(Bucket="arn:aws:sqs:::west")), {"Destination.Bucket"}),
    (9, "an access point", newer(**to(Bucket="arn:aws:s3:us-east-1:111122223333:accesspoint/x")),
     {"Destination.Bucket"}),
    (10, "an object's ARN", newer(**to(Bucket="arn:aws:s3:::west/key")), {"Destination.Bucket"}),
    (11, "the source bucket", newer(**to(Bucket="arn:aws:s3:::east")), {"Destination.Bucket"}),
    (12, "neither Filter nor Prefix", newer(Filter=...), {"Filter"}),
    (13, "Filter and Prefix", newer(Prefix=""), {"Prefix"}),
    (14, "Filter with Prefix and Tag", newer(Filter={"Prefix": "a", "Tag": tag()}), {"Filter"}),
    (15, "Filter with Tag and And", newer(Filter={"Tag": tag(), **both(tag(), tag("l"))["Filter"]}), {"Filter"}),
    (16, "Filter null", newer(Filter=None), {"Filter"}),
    (17, "And with one tag", newer(**both(tag())), {"Filter.And"}),
    (18, "And with a prefix only", newer(Filter={"And": {"Prefix": "a"}}), {"Filter.And"}),
    (19, "And with the same tag key twice", newer(**both(tag("k", "1"), tag("k", "2"))), {"Filter.And.Tags[1].Key"}),
    (20, "And with eleven tags", newer(**both(*(tag(f"k{i}") for i in range(11)))), {"Filter.And.Tags"}),
    (21, "And with tags that are no list", newer(Filter={"And": {"Prefix": "", "Tags": tag()}}),
     {"Filter.And", "Filter.And.Tags"}),
    (22, "a tag that is no object", newer(Filter={"And": {"Prefix": "", "Tags": ["k"]}}), {"Filter.And.Tags[0]"}),
    (23, "a tag without a key", newer(Filter={"Tag": {"Value": "v"}}), {"Filter.Tag.Key"}),
    (24, "a tag with an empty key", newer(Filter={"Tag": tag("")}), {"Filter.Tag.Key"}),
    (25, "a tag key of 129 characters", newer(Filter={"Tag": tag("k" * 129)}), {"Filter.Tag.Key"}),
    (26, "a tag without a value", newer(Filter={"Tag": {"Key": "k"}}), {"Filter.Tag.Value"}),
    (27, "a tag value of 257 characters", newer(Filter={"Tag": tag("k", "v" * 257)}), {"Filter.Tag.Value"}),
    (28, "a tag value that is a number", newer(**both(tag("k", 1), Prefix="")), {"Filter.And.Tags[0].Value"}),
    (29, "a prefix of 1,025 characters", newer(Filter={"Prefix": "p" * 1025}), {"Filter.Prefix"}),
    (30, "an older prefix of 1,025 characters", older(Prefix="p" * 1025), {"Prefix"}),
    (31, "no Priority", newer(Priority=...), {"Priority"}),
    (32, "a negative Priority", newer(Priority=-1), {"Priority"}),
    (33, "a Priority above 2147483647", newer(Priority=2**31), {"Priority"}),
    (34, "a Priority that is a text", newer(Priority="1"), {"Priority"}),
    (35, "a Priority that is true", newer(Priority=True), {"Priority"}),
    (36, "a Priority of 1.5", newer(Priority=1.5), {"Priority"}),
    (37, "Priority in the older form", older(Priority=1), {"Priority"}),
    (38, "no DeleteMarkerReplication", newer(DeleteMarkerReplication=...), {"DeleteMarkerReplication"}),
    (39, "delete markers with a tag filter", newer(Filter={"Tag": tag()}, DeleteMarkerReplication=WHOLE),
     {"DeleteMarkerReplication.Status"}),
    (40, "delete markers with tags in And", newer(**both(tag(), Prefix="a"), DeleteMarkerReplication=WHOLE),
     {"DeleteMarkerReplication.Status"}),
    (41, "DeleteMarkerReplication in the older form", older(DeleteMarkerReplication=WHOLE),
     {"DeleteMarkerReplication"}),
    (42, "an unknown DeleteMarkerReplication", newer(DeleteMarkerReplication={"Status": "Yes"}),
     {"DeleteMarkerReplication.Status"}),
    (43, "ReplicaModifications in the older form", older(**MODIFICATIONS),
     {"SourceSelectionCriteria.ReplicaModifications"}),
    (44, "SourceSelectionCriteria that is empty", newer(SourceSelectionCriteria={}), {"SourceSelectionCriteria"}),
    (45, "KMS objects without a key", newer(**KMS_ON), {"Destination.EncryptionConfiguration.ReplicaKmsKeyID"}),
    (46, "a key without KMS objects", newer(**to(EncryptionConfiguration={"ReplicaKmsKeyID": KEY})), {KMS}),
    (47, "EncryptionConfiguration without a key", newer(**to(EncryptionConfiguration={}), **KMS_ON),
     {"Destination.EncryptionConfiguration.ReplicaKmsKeyID"}),
    (48, "a key by its bare id", newer(**to(EncryptionConfiguration={"ReplicaKmsKeyID": KEY[-36:]}), **KMS_ON),
     {"Destination.EncryptionConfiguration.ReplicaKmsKeyID"}),
    (49, "AccessControlTranslation without Account", newer(**to(AccessControlTranslation={"Owner": "Destination"})),
     {"Destination.Account"}),
    (50, "another Owner", newer(**to(Account="111122223333", AccessControlTranslation={"Owner": "Source"})),
     {"Destination.AccessControlTranslation.Owner"}),
    (51, "no Owner", newer(**to(Account="111122223333", AccessControlTranslation={})),
     {"Destination.AccessControlTranslation.Owner"}),
    (52, "an Account of 11 digits", newer(**to(Account="11112222333")), {"Destination.Account"}),
    (53, "an Account of other digits", newer(**to(Account="\u0661" * 12)), {"Destination.Account"}),
    (54, "an unknown StorageClass", newer(**to(StorageClass="COLD")), {"Destination.StorageClass"}),
    (55, "a StorageClass that no replica can have", newer(**to(StorageClass="OUTPOSTS")), {"Destination.StorageClass"}),
    (56, "ReplicationTime without Metrics", newer(**to(ReplicationTime=rtc())), {"Destination.Metrics"}),
    (57, "ReplicationTime with Metrics Disabled", newer(**to(ReplicationTime=rtc(), Metrics=metrics(15, "Disabled"))),
     {"Destination.Metrics.Status"}),
    (58, "ReplicationTime without Time", newer(**to(ReplicationTime=WHOLE, Metrics=WHOLE)),
     {"Destination.ReplicationTime.Time"}),
    (59, "ReplicationTime without Minutes",
     newer(**to(ReplicationTime={"Status": "Enabled", "Time": {}}, Metrics=WHOLE)),
     {"Destination.ReplicationTime.Time.Minutes"}),
    (60, "zero minutes", newer(**to(ReplicationTime=rtc(0), Metrics=WHOLE)),
     {"Destination.ReplicationTime.Time.Minutes"}),
    (91, "minutes that are no number", newer(**to(Metrics=metrics(float("nan")))),
     {"Destination.Metrics.EventThreshold.Minutes"}),
    (92, "a text for minutes", newer(**to(Metrics=metrics("15"))), {"Destination.Metrics.EventThreshold.Minutes"}),
    (93, "true for minutes", newer(**to(Metrics=metrics(True))), {"Destination.Metrics.EventThreshold.Minutes"}),
    (61, "two different thresholds", newer(**to(ReplicationTime=rtc(15), Metrics=metrics(5))),
     {"Destination.Metrics.EventThreshold.Minutes"}),
    (62, "ReplicationTime in the older form", older(**to(ReplicationTime=rtc(), Metrics=metrics())),
     {"Destination.ReplicationTime"}),
    (63, "an unknown ReplicatorOptions", newer(ReplicatorOptions={"Colour": "Enabled"}), {"ReplicatorOptions.Colour"}),
    (64, "an unknown option value", newer(ReplicatorOptions={"ReplicaTag": "No"}), {"ReplicatorOptions.ReplicaTag"}),
    (65, "ReplicatorOptions of another type", newer(ReplicatorOptions=[]), {"ReplicatorOptions"}),
    (66, "an unknown field", newer(Filtr={}), {"Filtr"}),
    (67, "an unknown field deep down", newer(**to(StorageClas="GLACIER")), {"Destination.StorageClas"}),
    (68, "an unknown ExistingObjectReplication", newer(ExistingObjectReplication={"Status": ""}),
     {"ExistingObjectReplication.Status"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "fields"), [row[2:] for row in REFUSALS],
                         ids=[f"{row[0]:02} {row[1]}" for row in REFUSALS])  # fmt: skip
def test_a_refusal_names_the_rule_and_the_field(rule: dict[str, Any], fields: set[str]) -> None:
    assert refused(rule) == {("one", field) for field in fields}


BY_THE_CORE = [row for row in REFUSALS if not row[3] & {"Filtr", "Destination.StorageClas"}]


@pytest.mark.parametrize(("rule", "fields"), [row[2:] for row in BY_THE_CORE],
                         ids=[f"{row[0]:02} {row[1]}" for row in BY_THE_CORE])  # fmt: skip
def test_the_core_refuses_by_itself_everything_but_unknown_fields(rule: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(RulesRefused) as caught:
        parse("east", {"Rules": [rule]})
    assert {problem.field for problem in caught.value.problems} == fields


TOGETHER: list[tuple[int, str, Rules, set[tuple[str, str]]]] = [
    (1, "an id twice", [newer(), newer(Priority=2)], {("rule 2", "ID")}),
    (2, "a priority twice for one destination", [newer(), newer(ID="two")], {("two", "Priority")}),
    (3, "a priority twice, one of them disabled", [newer(), newer(ID="two", Status="Disabled")], {("two", "Priority")}),
    (4, "both forms", [newer(), older(ID="two")], {("two", "Prefix")}),
    (5, "older prefixes that overlap", [older(Prefix="a"), older(ID="two", Prefix="ab")], {("two", "Prefix")}),
    (6, "the shorter one last", [older(Prefix="ab"), older(ID="two", Prefix="a")], {("one", "Prefix")}),
    (7, "older prefixes that are equal", [older(Prefix="a"), older(ID="two", Prefix="a")], {("two", "Prefix")}),
    (8, "the older form with two destinations",
     [older(Prefix="a"), older(ID="two", Prefix="b", Destination={"Bucket": "arn:aws:s3:::north"})],
     {("two", "Destination.Bucket")}),
    (9, "an id of 256 characters", [newer(ID="i" * 256)], {("rule 1", "ID")}),
    (94, "an id that no message attribute can hold", [newer(ID="a\x01")], {("rule 1", "ID")}),
    (10, "a rule without an id goes by its position", [newer(), newer(ID=..., Priority=2, Status="On")],
     {("rule 2", "Status")}),
    (11, "a conflict of rules without ids", [newer(ID=...), newer(ID=...)], {("rule 2", "Priority")}),
    (12, "rules that are no objects", [newer(), 5], {("rule 2", "")}),  # type: ignore[list-item]
    (13, "everything at once",
     [newer(Status="On"), newer(ID="two", Priority=2, Filter=None), newer(ID="three", Priority=3, **to(Bucket="x"))],
     {("one", "Status"), ("two", "Filter"), ("three", "Destination.Bucket")}),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), [row[2:] for row in TOGETHER],
                         ids=[f"{row[0]:02} {row[1]}" for row in TOGETHER])  # fmt: skip
def test_what_rules_may_not_be_to_each_other(rules: Rules, expected: set[tuple[str, str]]) -> None:
    assert refused(*rules) == expected


ALLOWED: list[tuple[int, str, Rules]] = [
    (1, "equal priorities for different destinations", [newer(), newer(ID="two", **to(Bucket="arn:aws:s3:::north"))]),
    (2, "overlapping prefixes in the newer form", [newer(), newer(ID="two", Priority=2, Filter={"Prefix": "a"})]),
    (3, "older prefixes side by side", [older(Prefix="ab"), older(ID="two", Prefix="ac")]),
    (4, "1,000 rules", [newer(ID=f"r{i}", Priority=i) for i in range(1000)]),
    (5, "an id of 255 characters", [newer(ID="i" * 255)]),
    (6, "limits of prefix and tag",
     [newer(**both(tag("k" * 128, "v" * 256), *(tag(f"k{i}") for i in range(9)), Prefix="p" * 1024))]),
    (7, "And with an empty prefix and a tag", [newer(**both(tag(), Prefix=""))]),
    (8, "a source bucket of the same name in part", [newer(**to(Bucket="arn:aws:s3:::east-2"))]),
]  # fmt: skip


@pytest.mark.parametrize("rules", [row[2] for row in ALLOWED], ids=[f"{row[0]:02} {row[1]}" for row in ALLOWED])
def test_what_is_allowed_though_it_looks_like_a_conflict(rules: Rules) -> None:
    assert len(understood(*rules).rules) == len(rules)
