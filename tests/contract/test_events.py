"""What events say: the version, the order, the kind of change. Flows learn of changes in no other way."""

from itertools import pairwise

import pytest
from replicator.core.deciding.copy import Guard
from replicator.core.versions.change import Change, ChangeKind, comes_after

from tests.contract.copying import copy_of
from tests.contract.stages import Stage
from tests.fakes.stored import Content

KEY = "seen/a b+c ü"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.notify()
    return stage


def only(stage: Stage, bucket: str) -> Change:
    (record,) = stage.events(bucket)
    return record.change


def test_the_event_of_a_write_has_its_version_key_and_size(stage: Stage) -> None:
    version_id = stage.put(stage.source, KEY, Content(b"12345"))
    change = only(stage, stage.source)
    assert (change.kind, change.bucket, change.key) == (ChangeKind.CREATED, stage.source, KEY)
    assert (change.version_id, change.size) == (version_id, 5)
    assert change.sequencer
    assert not change.is_multipart


def test_the_event_of_a_delete_has_the_version_id_of_its_marker(stage: Stage) -> None:
    stage.put(stage.source, KEY)
    stage.events(stage.source)
    marker = stage.delete(stage.source, KEY)
    change = only(stage, stage.source)
    assert (change.kind, change.version_id, change.key) == (ChangeKind.MARKED_DELETED, marker, KEY)
    assert change.sequencer


def test_the_event_of_a_permanent_deletion_is_of_another_kind(stage: Stage) -> None:
    version_id = stage.put(stage.source, KEY)
    stage.events(stage.source)
    stage.destroy(stage.source, KEY, version_id)
    change = only(stage, stage.source)
    assert (change.kind, change.version_id) == (ChangeKind.REMOVED, version_id)


def test_sequencers_order_the_writes_and_deletes_of_one_key(stage: Stage) -> None:
    written = []
    for number in range(20):
        body = Content(str(number).encode())
        written.append(stage.delete(stage.source, KEY) if number % 5 == 4 else stage.put(stage.source, KEY, body))
    events = {record.change.version_id: record.change.sequencer for record in stage.events(stage.source)}
    sequencers = [events[version_id] for version_id in written]
    for early, late in pairwise(sequencers):
        assert comes_after(late, early)
        assert not comes_after(early, late)


def test_an_upload_in_parts_has_one_event_when_it_is_completed(stage: Stage) -> None:
    version_id = stage.upload(stage.source, KEY)
    change = only(stage, stage.source)
    assert (change.kind, change.version_id) == (ChangeKind.CREATED, version_id)
    assert change.is_multipart


def test_a_copy_has_an_event_at_its_destination(stage: Stage) -> None:
    copy = copy_of(stage, stage.put(stage.source, KEY, Content(b"x")), KEY)
    written = stage.writes(stage.destination).copy(copy, Guard())
    change = only(stage, stage.destination)
    assert (change.kind, change.key, change.version_id) == (ChangeKind.CREATED, KEY, written.version_id)


def test_the_event_of_a_tag_change_has_no_sequencer(stage: Stage) -> None:
    version_id = stage.put(stage.source, KEY)
    stage.events(stage.source)
    stage.tag(stage.source, KEY, version_id, {"a": "b"})
    change = only(stage, stage.source)
    assert (change.kind, change.version_id, change.sequencer) == (ChangeKind.TAGS, version_id, "")


def test_the_event_of_a_null_version_says_null(stage: Stage) -> None:
    stage.suspend(stage.source)
    stage.put(stage.source, KEY)
    assert only(stage, stage.source).version_id == "null"
