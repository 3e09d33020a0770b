"""What a copy carries: a replica has everything that the copy says, and nothing else."""

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


def test_metadata_of_the_copy_replaces_that_of_the_source_and_keeps_its_headers(stage: Stage, copy: Copy) -> None:
    head = copied(stage, replace(copy, metadata={"mark": "m"}))
    assert dict(head.metadata) == {"mark": "m"}
    assert dict(head.headers) == RICH.headers


def test_a_copy_with_the_metadata_of_its_source_keeps_its_headers_too(stage: Stage, copy: Copy) -> None:
    head = copied(stage, replace(copy, metadata=copy.source_metadata))
    assert dict(head.metadata) == RICH.metadata
    assert dict(head.headers) == RICH.headers


def test_a_copy_with_the_tags_of_its_source_keeps_them(stage: Stage, copy: Copy) -> None:
    head = copied(stage, copy)
    assert stage.reads(stage.destination).tags(KEY, head.version_id) == RICH.tags


def test_tags_of_the_copy_replace_those_of_its_source(stage: Stage, copy: Copy) -> None:
    tags = {"replication-status": "REPLICA", "k v": "a+b/ü="}
    head = copied(stage, replace(copy, tags=tags))
    assert stage.reads(stage.destination).tags(KEY, head.version_id) == tags
    assert head.tag_count == 2


def test_the_storage_class_of_the_copy_is_written(stage: Stage, copy: Copy) -> None:
    assert copied(stage, replace(copy, storage_class="ONEZONE_IA")).storage_class == "ONEZONE_IA"


def test_grants_of_the_source_are_never_written(stage: Stage, copy: Copy) -> None:
    head = copied(stage, copy)
    assert stage.reads(stage.destination).grants(KEY, head.version_id) == ()


def test_grants_of_the_copy_are_written(stage: Stage, copy: Copy) -> None:
    grant = Grant("READ", EVERYBODY)
    head = copied(stage, replace(copy, grants=(grant,)))
    assert grant in stage.reads(stage.destination).grants(KEY, head.version_id)


def test_the_lock_of_the_copy_is_written(stage: Stage, copy: Copy) -> None:
    until = in_a_year()
    lock = copied(stage, replace(copy, lock=Lock("GOVERNANCE", until, legal_hold=True))).lock
    assert (lock.mode, lock.legal_hold) == ("GOVERNANCE", True)
    assert datetime.fromisoformat(lock.until) == datetime.fromisoformat(until)


def test_the_replica_has_the_checksum_of_its_source(stage: Stage, copy: Copy) -> None:
    source = stage.reads(stage.source).head(KEY, copy.version_id)
    assert isinstance(source, Head)
    assert source.checksum is not None
    written = stage.writes(stage.destination).copy(replace(copy, checksum=source.checksum), Guard())
    assert written.checksum == source.checksum


def test_a_version_that_is_no_longer_current_is_copied_by_its_id(stage: Stage, copy: Copy) -> None:
    stage.put(stage.source, KEY, Content(b"newer"))
    stage.delete(stage.source, KEY)
    head = copied(stage, copy)
    assert stage.body(stage.destination, KEY, head.version_id) == RICH.body


def test_an_upload_in_parts_becomes_one_piece_with_an_etag_of_its_own(stage: Stage) -> None:
    copy = copy_of(stage, stage.upload(stage.source, KEY), KEY)
    head = copied(stage, copy)
    assert "-" in copy.etag
    assert "-" not in head.etag
