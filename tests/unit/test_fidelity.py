"""What benchmarks say that a tool loses: a comparison of two buckets, field by field."""

from dataclasses import replace
from typing import Any

from benchmarks._fidelity import FIELDS, FOLDER, Entry, compare, losses

PLAIN = dict.fromkeys(FIELDS, "plain")


def entry(digest: str, **fields: Any) -> Entry:
    return Entry(digest, {**PLAIN, **fields})


def key(kind: str) -> str:
    return f"{FOLDER}{kind}/0"


TAGGED = entry("a", tags={"team": "blue"})
MARKER = Entry("")
SOURCE = {
    key("tags"): [TAGGED],
    key("history"): [entry("1"), entry("2"), entry("3")],
    key("deleted"): [entry("b"), MARKER],
    key("written-again"): [entry("c"), MARKER, entry("d")],
}


def test_an_identical_copy_loses_nothing() -> None:
    assert list(losses(compare(SOURCE, SOURCE))) == []


def test_a_copy_of_the_current_objects_loses_older_versions_markers_and_their_order() -> None:
    current = {key: [entries[-1]] for key, entries in SOURCE.items() if entries[-1].digest}
    result = compare(SOURCE, current)
    assert result.words("current version or marker") == "all", "what is deleted is absent, and so looks alike"
    assert [result.words(name) for name in ("older versions", "delete markers", "whole history in order")] == [
        "none"
    ] * 3


def test_an_object_that_shows_although_it_was_deleted_is_lost() -> None:
    result = compare(SOURCE, {**SOURCE, key("deleted"): [entry("b")]})
    assert result.words("current version or marker") == "3 of 4"
    assert result.words("delete markers") == "1 of 2"


def test_a_history_in_another_order_is_lost_though_each_version_is_there() -> None:
    result = compare(SOURCE, {**SOURCE, key("history"): [entry("2"), entry("1"), entry("3")]})
    assert list(losses(result)) == ["whole history in order"]


def test_each_field_counts_for_the_key_that_has_it_and_for_no_other() -> None:
    for name, kind in FIELDS.items():
        source = {key(kind): [entry("a", **{name: "special"})], key("other"): [entry("b")]}
        changed = {path: [replace(each, fields=PLAIN) for each in entries] for path, entries in source.items()}
        assert list(losses(compare(source, changed))) == [name]
        assert compare(source, changed).had[name] == 1


def test_fields_of_a_version_that_is_not_there_are_lost() -> None:
    assert compare(SOURCE, {}).words("tags") == "none"
