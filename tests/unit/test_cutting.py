"""Cutting spans of keys: a cut lies between its ends, and cutting again and again closes in on any key."""

from hypothesis import given
from hypothesis import strategies as st
from replicator.core.verifying.cutting import between

TEXT = st.text(max_size=20)


@given(TEXT, st.none() | TEXT)
def test_a_cut_lies_between_its_ends(low: str, high: str | None) -> None:
    cut = between(low, high)
    assert cut is None or (cut > low and (high is None or cut < high))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20))
def test_cuts_close_in_on_a_key_in_a_few_steps_for_each_of_its_characters(key: str) -> None:
    low, high, cuts = "", None, 0
    while (cut := between(low, high)) is not None and cuts < 200:
        low, high, cuts = (cut, high, cuts + 1) if cut <= key else (low, cut, cuts + 1)
    assert cuts <= 7 * (len(key) + 12)


def test_hexadecimal_keys_are_cut_into_parts_of_a_useful_size() -> None:
    keys = [f"{number:04x}" for number in range(0x10000)]
    cut = between("", "g")
    assert cut is not None
    assert 0.2 < sum(key <= cut for key in keys) / len(keys) < 0.8
