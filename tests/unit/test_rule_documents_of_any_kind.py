"""Documents of any kind: whatever is in them, the result is rules with warnings, or a refusal."""

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


NO_RULES: dict[str, tuple[Any, str]] = {
    "null": (None, "document"),
    "a number": (5, "document"),
    "a text": ("Rules", "document"),
    "a list": ([], "document"),
    "an empty object": ({}, "Rules"),
    "Rules null": ({"Rules": None}, "Rules"),
    "Rules that are an object": ({"Rules": {}}, "Rules"),
    "an empty list of Rules": ({"Rules": []}, "Rules"),
    "more than 1,000 rules": ({"Rules": [newer()] * 1001}, "Rules"),
    "ReplicationConfiguration null": ({"ReplicationConfiguration": None}, "Rules"),
    "an empty ReplicationConfiguration": ({"ReplicationConfiguration": {}}, "Rules"),
    "an unknown member": ({"Rules": [newer()], "Rule": []}, "Rule"),
    "a Role outside of ReplicationConfiguration":
        ({"ReplicationConfiguration": {"Rules": [newer()]}, "Role": "r"}, "Role"),
}  # fmt: skip


@pytest.mark.parametrize(("document", "field"), NO_RULES.values(), ids=NO_RULES)
def test_a_document_that_has_no_rules_is_refused_with_the_member_at_fault(document: Any, field: str) -> None:
    with pytest.raises(RulesRefused) as caught:
        parse("east", document, shape_problems(document))
    assert {(problem.rule, problem.field) for problem in caught.value.problems} == {("", field)}


def test_both_forms_of_the_document_are_the_same_rules_and_the_role_does_not_matter() -> None:
    bare = {"Rules": [newer()]}
    inner = {"Role": "arn:aws:iam::111122223333:role/r", **bare}
    assert parse("east", {"ReplicationConfiguration": inner}) == parse("east", bare) == parse("east", inner)


NO_JSON: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "line 1, column 1"),
    "broken JSON": (b'{"Rules": [}', "line 1, column 12"),
    "no UTF-8": (b"\xff\xfe", "UTF-8"),
    "a member twice": (b'{"Rules": [], "Rules": []}', "'Rules' twice"),
    "NaN": (b'{"Priority": NaN}', "NaN"),
    "nested too deeply": (b"[" * 100_000, "nested"),
    "half a character": (rb'{"Rules": "\ud800"}', "UTF-8"),
}


@pytest.mark.parametrize(("text", "part"), NO_JSON.values(), ids=NO_JSON)
def test_text_that_is_no_json_is_refused_with_the_place_of_the_error(text: bytes, part: str) -> None:
    with pytest.raises(RulesRefused, match="rules of east: document: ") as caught:
        load("east", text)
    assert part in str(caught.value)


def test_text_with_a_byte_order_mark_is_read() -> None:
    assert load("east", b"\xef\xbb\xbf{}") == {}


def test_a_rule_without_an_id_gets_one_that_depends_on_its_content_only() -> None:
    first, second = newer(ID=...), newer(ID="", Priority=2)
    ids = [rule.id for rule in understood(first, second).rules]
    assert ids == [rule.id for rule in understood(second, first).rules][::-1]
    assert len(set(ids)) == 2
    stored = with_ids({"ReplicationConfiguration": {"Rules": [first, second]}})
    assert [rule.id for rule in parse("east", stored).rules] == ids


WARNINGS: dict[str, tuple[Rules, set[tuple[str, str]]]] = {
    "a plain rule": ([newer()], set()),
    "Replication Time Control with 15 minutes":
        ([newer(**to(ReplicationTime=rtc(15), Metrics=metrics(15)))], set()),
    "Replication Time Control with 5 minutes":
        ([newer(**to(ReplicationTime=rtc(5), Metrics=WHOLE))], {("one", "Destination.ReplicationTime.Time.Minutes")}),
    "a threshold of 5 minutes":
        ([newer(**to(Metrics=metrics(5)))], {("one", "Destination.Metrics.EventThreshold.Minutes")}),
    "existing objects": ([newer(ExistingObjectReplication=WHOLE)], {("one", "ExistingObjectReplication")}),
    "modifications of replicas": ([newer(**MODIFICATIONS)], set()),
    "a rule that never wins": ([newer(), newer(ID="two", Priority=2)], {("one", "Priority")}),
    "a rule with a longer prefix that never wins":
        ([newer(Filter={"Prefix": "a/b"}), newer(ID="two", Priority=2, Filter={"Prefix": "a"})], {("one", "Priority")}),
    "a rule with a shorter prefix that wins for other keys":
        ([newer(), newer(ID="two", Priority=2, Filter={"Prefix": "a"})], set()),
    "a rule that wins for objects without a tag":
        ([newer(), newer(ID="two", Priority=2, Filter={"Tag": tag()})], set()),
    "a rule that wins as the other is disabled":
        ([newer(), newer(ID="two", Priority=2, Status="Disabled")], set()),
    "a disabled rule that could never win": ([newer(Status="Disabled"), newer(ID="two", Priority=2)], set()),
    "a rule for another destination":
        ([newer(), newer(ID="two", Priority=2, **to(Bucket="arn:aws:s3:::north"))], set()),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "warned"), WARNINGS.values(), ids=WARNINGS)
def test_rules_that_are_probably_a_mistake_have_a_warning(rules: Rules, warned: set[tuple[str, str]]) -> None:
    assert {(warning.rule, warning.field) for warning in understood(*rules).warnings} == warned


def test_the_default_document_has_one_rule_for_the_whole_bucket() -> None:
    (rule,) = parse("east", default_document("west")).rules
    assert (rule.id, rule.enabled, rule.prefix, rule.tags, rule.destination.bucket) == (
        "default", True, "", frozenset(), "west",
    )  # fmt: skip


def test_problems_are_in_the_order_of_the_rules() -> None:
    document = {"Rules": [newer(ID="b", Filtr={}), newer(ID="a", Status=1, Priority=2), newer(ID="c", Priority=2)]}
    with pytest.raises(RulesRefused) as caught:
        parse("east", document, shape_problems(document))
    assert [problem.rule for problem in caught.value.problems] == ["b", "a", "c"]


def test_a_problem_that_two_checks_find_is_reported_once() -> None:
    document = {"Rules": [newer(Status="On", Destination={})]}
    with pytest.raises(RulesRefused) as caught:
        parse("east", document, shape_problems(document))
    places = [(problem.rule, problem.field) for problem in caught.value.problems]
    assert len(places) == len(set(places)) == 2


def test_a_misspelt_field_is_refused_with_the_right_one() -> None:
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


def check_result(document: Any) -> None:
    """Fail unless a document becomes rules, or a refusal with problems."""
    try:
        found: tuple[object, ...] = parse("east", document, shape_problems(document)).rules
    except RulesRefused as refused:
        found = refused.problems
    assert found


@given(st.sampled_from(places({"ReplicationConfiguration": {"Rules": [GOOD, older()]}})), json_values)
def test_any_value_at_any_place_of_a_document_gives_rules_or_a_refusal(place: tuple[Any, ...], value: Any) -> None:
    check_result(replaced({"ReplicationConfiguration": {"Rules": [GOOD, older()]}}, place, value))


@given(json_values)
def test_any_json_gives_rules_or_a_refusal(document: Any) -> None:
    check_result(document)
    check_result({"Rules": [document]})


@given(st.text(max_size=40) | st.binary(max_size=40) | json_values.map(json.dumps))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    with contextlib.suppress(RulesRefused):
        load("east", text)
