"""Message bodies become changes; what cannot be understood says why, and never crashes or disappears."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.events import Record, Unreadable, parse


def record(name: str = "ObjectCreated:Put", key: str = "a", **entity: Any) -> dict[str, Any]:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": "2023-11-14T22:13:20.123Z",
        "eventName": name,
        "userIdentity": {"principalId": "AWS:AIDA"},
        "s3": {"bucket": {"name": "east"}, "object": {"key": key, "versionId": "v1", "sequencer": "0A", **entity}},
    }


def eventbridge(name: str = "Object Created", key: str = "a", **detail: Any) -> dict[str, Any]:
    entity = {"key": key, "size": 5, "version-id": "v1", "sequencer": "0A"}
    return {
        "source": "aws.s3",
        "detail-type": name,
        "time": "2023-11-14T22:13:20Z",
        "detail": {"bucket": {"name": "east"}, "object": entity, **detail},
    }


def body(*records: Any) -> str:
    return json.dumps({"Records": list(records)})


def only(text: str) -> Change:
    [found] = parse(text)
    assert isinstance(found, Record), found
    return found.change


def complaint(text: str) -> str:
    [found] = parse(text)
    assert isinstance(found, Unreadable), found
    return found.why


KINDS = [
    ("ObjectCreated:Put", ChangeKind.CREATED),
    ("s3:ObjectCreated:Put", ChangeKind.CREATED),
    ("ObjectCreated:Post", ChangeKind.CREATED),
    ("ObjectCreated:Copy", ChangeKind.CREATED),
    ("ObjectCreated:CompleteMultipartUpload", ChangeKind.CREATED),
    ("ObjectRemoved:DeleteMarkerCreated", ChangeKind.MARKED_DELETED),
    ("ObjectRemoved:Delete", ChangeKind.REMOVED),
    ("LifecycleExpiration:DeleteMarkerCreated", ChangeKind.EXPIRED),
    ("LifecycleExpiration:Delete", ChangeKind.EXPIRED),
    ("ObjectRestore:Completed", ChangeKind.RESTORED),
    ("ObjectRestore:Post", ChangeKind.UNKNOWN),
    ("ObjectTagging:Put", ChangeKind.TAGS),
    ("ObjectAcl:Put", ChangeKind.ACL),
    ("ObjectRetention:Put", ChangeKind.RETENTION),
    ("ObjectAnnotation:Delete", ChangeKind.ANNOTATIONS),
    ("ObjectTeleported:Somewhere", ChangeKind.UNKNOWN),
]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_the_event_name_tells_what_happened(name: str, kind: ChangeKind) -> None:
    assert only(body(record(name))).kind is kind


def test_every_field_of_a_notification_is_read() -> None:
    assert only(body(record(size=5))) == Change(
        ChangeKind.CREATED, "east", "a", "v1", 1_700_000_000_123, 5, "0A", "AWS:AIDA", "ObjectCreated:Put"
    )


KEYS = [
    ("my+photo.jpg", "my photo.jpg"),
    ("my%2Bphoto.jpg", "my+photo.jpg"),
    ("a%20b", "a b"),
    ("%E7%8C%AB/%F0%9F%98%80", "猫/😀"),
    ("a/b//c", "a/b//c"),
    ("100%25", "100%"),
    ("a%250", "a%0"),
    ("%C3%A9" * 512, "é" * 512),
]


@pytest.mark.parametrize(("encoded", "key"), KEYS)
def test_keys_of_notifications_are_form_encoded(encoded: str, key: str) -> None:
    assert only(body(record(key=encoded))).key == key


@pytest.mark.parametrize("key", ["my+photo.jpg", "100%25", "猫 +"])
def test_keys_of_eventbridge_stand_as_they_are(key: str) -> None:
    assert only(json.dumps(eventbridge(key=key))).key == key


def test_eventbridge_names_no_writer_and_is_the_whole_message() -> None:
    text = json.dumps(eventbridge())
    [found] = parse(text)
    assert isinstance(found, Record)
    assert found.body == text
    assert (found.change.principal, found.change.time, found.change.size) == ("", 1_700_000_000_000, 5)


DELETIONS = [
    ({"reason": "DeleteObject", "deletion-type": "Delete Marker Created"}, ChangeKind.MARKED_DELETED),
    ({"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}, ChangeKind.REMOVED),
    ({"reason": "Lifecycle Expiration", "deletion-type": "Delete Marker Created"}, ChangeKind.EXPIRED),
    ({}, ChangeKind.REMOVED),
]


@pytest.mark.parametrize(("detail", "kind"), DELETIONS)
def test_eventbridge_tells_a_users_delete_marker_from_every_other_deletion(
    detail: dict[str, str], kind: ChangeKind
) -> None:
    assert only(json.dumps(eventbridge("Object Deleted", **detail))).kind is kind


def test_a_notification_wrapped_by_sns_is_the_same_notification() -> None:
    wrapped = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:::t", "Message": body(record())})
    assert parse(wrapped) == parse(body(record()))


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.6", "2.17"])
def test_every_event_version_2_is_read_whatever_new_fields_it_has(version: str) -> None:
    newer = record(size=5) | {"eventVersion": version, "novelty": {"deep": [1]}}
    newer["s3"]["object"]["colour"] = "blue"
    assert only(body(newer)).key == "a"


def test_an_object_without_a_version_id_has_the_null_version() -> None:
    plain = record()
    del plain["s3"]["object"]["versionId"]
    assert only(body(plain)).version_id == "null"


def test_events_without_a_sequencer_have_none() -> None:
    tagged = record("ObjectTagging:Put")
    del tagged["s3"]["object"]["sequencer"]
    assert only(body(tagged)).sequencer == ""


def test_a_test_event_says_nothing() -> None:
    assert parse(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "east"})) == []


def test_each_record_carries_a_message_that_brings_just_itself() -> None:
    first, bad, last = parse(body(record(key="a"), {"eventName": "x"}, record(key="b")))
    assert isinstance(first, Record)
    assert isinstance(bad, Unreadable)
    assert isinstance(last, Record)
    assert parse(first.body) == [first]
    assert parse(last.body) == [last]
    assert json.loads(bad.body) == {"Records": [{"eventName": "x"}]}


def test_a_message_gives_one_failure_however_many_of_its_records_are_broken() -> None:
    """Each would cost a message in the dead-letter queue, and thousands fit into one that somebody made up."""
    good, bad = parse(body(None, record(key="a"), {"eventName": "x"}, *[None] * 1000))
    assert isinstance(good, Record)
    assert isinstance(bad, Unreadable)
    assert bad.why.startswith("1002 records, the first: ")
    assert json.loads(bad.body) == {"Records": [None, {"eventName": "x"}, *[None] * 1000]}


def test_a_key_may_hold_what_cannot_be_printed() -> None:
    assert only(body(record(key="a%00%0Ab"))).key == "a\0\nb"


BROKEN = [
    ("", "not JSON"),
    ("{", "not JSON"),
    ("[]", "not a JSON object"),
    ('"text"', "not a JSON object"),
    ("null", "not a JSON object"),
    ("{}", "no list 'Records'"),
    ('{"Records": {}}', "no list 'Records'"),
    ('{"Records": []}', "no list 'Records'"),
    ("[" * 100_000, "not JSON"),
    (body("text"), "unexpected form"),
    (body(None), "unexpected form"),
    (body({}), "'eventName' is missing"),
    (body({"eventName": "ObjectCreated:Put"}), "'s3' is missing"),
    (body(record() | {"eventSource": "aws:sqs"}), "eventSource is 'aws:sqs'"),
    (body(record() | {"eventVersion": "3.0"}), "'3.0' is not 2.x"),
    (body(record() | {"eventTime": "yesterday"}), "unexpected form"),
    (body(record() | {"eventTime": 5}), "unexpected form"),
    (body(record(key="")), "unexpected form"),
    (body(record(versionId=5)), "unexpected form"),
    (body(record(size="big")), "unexpected form"),
    (body(record(size=1)).replace('"size": 1', '"size": 1e999'), "unexpected form"),
    (body(record(size=-1)), "unexpected form"),
    (body(record(size=10**60)), "is not a size"),
    (body(record(size=10**1000)), "unexpected form"),
    (body(record(sequencer=["0"])), "unexpected form"),
    (body(record() | {"eventName": 7}), "unexpected form"),
    (body(record() | {"eventTime": "1969-12-31T23:59:59Z"}), "not a time"),
    (body(record() | {"eventTime": "9999-12-31T23:59:59-14:00"}), "not a time"),
    (body(record(versionId="a\0b")), "not a valid string"),
    (body(record(versionId="a\ufffeb")), "not a valid string"),
    (body("x" * 130 * 1024), "no event has more than"),
    (body(record(key="\ud800")), "unexpected form"),
    (body(record(key="%C3%A9" * 513)), "more than 1024 bytes"),
    (body(record(versionId="v" * 1025)), "more than 1024 bytes"),
    (json.dumps(eventbridge() | {"detail": {}}), "'object' is missing"),
    (json.dumps({"source": "aws.s3"}), "'detail' is missing"),
    (json.dumps({"Type": "Notification", "Message": "hello"}), "not JSON"),
]


@pytest.mark.parametrize(("text", "why"), BROKEN, ids=[str(number) for number in range(1, len(BROKEN) + 1)])
def test_what_cannot_be_understood_says_why(text: str, why: str) -> None:
    assert why in complaint(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(["eventVersion", "eventSource", "eventTime", "eventName", "userIdentity", "s3"])
inner_places = st.sampled_from(["key", "size", "versionId", "sequencer"])


@given(places, inner_places, json_values, json_values)
def test_nothing_that_json_can_say_crashes(place: str, inner_place: str, value: Any, inner: Any) -> None:
    odd = record()
    odd["s3"]["object"][inner_place] = inner
    odd[place] = value
    [found] = parse(body(odd))
    assert isinstance(found, Record | Unreadable)


@given(st.text())
def test_nothing_that_text_can_say_crashes(text: str) -> None:
    parse(text)
