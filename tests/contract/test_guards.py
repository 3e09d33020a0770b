"""What guards a write: the algorithm depends on writes that happen on top of what was seen there, or not at all."""

from dataclasses import replace

import pytest
from replicator.core.deciding.copy import Copy, Guard
from replicator.core.deciding.facts import Absent
from replicator.core.outcomes.outcome import Conflict
from replicator.core.versions.version import Head

from tests.contract.copying import copy_of
from tests.contract.stages import Stage
from tests.fakes.stored import Content

KEY = "guarded/key"


@pytest.fixture
def copy(stage: Stage) -> Copy:
    return copy_of(stage, stage.put(stage.source, KEY, Content(b"new")), KEY)


def there(stage: Stage) -> list[str]:
    return [entry.version_id for entry in stage.reads(stage.destination).history(KEY)]


def etag(stage: Stage) -> str:
    top = stage.writes(stage.destination).top(KEY)
    assert isinstance(top, Head)
    return top.etag


def test_a_copy_guarded_by_nothing_there_is_written_where_nothing_is(stage: Stage, copy: Copy) -> None:
    written = stage.writes(stage.destination).copy(copy, Guard())
    assert there(stage) == [written.version_id]
    assert stage.body(stage.destination, KEY, written.version_id) == b"new"


def test_a_copy_guarded_by_nothing_there_is_written_over_a_delete_marker(stage: Stage, copy: Copy) -> None:
    old = stage.put(stage.destination, KEY)
    marker = stage.delete(stage.destination, KEY)
    written = stage.writes(stage.destination).copy(copy, Guard())
    assert there(stage) == [old, marker, written.version_id]


def test_a_copy_guarded_by_nothing_there_conflicts_with_an_object(stage: Stage, copy: Copy) -> None:
    old = stage.put(stage.destination, KEY, Content(b"old"))
    with pytest.raises(Conflict):
        stage.writes(stage.destination).copy(copy, Guard())
    assert there(stage) == [old]


def test_a_copy_guarded_by_an_etag_is_written_over_that_object(stage: Stage, copy: Copy) -> None:
    old = stage.put(stage.destination, KEY, Content(b"old"))
    written = stage.writes(stage.destination).copy(copy, Guard(etag(stage)))
    assert there(stage) == [old, written.version_id]


def test_a_copy_guarded_by_an_etag_conflicts_with_another_object(stage: Stage, copy: Copy) -> None:
    old = stage.put(stage.destination, KEY, Content(b"old"))
    seen = etag(stage)
    other = stage.put(stage.destination, KEY, Content(b"other"))
    with pytest.raises(Conflict):
        stage.writes(stage.destination).copy(copy, Guard(seen))
    assert there(stage) == [old, other]


def test_a_copy_guarded_by_an_etag_conflicts_with_a_delete_marker(stage: Stage, copy: Copy) -> None:
    old = stage.put(stage.destination, KEY, Content(b"old"))
    seen = etag(stage)
    marker = stage.delete(stage.destination, KEY)
    with pytest.raises(Conflict):
        stage.writes(stage.destination).copy(copy, Guard(seen))
    assert there(stage) == [old, marker]


def test_a_copy_guarded_by_an_etag_conflicts_where_nothing_is(stage: Stage, copy: Copy) -> None:
    with pytest.raises(Conflict):
        stage.writes(stage.destination).copy(copy, Guard('"00000000000000000000000000000000"'))
    assert there(stage) == []


def test_a_guard_takes_another_object_with_the_same_bytes_for_the_same(stage: Stage, copy: Copy) -> None:
    stage.put(stage.destination, KEY, Content(b"same"))
    seen = etag(stage)
    stage.put(stage.destination, KEY, Content(b"same", metadata={"but": "another"}))
    stage.writes(stage.destination).copy(copy, Guard(seen))
    assert len(there(stage)) == 3


def test_a_copy_of_a_version_that_is_gone_conflicts(stage: Stage, copy: Copy) -> None:
    stage.destroy(stage.source, KEY, copy.version_id)
    with pytest.raises(Conflict):
        stage.writes(stage.destination).copy(copy, Guard())
    assert there(stage) == []


def test_a_copy_of_a_version_with_other_bytes_conflicts(stage: Stage, copy: Copy) -> None:
    with pytest.raises(Conflict):
        stage.writes(stage.destination).copy(replace(copy, etag='"00000000000000000000000000000000"'), Guard())
    assert there(stage) == []


def test_a_guarded_delete_marker_is_written_over_the_object_that_was_seen(stage: Stage) -> None:
    old = stage.put(stage.destination, KEY, Content(b"old"))
    stage.writes(stage.destination).mark_deleted(KEY, Guard(etag(stage)))
    kept, marker = stage.reads(stage.destination).history(KEY)
    assert kept.version_id == old
    assert not marker.is_version


def test_a_guarded_delete_marker_conflicts_with_another_object(stage: Stage) -> None:
    stage.put(stage.destination, KEY, Content(b"old"))
    seen = etag(stage)
    stage.put(stage.destination, KEY, Content(b"other"))
    with pytest.raises(Conflict):
        stage.writes(stage.destination).mark_deleted(KEY, Guard(seen))
    assert len(there(stage)) == 2


def test_a_guarded_delete_marker_conflicts_with_a_delete_marker(stage: Stage) -> None:
    stage.put(stage.destination, KEY, Content(b"old"))
    seen = etag(stage)
    stage.delete(stage.destination, KEY)
    with pytest.raises(Conflict):
        stage.writes(stage.destination).mark_deleted(KEY, Guard(seen))
    assert len(there(stage)) == 2


def test_a_copy_that_conflicts_has_no_event(stage: Stage, copy: Copy) -> None:
    stage.put(stage.destination, KEY, Content(b"old"))
    stage.notify()
    with pytest.raises(Conflict):
        stage.writes(stage.destination).copy(copy, Guard())
    assert not stage.events(stage.destination)


def test_a_version_that_was_deleted_for_good_is_absent(stage: Stage, copy: Copy) -> None:
    stage.destroy(stage.source, KEY, copy.version_id)
    assert isinstance(stage.reads(stage.source).head(KEY, copy.version_id), Absent)
