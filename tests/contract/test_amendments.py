"""What may change of a version after it was written: the port Amendable, on both sides."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Side
from replicator.core.versions.version import Grant, Head, Lock
from replicator.flows.ports import Amendable

from tests.contract.stages import EVERYBODY, Stage
from tests.fakes.stored import Content

KEY = "amended/key ü"
PUBLIC = Grant("READ", EVERYBODY)
SIGNED_IN = Grant("READ", 'uri="http://acs.amazonaws.com/groups/global/AuthenticatedUsers"')
TODAY = datetime.now(UTC).replace(microsecond=0)

Request = Callable[[Amendable, str], object]
READS: Mapping[str, Request] = {
    "tags": lambda objects, version: objects.tags(KEY, version),
    "grants": lambda objects, version: objects.grants(KEY, version),
    "annotations": lambda objects, version: objects.annotations(KEY, version),
    "annotation": lambda objects, version: objects.annotation(KEY, version, "note", ""),
}
WRITES: Mapping[str, Request] = {
    "put tags": lambda objects, version: objects.put_tags(KEY, version, {"a": "1"}),
    "put grants": lambda objects, version: objects.put_grants(KEY, version, (PUBLIC,)),
    "put retention": lambda objects, version: objects.put_retention(KEY, version, until(1)),
    "put legal hold": lambda objects, version: objects.put_legal_hold(KEY, version, on=True),
    "annotate": lambda objects, version: objects.annotate(KEY, version, "note", b"1"),
    "remove annotation": lambda objects, version: objects.remove_annotation(KEY, version, "note"),
}
REQUESTS = {**READS, **WRITES}
DENIED = {
    "tags": (Reason.SRC_TAGS_DENIED, Reason.DST_GET_DENIED),
    "grants": (Reason.SRC_ACL_DENIED, Reason.DST_GET_DENIED),
    "annotations": (Reason.SRC_ANNOTATIONS_DENIED, Reason.DST_GET_DENIED),
    "annotation": (Reason.SRC_ANNOTATIONS_DENIED, Reason.DST_GET_DENIED),
    "put tags": (Reason.SRC_PUT_TAGS_DENIED, Reason.DST_PUT_TAGS_DENIED),
    "put grants": (Reason.SRC_PUT_ACL_DENIED, Reason.DST_PUT_ACL_DENIED),
    "put retention": (Reason.SRC_PUT_RETENTION_DENIED, Reason.DST_PUT_RETENTION_DENIED),
    "put legal hold": (Reason.SRC_PUT_LEGAL_HOLD_DENIED, Reason.DST_PUT_LEGAL_HOLD_DENIED),
    "annotate": (Reason.SRC_PUT_ANNOTATIONS_DENIED, Reason.DST_PUT_ANNOTATIONS_DENIED),
    "remove annotation": (Reason.SRC_PUT_ANNOTATIONS_DENIED, Reason.DST_PUT_ANNOTATIONS_DENIED),
}
GONE = {Side.SOURCE: Reason.SRC_VERSION_NOT_FOUND, Side.DESTINATION: Reason.DST_VERSION_NOT_FOUND}
every_side = pytest.mark.parametrize("side", [Side.SOURCE, Side.DESTINATION])


def until(days: int, mode: str = "GOVERNANCE") -> Lock:
    return Lock(mode, (TODAY + timedelta(days=days)).isoformat())


@pytest.fixture
def objects(stage: Stage) -> Amendable:
    """Return the bucket with Object Lock, as a destination."""
    return stage.amends(stage.destination, Side.DESTINATION)


@pytest.fixture
def version(stage: Stage) -> str:
    """Write a version that is not current: what is changed must be exactly this one."""
    older = stage.put(stage.destination, KEY, Content(b"older"))
    stage.put(stage.destination, KEY, Content(b"newer"))
    return older


def current(stage: Stage) -> str:
    return stage.reads(stage.destination).history(KEY)[-1].version_id


def lock_of(objects: Amendable, version: str) -> Lock:
    head = objects.head(KEY, version)
    assert isinstance(head, Head)
    return head.lock


def state(objects: Amendable, version: str) -> tuple[object, ...]:
    return (*(read(objects, version) for read in READS.values()), lock_of(objects, version))


# Each aspect


@pytest.mark.parametrize("write", WRITES)
def test_a_version_that_is_not_current_is_changed_and_no_other(
    stage: Stage, objects: Amendable, version: str, write: str
) -> None:
    for each in (version, current(stage)):
        objects.annotate(KEY, each, "note", b"0")
    before, other = state(objects, version), state(objects, current(stage))
    WRITES[write](objects, version)
    assert state(objects, version) != before
    assert state(objects, current(stage)) == other


def test_tags_are_replaced_all_at_once(objects: Amendable, version: str) -> None:
    objects.put_tags(KEY, version, {"a": "1", "b": ""})
    objects.put_tags(KEY, version, {"b": "ü 2", "c": "3"})
    assert objects.tags(KEY, version) == {"b": "ü 2", "c": "3"}
    objects.put_tags(KEY, version, {})
    assert objects.tags(KEY, version) == {}


def test_grants_are_replaced_all_at_once(objects: Amendable, version: str) -> None:
    objects.put_grants(KEY, version, (PUBLIC,))
    objects.put_grants(KEY, version, (SIGNED_IN,))
    assert objects.grants(KEY, version) == (SIGNED_IN,)
    objects.put_grants(KEY, version, ())
    assert objects.grants(KEY, version) == ()


def test_public_grants_are_left_out_where_they_are_blocked(stage: Stage, objects: Amendable, version: str) -> None:
    objects.put_grants(KEY, version, (SIGNED_IN,))
    stage.block_public_grants(stage.destination)
    objects.put_grants(KEY, version, (PUBLIC,))
    assert objects.grants(KEY, version) == ()


def test_without_acls_there_are_no_grants_to_put(stage: Stage, objects: Amendable, version: str) -> None:
    stage.disable_acls(stage.destination)
    with pytest.raises(Permanent) as raised:
        objects.put_grants(KEY, version, (SIGNED_IN,))
    assert raised.value.reason is Reason.DST_PUT_ACL_DENIED


def test_a_retention_can_be_extended(objects: Amendable, version: str) -> None:
    objects.put_retention(KEY, version, until(1))
    objects.put_retention(KEY, version, until(2))
    assert lock_of(objects, version) == until(2)


@pytest.mark.parametrize("lock", [until(1), until(3, "COMPLIANCE")], ids=["shorter", "of another mode"])
def test_a_retention_is_neither_shortened_nor_is_governance_bypassed(
    objects: Amendable, version: str, lock: Lock
) -> None:
    objects.put_retention(KEY, version, until(2))
    with pytest.raises(Permanent) as raised:
        objects.put_retention(KEY, version, lock)
    assert raised.value.reason is Reason.DST_PUT_RETENTION_DENIED
    assert lock_of(objects, version) == until(2)


@pytest.mark.parametrize(
    "hold",
    [
        Lock("GOVERNANCE", event_hold=True, event_hold_days=3),
        Lock("GOVERNANCE", event_hold=True, event_hold_years=2),
        Lock("GOVERNANCE", until(2).until, event_hold=True, event_hold_days=3),
    ],
    ids=["for days", "for years", "beside an end"],
)
def test_an_event_hold_is_set_and_its_release_begins_its_duration(objects: Amendable, version: str, hold: Lock) -> None:
    objects.put_retention(KEY, version, hold)
    assert lock_of(objects, version) == hold
    objects.put_retention(KEY, version, Lock("GOVERNANCE"), releases=True)
    released = lock_of(objects, version)
    assert (released.mode, released.event_hold) == ("GOVERNANCE", False)
    assert released.until


def test_a_legal_hold_is_set_and_lifted(objects: Amendable, version: str) -> None:
    objects.put_retention(KEY, version, until(1))
    objects.put_legal_hold(KEY, version, on=True)
    assert lock_of(objects, version) == Lock("GOVERNANCE", until(1).until, legal_hold=True)
    objects.put_legal_hold(KEY, version, on=False)
    assert lock_of(objects, version) == until(1)


@pytest.mark.parametrize("write", ["put retention", "put legal hold"])
def test_a_lock_needs_a_bucket_with_object_lock(stage: Stage, write: str) -> None:
    version = stage.put(stage.source, KEY)
    with pytest.raises(Permanent) as raised:
        WRITES[write](stage.amends(stage.source, Side.SOURCE), version)
    assert raised.value.reason is Reason.REFUSED


def test_annotations_are_put_listed_read_and_removed_one_by_one(objects: Amendable, version: str) -> None:
    for name, payload in (("one", b"1"), ("two", b"\0\xff"), ("one", b"uno")):
        objects.annotate(KEY, version, name, payload)
    etags = objects.annotations(KEY, version)
    assert etags is not None
    assert sorted(etags) == ["one", "two"]
    read = {name: objects.annotation(KEY, version, name, etags.get(name, '"e"')) for name in ("one", "two", "three")}
    assert read == {"one": b"uno", "two": b"\0\xff", "three": None}
    assert objects.annotation(KEY, version, "one", etags["two"]) is None, "it was overwritten since"
    objects.remove_annotation(KEY, version, "one")
    objects.remove_annotation(KEY, version, "one")
    assert objects.annotations(KEY, version) == {"two": etags["two"]}


def test_equal_annotations_have_equal_etags(stage: Stage, objects: Amendable, version: str) -> None:
    for each in (version, current(stage)):
        objects.annotate(KEY, each, "note", b"the same")
    assert objects.annotations(KEY, version) == objects.annotations(KEY, current(stage))


@pytest.mark.parametrize("write", ["annotate", "remove annotation"])
def test_what_is_under_retention_is_not_annotated(objects: Amendable, version: str, write: str) -> None:
    objects.put_retention(KEY, version, until(1))
    with pytest.raises(Permanent) as raised:
        WRITES[write](objects, version)
    assert raised.value.reason is Reason.DST_PUT_ANNOTATIONS_DENIED


# What goes wrong


@every_side
@pytest.mark.parametrize("asked", REQUESTS)
def test_a_version_that_is_gone_is_named_by_its_side(stage: Stage, version: str, side: Side, asked: str) -> None:
    """Also by requests about annotations: "it has none" would remove those of its replicas."""
    stage.destroy(stage.destination, KEY, version)
    with pytest.raises(Permanent) as raised:
        REQUESTS[asked](stage.amends(stage.destination, side), version)
    assert raised.value.reason is GONE[side]


@pytest.mark.parametrize("asked", REQUESTS)
def test_a_version_of_another_key_is_not_found(stage: Stage, objects: Amendable, asked: str) -> None:
    other = stage.put(stage.destination, "another key")
    objects.annotate("another key", other, "note", b"1")
    with pytest.raises(Permanent) as raised:
        REQUESTS[asked](objects, other)
    assert raised.value.reason is Reason.DST_VERSION_NOT_FOUND


@every_side
@pytest.mark.parametrize("asked", REQUESTS)
def test_a_denial_names_its_side_and_what_was_denied(
    stage: Stage, objects: Amendable, version: str, side: Side, asked: str
) -> None:
    before = state(objects, version)
    with pytest.raises(Permanent) as raised:
        REQUESTS[asked](stage.amends(stage.destination, side, denied=True), version)
    source, destination = DENIED[asked]
    assert raised.value.reason is (source if side is Side.SOURCE else destination)
    assert state(objects, version) == before
