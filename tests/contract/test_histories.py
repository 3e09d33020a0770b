"""Histories and single versions, as the plan reads them."""

from replicator.core.deciding.facts import ABSENT
from replicator.core.versions.version import EntryKind, Head, MarkerHead

from tests.contract.stages import RICH, Stage
from tests.fakes.stored import Content

KEY = "some/key"


def ids(stage: Stage, key: str = KEY) -> list[str]:
    return [entry.version_id for entry in stage.reads(stage.source).history(key)]


def test_a_history_runs_from_oldest_to_newest_delete_markers_among_versions(stage: Stage) -> None:
    written = [
        stage.put(stage.source, KEY, Content(b"1")),
        stage.delete(stage.source, KEY),
        stage.delete(stage.source, KEY),
        stage.put(stage.source, KEY, Content(b"2")),
        stage.put(stage.source, KEY, Content(b"3")),
        stage.delete(stage.source, KEY),
    ]
    entries = stage.reads(stage.source).history(KEY)
    assert [entry.version_id for entry in entries] == written
    assert [entry.is_version for entry in entries] == [True, False, False, True, True, False]


def test_a_history_is_that_of_one_key_alone(stage: Stage) -> None:
    others = ["some/key2", "some/key/", "some/key/below", "some/key ", "some/ke", "some/keY"]
    for other in others:
        stage.put(stage.source, other)
    mine = stage.put(stage.source, KEY)
    for other in others:
        stage.delete(stage.source, other)
    assert ids(stage) == [mine]


def test_a_key_that_never_was_has_no_history(stage: Stage) -> None:
    assert stage.reads(stage.source).history("never") == ()


def test_keys_of_every_kind_have_histories(stage: Stage) -> None:
    keys = ["a b+c", "ümläut/東京", "x" * 1024, "%41", "a&b=c", "../up", "tab\there"]
    written = {key: [stage.put(stage.source, key), stage.delete(stage.source, key)] for key in keys}
    assert {key: ids(stage, key) for key in keys} == written


def test_an_entry_of_a_history_says_the_same_as_head(stage: Stage) -> None:
    version_id = stage.put(stage.source, KEY, RICH)
    (entry,) = stage.reads(stage.source).history(KEY)
    head = stage.reads(stage.source).head(KEY, version_id)
    assert isinstance(head, Head)
    assert (entry.version_id, entry.etag, entry.size, entry.modified) == (
        head.version_id,
        head.etag,
        head.size,
        head.modified,
    )
    assert entry.kind is EntryKind.VERSION


def test_times_in_a_history_never_run_backwards_and_are_whole_seconds(stage: Stage) -> None:
    for body in (b"1", b"2", b"3"):
        stage.put(stage.source, KEY, Content(body))
    times = [entry.modified for entry in stage.reads(stage.source).history(KEY)]
    assert times == sorted(times)
    assert all(isinstance(time, int) for time in times)


def test_an_upload_in_parts_has_an_etag_that_says_so(stage: Stage) -> None:
    version_id = stage.upload(stage.source, KEY)
    (entry,) = stage.reads(stage.source).history(KEY)
    assert entry.version_id == version_id
    assert entry.etag.endswith('-1"')


def test_an_upload_in_parts_stands_in_the_history_where_it_was_begun(stage: Stage) -> None:
    upload = stage.upload(stage.source, KEY, meanwhile=Content(b"later"))
    entries = stage.reads(stage.source).history(KEY)
    assert entries[0].version_id == upload
    assert len(entries) == 2


def test_a_version_deleted_for_good_leaves_the_history(stage: Stage) -> None:
    first, second = (stage.put(stage.source, KEY, Content(body)) for body in (b"1", b"2"))
    stage.destroy(stage.source, KEY, first)
    assert ids(stage) == [second]


def test_a_delete_marker_deleted_for_good_brings_the_version_back(stage: Stage) -> None:
    version_id = stage.put(stage.source, KEY)
    stage.destroy(stage.source, KEY, stage.delete(stage.source, KEY))
    top = stage.reads(stage.source).top(KEY)
    assert isinstance(top, Head)
    assert top.version_id == version_id


# One version


def test_head_returns_metadata_headers_tag_count_and_storage_class(stage: Stage) -> None:
    head = stage.reads(stage.source).head(KEY, stage.put(stage.source, KEY, RICH))
    assert isinstance(head, Head)
    assert dict(head.metadata) == RICH.metadata
    assert dict(head.headers) == RICH.headers
    assert (head.tag_count, head.storage_class, head.size) == (1, "STANDARD_IA", 7)
    assert head.encryption.algorithm == "AES256"


def test_head_returns_the_checksum_that_s3_stores_when_none_was_asked_for(stage: Stage) -> None:
    head = stage.reads(stage.source).head(KEY, stage.put(stage.source, KEY, Content(b"123456789")))
    assert isinstance(head, Head)
    assert head.checksum is not None
    assert head.checksum.full_object


def test_head_of_a_delete_marker_or_of_nothing_finds_no_version(stage: Stage) -> None:
    version_id = stage.put(stage.source, KEY)
    marker = stage.delete(stage.source, KEY)
    reads = stage.reads(stage.source)
    assert reads.head(KEY, marker) is ABSENT
    assert isinstance(reads.head(KEY, version_id), Head)
    stage.destroy(stage.source, KEY, version_id)
    assert reads.head(KEY, version_id) is ABSENT
    assert reads.head("never", version_id) is ABSENT


def test_a_head_finds_versions_and_delete_markers_until_they_are_deleted_for_good(stage: Stage) -> None:
    entries = [stage.put(stage.source, KEY), stage.delete(stage.source, KEY)]
    reads = stage.reads(stage.source)
    assert [reads.exists(KEY, version_id) for version_id in entries] == [True, True]
    for version_id in entries:
        stage.destroy(stage.source, KEY, version_id)
    assert [reads.exists(KEY, version_id) for version_id in entries] == [False, False]


def test_the_top_of_a_key_is_a_version_a_delete_marker_or_nothing(stage: Stage) -> None:
    reads = stage.reads(stage.source)
    assert reads.top(KEY) is ABSENT
    version_id = stage.put(stage.source, KEY)
    top = reads.top(KEY)
    assert isinstance(top, Head)
    assert top.version_id == version_id
    marker = stage.delete(stage.source, KEY)
    assert reads.top(KEY) == MarkerHead(marker)


def test_tags_and_grants_are_those_of_the_version(stage: Stage) -> None:
    rich, plain = stage.put(stage.source, KEY, RICH), stage.put(stage.source, KEY)
    reads = stage.reads(stage.source)
    assert reads.tags(KEY, rich) == RICH.tags
    assert set(RICH.grants) <= set(reads.grants(KEY, rich))
    assert reads.tags(KEY, plain) == {}
    assert reads.grants(KEY, plain) == ()


# Null versions


def test_where_versioning_is_suspended_a_key_has_one_null_version(stage: Stage) -> None:
    kept = stage.put(stage.source, KEY, Content(b"kept"))
    stage.suspend(stage.source)
    assert stage.put(stage.source, KEY, Content(b"first")) == "null"
    stage.put(stage.source, KEY, Content(b"second"))
    assert ids(stage) == [kept, "null"]
    assert stage.body(stage.source, KEY, "null") == b"second"
    head = stage.reads(stage.source).head(KEY, "null")
    assert isinstance(head, Head)
    assert head.version_id == "null"


def test_where_versioning_is_suspended_a_delete_marker_takes_the_null_version_s_place(stage: Stage) -> None:
    kept = stage.put(stage.source, KEY, Content(b"kept"))
    stage.suspend(stage.source)
    stage.put(stage.source, KEY, Content(b"lost"))
    stage.delete(stage.source, KEY)
    entries = stage.reads(stage.source).history(KEY)
    assert [(entry.version_id, entry.is_version) for entry in entries] == [(kept, True), ("null", False)]
    assert stage.reads(stage.source).top(KEY) == MarkerHead("null")
