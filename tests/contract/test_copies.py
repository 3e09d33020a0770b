"""What a copy carries: a replica is what the copy says, and nothing of it is lost on the way."""

from dataclasses import replace
from datetime import datetime

import pytest
from replicator.core.deciding.copy import Copy, Guard, is_faithful
from replicator.core.versions.version import Grant, Head, Lock

from tests.contract.copying import copy_of
from tests.contract.stages import EVERYBODY, RICH, Stage, in_a_year
from tests.fakes.stored import Content

KEY = "copied/key ü+1"


def copied(stage: Stage, copy: Copy) -> Head:
    written = stage.writes(stage.destination).copy(copy, Guard())
    head = stage.reads(stage.destination).head(KEY, written.version_id)
    assert isinstance(head, Head)
    assert (head.version_id, head.etag) == (written.version_id, written.etag)
    assert is_faithful(copy, written)
    return head


@pytest.fixture
def copy(stage: Stage) -> Copy:
    return copy_of(stage, stage.put(stage.source, KEY, RICH), KEY)


def test_new_metadata_replaces_the_source_s_and_headers_are_sent_again(stage: Stage, copy: Copy) -> None:
    head = copied(stage, replace(copy, metadata={"mark": "m"}))
    assert dict(head.metadata) == {"mark": "m"}
    assert dict(head.headers) == RICH.headers


def test_without_metadata_the_source_s_own_goes_over(stage: Stage, copy: Copy) -> None:
    head = copied(stage, replace(copy, metadata=copy.source_metadata))
    assert dict(head.metadata) == RICH.metadata
    assert dict(head.headers) == RICH.headers


def test_without_tags_the_source_s_own_go_over(stage: Stage, copy: Copy) -> None:
    head = copied(stage, copy)
    assert stage.reads(stage.destination).tags(KEY, head.version_id) == RICH.tags


def test_new_tags_replace_the_source_s(stage: Stage, copy: Copy) -> None:
    tags = {"replication-status": "REPLICA", "k v": "a+b/ü="}
    head = copied(stage, replace(copy, tags=tags))
    assert stage.reads(stage.destination).tags(KEY, head.version_id) == tags
    assert head.tag_count == 2


def test_the_storage_class_is_the_copy_s(stage: Stage, copy: Copy) -> None:
    assert copied(stage, replace(copy, storage_class="ONEZONE_IA")).storage_class == "ONEZONE_IA"


def test_grants_are_those_of_the_copy_and_never_the_source_s(stage: Stage, copy: Copy) -> None:
    head = copied(stage, copy)
    assert stage.reads(stage.destination).grants(KEY, head.version_id) == ()


def test_grants_of_the_copy_are_written(stage: Stage, copy: Copy) -> None:
    grant = Grant("READ", EVERYBODY)
    head = copied(stage, replace(copy, grants=(grant,)))
    assert grant in stage.reads(stage.destination).grants(KEY, head.version_id)


def test_a_lock_goes_over(stage: Stage, copy: Copy) -> None:
    until = in_a_year()
    lock = copied(stage, replace(copy, lock=Lock("GOVERNANCE", until, legal_hold=True))).lock
    assert (lock.mode, lock.legal_hold) == ("GOVERNANCE", True)
    assert datetime.fromisoformat(lock.until) == datetime.fromisoformat(until)


def test_the_checksum_of_the_replica_can_be_compared(stage: Stage, copy: Copy) -> None:
    source = stage.reads(stage.source).head(KEY, copy.version_id)
    assert isinstance(source, Head)
    assert source.checksum is not None
    written = stage.writes(stage.destination).copy(replace(copy, checksum=source.checksum), Guard())
    assert written.checksum == source.checksum


def test_an_old_version_is_copied_by_its_id(stage: Stage, copy: Copy) -> None:
    stage.put(stage.source, KEY, Content(b"newer"))
    stage.delete(stage.source, KEY)
    head = copied(stage, copy)
    assert stage.body(stage.destination, KEY, head.version_id) == RICH.body


def test_an_upload_in_parts_becomes_one_piece_with_an_etag_of_its_own(stage: Stage) -> None:
    copy = copy_of(stage, stage.upload(stage.source, KEY), KEY)
    head = copied(stage, copy)
    assert "-" in copy.etag
    assert "-" not in head.etag
