"""What two listings of one key prove. Histories are written oldest to newest: a letter a body, - a delete marker."""

import pytest
from replicator.core.verifying.equality import is_proved_equal
from replicator.core.verifying.listed import Listed
from replicator.core.versions.version import Entry, EntryKind

from tests.unit.listings import candidate, history

CASES = {
    ("a", "a"): (True, True),
    ("", ""): (True, True),
    ("ab", "ab"): (True, True),
    ("ab", "a"): (False, False),
    ("ab", "b"): (False, False),
    ("ab", "ba"): (False, False),
    ("a", "ab"): (False, False),
    ("a", "b"): (False, False),
    ("aa", "a"): (False, False),
    ("a-", "a-"): (True, False),
    ("a-", "a"): (False, True),
    ("a", "a-"): (False, False),
    ("a-b", "ab"): (True, True),
    ("a-b", "a-b"): (True, True),
    ("-", ""): (True, True),
    ("ab-", "ab"): (False, True),
    ("-a", "a-"): (False, False),
    ("a--", "a-"): (True, False),
    ("a-", ""): (False, False),
}
"""Source, destination -> proved equal where delete markers are replicated, and where they are not."""


@pytest.mark.parametrize(("case", "proved"), CASES.items(), ids=[f"{s or 'none'} {d or 'none'}" for s, d in CASES])
def test_equal_is_only_what_has_all_versions_in_order_and_shows_the_same(
    case: tuple[str, str], proved: tuple[bool, bool]
) -> None:
    source, destination = map(history, case)
    answers = tuple(is_proved_equal(source, destination, candidate(markers=markers)) for markers in (True, False))
    assert answers == proved


def test_under_a_tag_filter_delete_markers_are_not_expected() -> None:
    tagged = candidate(markers=True, tags=frozenset({("team", "blue")}))
    assert is_proved_equal(history("a-"), history("a"), tagged)


def test_the_same_etag_with_another_size_proves_nothing() -> None:
    here, there = (Listed("k", Entry("v", EntryKind.VERSION, 1, '"e"', size), is_latest=True) for size in (1, 2))
    assert not is_proved_equal([here], [there], candidate())
