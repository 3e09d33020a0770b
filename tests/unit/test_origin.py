"""The mark of a replica: it is read as it was written, valid only where it was written, and put where there is room."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.versions.origin import (
    MARK,
    MARK_SECONDS,
    METADATA_LIMIT,
    Born,
    Origin,
    Site,
    born_of,
    decode_mark,
    encode_mark,
    find_mark,
    has_metadata_room,
    identify,
    metadata_bytes,
)

bucket_names = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True)
version_ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100)
origins = st.builds(Origin, bucket_names, version_ids, st.integers(0, 10**11))
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)

ORIGIN = Origin("east", "v1", 1_700_000_000)
NOON = 1_700_000_100
HERE = Site("west", "a/b", NOON)
TEXT = encode_mark(ORIGIN, HERE)


@given(origins, bucket_names, keys)
def test_a_mark_is_read_as_it_was_written(origin: Origin, bucket: str, key: str) -> None:
    assert decode_mark(encode_mark(origin, Site(bucket, key, NOON)), Site(bucket, key, NOON)) == origin


@given(origins, bucket_names, keys)
def test_a_mark_is_plain_ascii_and_fits_into_a_tag(origin: Origin, bucket: str, key: str) -> None:
    text = encode_mark(origin, Site(bucket, key, NOON))
    assert text.isascii()
    assert len(text) <= 256


def test_the_form_of_the_mark_does_not_change() -> None:
    """Replicas that were written long ago carry this text."""
    assert TEXT == "east/v1/1700000000/1700000100/4bc95930"
    assert decode_mark("east/null/0/1700000100/4bc95930", HERE) == Origin("east", "null", 0)


def test_a_null_version_is_named_by_its_etag_too_and_no_other_version_is() -> None:
    """The next null version of the same second takes over its id and its time."""
    null, other = (identify("east", version_id, NOON, '"0cc175b9c0f1b6a8-2"') for version_id in ("null", "v1"))
    assert encode_mark(null, HERE) == "east/null@0cc175b9c0f1b6a8-2/1700000100/1700000100/4bc95930"
    assert decode_mark(encode_mark(null, HERE), HERE) == null
    assert null != identify("east", "null", NOON, '"another"')
    assert other == Origin("east", "v1", NOON)
    assert str(null) == "east/null"


def test_a_mark_is_not_valid_in_another_bucket_or_under_another_key() -> None:
    """So a user's copy of a replica is a native version."""
    for bucket, key in (("north", "a/b"), ("west", "a/c"), ("east", "a/b")):
        assert decode_mark(TEXT, Site(bucket, key, NOON)) is None, f"{bucket}/{key}"


def test_a_text_that_is_no_mark_is_not_read_as_one() -> None:
    texts = [
        None, "", "/", "////", "east", "east/v1", "east/v1/1700000000/1700000100", "/v1/1700000000/1700000100/4bc95930",
        "east//17/1700000100/4bc95930", "east/v1/-5/1700000100/4bc95930", "east/v1/x/1700000100/4bc95930",
        "east/v1/1700000000/4bc95930", "east/v1/1700000000/1700000100/00000000", "é/v1/²/1700000100/4bc95930",
    ]  # fmt: skip
    assert [text for text in texts if decode_mark(text, HERE)] == []


def test_a_mark_is_valid_as_long_as_its_version_was_written_at_about_its_time() -> None:
    """A user brings an old replica back by copying it onto its own key: that copy is a native version."""
    valid = {0: True, -MARK_SECONDS: True, MARK_SECONDS: True, MARK_SECONDS + 1: False, -MARK_SECONDS - 1: False}
    assert {late: decode_mark(TEXT, Site("west", "a/b", NOON + late)) == ORIGIN for late in valid} == valid


def test_a_mark_is_valid_though_the_writers_clock_is_off_as_far_as_s3_allows() -> None:
    skew, copying = 15 * 60, 5 * 60
    assert all(decode_mark(TEXT, Site("west", "a/b", NOON + late)) for late in (-skew, skew + copying))
    assert not decode_mark(TEXT, Site("west", "a/b", NOON + 60 * 60))


@given(st.text())
def test_no_text_crashes_the_reader_of_marks(text: str) -> None:
    decode_mark(text, HERE)


def test_a_mark_is_read_from_the_metadata_or_else_from_the_tags() -> None:
    other = encode_mark(Origin("east", "v2", 1), HERE)
    assert find_mark({MARK: TEXT}, {}, HERE) == ORIGIN
    assert find_mark({}, {MARK: TEXT}, HERE) == ORIGIN
    assert find_mark({MARK: TEXT}, {MARK: other}, HERE) == ORIGIN
    assert find_mark({"other": TEXT}, {"x": TEXT}, HERE) is None


def test_a_mark_in_the_metadata_that_is_not_valid_does_not_hide_the_one_in_the_tags() -> None:
    """As in the replica of a user's copy of a replica: its full metadata still has the mark of where that came from."""
    foreign = encode_mark(ORIGIN, Site("north", "a/b", NOON))
    assert find_mark({MARK: foreign}, {MARK: TEXT}, HERE) == ORIGIN


def test_metadata_is_measured_in_bytes_of_keys_and_values() -> None:
    given: list[dict[str, str]] = [{}, {"a": "b"}, {"name": "é"}, {"a": "bc", "de": ""}]
    assert [metadata_bytes(metadata) for metadata in given] == [0, 2, 6, 5]


def full(room: int) -> dict[str, str]:
    return {"note": "x" * (METADATA_LIMIT - len("note") - room)}


NEEDED = len(MARK) + len(TEXT)


def test_there_is_room_for_a_mark_to_the_last_byte() -> None:
    assert has_metadata_room(full(NEEDED), 0, TEXT)
    assert not has_metadata_room(full(NEEDED - 1), 0, TEXT)


def test_a_mark_takes_the_place_of_one_that_is_there() -> None:
    assert has_metadata_room(full(NEEDED) | {MARK: "x" * 500}, 0, TEXT)


def test_metadata_that_headers_cannot_carry_leaves_no_room() -> None:
    assert not has_metadata_room({}, 1, TEXT)


@given(origins, bucket_names, keys, st.integers(0, 400))
def test_a_reader_never_misses_a_mark_in_the_tags(origin: Origin, bucket: str, key: str, room: int) -> None:
    """It decides without the mark whether to read the tags, so no mark may be longer than it assumes."""
    mark = encode_mark(origin, Site(bucket, key, NOON))
    if not has_metadata_room(full(room), 0, mark):
        assert not has_metadata_room(full(room), 0)


def test_a_reader_assumes_the_longest_mark_that_there_can_be() -> None:
    longest = encode_mark(Origin("b" * 63, "v" * 128, 10**12 - 1), Site("west", "a/b", 10**12 - 1))
    for room in range(len(MARK) + len(longest) - 1, len(MARK) + len(longest) + 2):
        assert has_metadata_room(full(room), 0) is has_metadata_room(full(room), 0, longest)


def test_metadata_has_room_for_two_kilobytes() -> None:
    """S3 user guide, "Working with object metadata"."""
    assert has_metadata_room({"k": "x" * (2047 - NEEDED)}, 0, TEXT)
    assert not has_metadata_room({"k": "x" * (2048 - NEEDED)}, 0, TEXT)


@pytest.mark.parametrize("event_hold", ["", "0a1b2c3d"], ids=["no event hold", "an event hold"])
def test_a_mark_says_what_its_replica_was_written_with(event_hold: str) -> None:
    born = Born("01234567", "89abcdef", hold=True, metadata="fedcba98", event_hold=event_hold)
    mark = encode_mark(replace(ORIGIN, undoes=True), HERE, born)
    assert born_of(mark) == born
    assert decode_mark(mark, HERE) == ORIGIN
