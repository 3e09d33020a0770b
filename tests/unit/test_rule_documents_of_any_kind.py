"""Whatever a document is: text or JSON, one form or the other, the answer is rules with warnings, or a refusal."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.aws.rule_shape import shape_problems
from replicator.core.rules.document import RulesRefused, default_document, load, parse, with_ids
from replicator.core.rules.matching import RuleSet

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


def understood(*rules: dict[str, Any]) -> RuleSet:
    document = {"Rules": list(rules)}
    return parse("east", document, shape_problems(document))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (None, "document"), (5, "document"), ("Rules", "document"), ([], "document"), ({}, "Rules"),
        ({"Rules": None}, "Rules"), ({"Rules": {}}, "Rules"), ({"Rules": []}, "Rules"),
        ({"Rules": [newer()] * 1001}, "Rules"), ({"ReplicationConfiguration": None}, "Rules"),
        ({"ReplicationConfiguration": {}}, "Rules"), ({"Rules": [newer()], "Rule": []}, "Rule"),
        ({"ReplicationConfiguration": {"Rules": [newer()]}, "Role": "r"}, "Role"),
    ],
)  # fmt: skip
def test_a_document_that_holds_no_rules_is_refused_by_its_place(document: Any, field: str) -> None:
    with pytest.raises(RulesRefused) as caught:
        parse("east", document, shape_problems(document))
    assert {(problem.rule, problem.field) for problem in caught.value.problems} == {("", field)}


def test_both_forms_of_the_document_are_the_same_rules_and_the_role_does_not_matter() -> None:
    bare = {"Rules": [newer()]}
    inner = {"Role": "arn:aws:iam::111122223333:role/r", **bare}
    assert parse("east", {"ReplicationConfiguration": inner}) == parse("east", bare) == parse("east", inner)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"", "line 1, column 1"), (b'{"Rules": [}', "line 1, column 12"), (b"\xff\xfe", "UTF-8"),
        (b'{"Rules": [], "Rules": []}', "'Rules' twice"), (b'{"Priority": NaN}', "NaN"),
        (b"[" * 100_000, "nested"), (rb'{"Rules": "\ud800"}', "UTF-8"),
    ],
    ids=["nothing", "broken JSON", "no UTF-8", "a member twice", "no number", "too deep", "half a character"],
)  # fmt: skip
def test_text_that_is_no_document_is_refused_with_its_place(text: bytes, part: str) -> None:
    with pytest.raises(RulesRefused, match="rules of east: document: ") as caught:
        load("east", text)
    assert part in str(caught.value)


def test_text_with_a_byte_order_mark_is_read() -> None:
    assert load("east", b"\xef\xbb\xbf{}") == {}


def test_a_rule_without_an_id_gets_one_that_neither_its_place_nor_a_second_reading_changes() -> None:
    first, second = newer(ID=...), newer(ID="", Priority=2)
    ids = [rule.id for rule in understood(first, second).rules]
    assert ids == [rule.id for rule in understood(second, first).rules][::-1]
    assert len(set(ids)) == 2
    stored = with_ids({"ReplicationConfiguration": {"Rules": [first, second]}})
    assert [rule.id for rule in parse("east", stored).rules] == ids


@pytest.mark.parametrize(
    ("rules", "warned"),
    [
        ([newer()], set()),
        ([newer(**to(ReplicationTime=rtc(15), Metrics=metrics(15)))], set()),
        ([newer(**to(ReplicationTime=rtc(5), Metrics=WHOLE))], {("one", "Destination.ReplicationTime.Time.Minutes")}),
        ([newer(**to(Metrics=metrics(5)))], {("one", "Destination.Metrics.EventThreshold.Minutes")}),
        ([newer(ExistingObjectReplication=WHOLE)], {("one", "ExistingObjectReplication")}),
        ([newer(**MODIFICATIONS)], {("one", "SourceSelectionCriteria.ReplicaModifications")}),
        ([newer(), newer(ID="two", Priority=2)], {("one", "Priority")}),
        ([newer(Filter={"Prefix": "a/b"}), newer(ID="two", Priority=2, Filter={"Prefix": "a"})], {("one", "Priority")}),
        ([newer(), newer(ID="two", Priority=2, Filter={"Prefix": "a"})], set()),
        ([newer(), newer(ID="two", Priority=2, Filter={"Tag": tag()})], set()),
        ([newer(), newer(ID="two", Priority=2, Status="Disabled")], set()),
        ([newer(Status="Disabled"), newer(ID="two", Priority=2)], set()),
        ([newer(), newer(ID="two", Priority=2, **to(Bucket="arn:aws:s3:::north"))], set()),
    ],
    ids=["nothing", "15 minutes", "5 minutes", "a threshold of 5 minutes", "existing objects", "changes at replicas",
         "one that never wins",
         "a longer prefix that never wins", "a shorter prefix wins elsewhere", "a tag filter leaves some",
         "a disabled one takes nothing away", "a disabled one needs no win", "another destination"],
)  # fmt: skip
def test_what_is_worth_a_warning(rules: Rules, warned: set[tuple[str, str]]) -> None:
    assert {(warning.rule, warning.field) for warning in understood(*rules).warnings} == warned


def test_the_default_document_is_the_whole_bucket_as_one_rule() -> None:
    (rule,) = parse("east", default_document("west")).rules
    assert (rule.id, rule.enabled, rule.prefix, rule.tags, rule.destination.bucket) == (
        "default", True, "", frozenset(), "west",
    )  # fmt: skip


def test_problems_come_in_the_order_of_the_rules() -> None:
    document = {"Rules": [newer(ID="b", Filtr={}), newer(ID="a", Status=1, Priority=2), newer(ID="c", Priority=2)]}
    with pytest.raises(RulesRefused) as caught:
        parse("east", document, shape_problems(document))
    assert [problem.rule for problem in caught.value.problems] == ["b", "a", "c"]


def test_a_problem_is_told_once_though_both_checks_find_it() -> None:
    document = {"Rules": [newer(Status="On", Destination={})]}
    with pytest.raises(RulesRefused) as caught:
        parse("east", document, shape_problems(document))
    places = [(problem.rule, problem.field) for problem in caught.value.problems]
    assert len(places) == len(set(places)) == 2


def test_a_misspelt_field_is_told_with_the_right_one() -> None:
    (problem,) = shape_problems({"Rules": [newer(DeleteMarkerReplicaton={})]})
    assert str(problem) == "one: DeleteMarkerReplicaton: is not known; did you mean DeleteMarkerReplication?"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["Enabled", KEY]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
GOOD = newer(
    **both(tag(), Prefix="a"),
    **KMS_ON,
    **to(
        Account="111122223333",
        StorageClass="STANDARD_IA",
        AccessControlTranslation={"Owner": "Destination"},
        EncryptionConfiguration={"ReplicaKmsKeyID": KEY},
        ReplicationTime=rtc(),
        Metrics=metrics(),
    ),
    ExistingObjectReplication=WHOLE,
    ReplicatorOptions={"ReplicaTag": "Enabled", "PreserveETag": "Enabled"},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, inner in items for place in places(inner, (*path, name)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.copy(document)
    changed[path[0]] = replaced(document[path[0]], path[1:], value)
    return changed


def survives(document: Any) -> None:
    try:
        told: tuple[object, ...] = parse("east", document, shape_problems(document)).rules
    except RulesRefused as refused:
        told = refused.problems
    assert told


@given(st.sampled_from(places({"ReplicationConfiguration": {"Rules": [GOOD, older()]}})), json_values)
def test_whatever_stands_at_any_place_the_answer_is_rules_or_a_refusal(place: tuple[Any, ...], value: Any) -> None:
    survives(replaced({"ReplicationConfiguration": {"Rules": [GOOD, older()]}}, place, value))


@given(json_values)
def test_any_json_gives_rules_or_a_refusal(document: Any) -> None:
    survives(document)
    survives({"Rules": [document]})


@given(st.text(max_size=40) | st.binary(max_size=40) | json_values.map(json.dumps))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    with contextlib.suppress(RulesRefused):
        load("east", text)
