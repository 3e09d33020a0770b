"""Message bodies become changes. One that cannot be read is a failure with its reason, never a crash, never lost."""

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


KINDS = {
    "ObjectCreated:Put": ChangeKind.CREATED,
    "s3:ObjectCreated:Put": ChangeKind.CREATED,
    "ObjectCreated:Post": ChangeKind.CREATED,
    "ObjectCreated:Copy": ChangeKind.CREATED,
    "ObjectCreated:CompleteMultipartUpload": ChangeKind.CREATED,
    "ObjectRemoved:DeleteMarkerCreated": ChangeKind.MARKED_DELETED,
    "ObjectRemoved:Delete": ChangeKind.REMOVED,
    "LifecycleExpiration:DeleteMarkerCreated": ChangeKind.EXPIRED,
    "LifecycleExpiration:Delete": ChangeKind.EXPIRED,
    "ObjectRestore:Completed": ChangeKind.RESTORED,
    "ObjectRestore:Post": ChangeKind.UNKNOWN,
    "ObjectTagging:Put": ChangeKind.TAGS,
    "ObjectAcl:Put": ChangeKind.ACL,
    "ObjectRetention:Put": ChangeKind.RETENTION,
    "ObjectAnnotation:Delete": ChangeKind.ANNOTATIONS,
    "ObjectTeleported:Somewhere": ChangeKind.UNKNOWN,
}


def test_the_name_of_an_event_says_the_kind_of_change() -> None:
    assert {name: only(body(record(name))).kind for name in KINDS} == KINDS


def test_every_field_of_a_notification_is_read() -> None:
    assert only(body(record(size=5))) == Change(
        ChangeKind.CREATED, "east", "a", "v1", 1_700_000_000_123, 5, "0A", "AWS:AIDA", "ObjectCreated:Put"
    )


KEYS = {
    "my+photo.jpg": "my photo.jpg",
    "my%2Bphoto.jpg": "my+photo.jpg",
    "a%20b": "a b",
    "%E7%8C%AB/%F0%9F%98%80": "猫/😀",
    "a/b//c": "a/b//c",
    "100%25": "100%",
    "a%250": "a%0",
    "%C3%A9" * 512: "é" * 512,
}


def test_keys_of_notifications_are_form_encoded() -> None:
    assert {encoded: only(body(record(key=encoded))).key for encoded in KEYS} == KEYS


def test_keys_of_eventbridge_are_not_encoded() -> None:
    keys = ["my+photo.jpg", "100%25", "猫 +"]
    assert [only(json.dumps(eventbridge(key=key))).key for key in keys] == keys


def test_an_event_of_eventbridge_names_no_writer_and_is_a_whole_message() -> None:
    text = json.dumps(eventbridge())
    [found] = parse(text)
    assert isinstance(found, Record)
    assert found.body == text
    assert (found.change.principal, found.change.time, found.change.size) == ("", 1_700_000_000_000, 5)


DELETIONS = {
    "a user's delete marker":
        ({"reason": "DeleteObject", "deletion-type": "Delete Marker Created"}, ChangeKind.MARKED_DELETED),
    "a user's permanent deletion":
        ({"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}, ChangeKind.REMOVED),
    "a delete marker of lifecycle":
        ({"reason": "Lifecycle Expiration", "deletion-type": "Delete Marker Created"}, ChangeKind.EXPIRED),
    "a deletion that says no more": ({}, ChangeKind.REMOVED),
}  # fmt: skip


@pytest.mark.parametrize(("detail", "kind"), DELETIONS.values(), ids=DELETIONS)
def test_events_of_eventbridge_distinguish_a_users_delete_marker_from_other_deletions(
    detail: dict[str, str], kind: ChangeKind
) -> None:
    assert only(json.dumps(eventbridge("Object Deleted", **detail))).kind is kind


def test_a_notification_that_comes_by_sns_is_read_like_any_other() -> None:
    wrapped = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:::t", "Message": body(record())})
    assert parse(wrapped) == parse(body(record()))


def test_an_event_of_any_version_2_is_read_whatever_new_fields_it_has() -> None:
    for version in ("2.0", "2.1", "2.6", "2.17"):
        newer = record(size=5) | {"eventVersion": version, "novelty": {"deep": [1]}}
        newer["s3"]["object"]["colour"] = "blue"
        assert only(body(newer)).key == "a", version


def test_an_object_without_a_version_id_has_the_null_version() -> None:
    plain = record()
    del plain["s3"]["object"]["versionId"]
    assert only(body(plain)).version_id == "null"


def test_an_event_without_a_sequencer_has_an_empty_one() -> None:
    tagged = record("ObjectTagging:Put")
    del tagged["s3"]["object"]["sequencer"]
    assert only(body(tagged)).sequencer == ""


def test_the_test_event_of_s3_has_no_records() -> None:
    assert parse(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "east"})) == []


def test_each_record_has_the_message_that_would_bring_it_alone() -> None:
    first, bad, last = parse(body(record(key="a"), {"eventName": "x"}, record(key="b")))
    assert isinstance(first, Record)
    assert isinstance(bad, Unreadable)
    assert isinstance(last, Record)
    assert parse(first.body) == [first]
    assert parse(last.body) == [last]
    assert json.loads(bad.body) == {"Records": [{"eventName": "x"}]}


def test_a_message_is_one_failure_however_many_of_its_records_cannot_be_read() -> None:
    """Each failure is a message in the dead-letter queue, and one made-up message can hold thousands of records."""
    good, bad = parse(body(None, record(key="a"), {"eventName": "x"}, *[None] * 1000))
    assert isinstance(good, Record)
    assert isinstance(bad, Unreadable)
    assert bad.why.startswith("1002 records, the first: ")
    assert json.loads(bad.body) == {"Records": [None, {"eventName": "x"}, *[None] * 1000]}


def test_a_key_can_have_characters_that_cannot_be_printed() -> None:
    assert only(body(record(key="a%00%0Ab"))).key == "a\0\nb"


UNREADABLE = {
    "nothing": ("", "not JSON"),
    "half of an object": ("{", "not JSON"),
    "a list": ("[]", "not a JSON object"),
    "a text": ('"text"', "not a JSON object"),
    "null": ("null", "not a JSON object"),
    "nested without end": ("[" * 100_000, "not JSON"),
    "no records": ("{}", "no list 'Records'"),
    "records that are no list": ('{"Records": {}}', "no list 'Records'"),
    "an empty list of records": ('{"Records": []}', "no list 'Records'"),
    "a record that is a text": (body("text"), "unexpected form"),
    "a record that is null": (body(None), "unexpected form"),
    "an empty record": (body({}), "'eventName' is missing"),
    "a record without an object": (body({"eventName": "ObjectCreated:Put"}), "'s3' is missing"),
    "an event of another service": (body(record() | {"eventSource": "aws:sqs"}), "eventSource is 'aws:sqs'"),
    "an event of version 3": (body(record() | {"eventVersion": "3.0"}), "'3.0' is not 2.x"),
    "a name that is a number": (body(record() | {"eventName": 7}), "unexpected form"),
    "a time in words": (body(record() | {"eventTime": "yesterday"}), "unexpected form"),
    "a time that is a number": (body(record() | {"eventTime": 5}), "unexpected form"),
    "a time before 1970": (body(record() | {"eventTime": "1969-12-31T23:59:59Z"}), "not a time"),
    "a time after the year 9999": (body(record() | {"eventTime": "9999-12-31T23:59:59-14:00"}), "not a time"),
    "an empty key": (body(record(key="")), "unexpected form"),
    "a key with half a character": (body(record(key="\ud800")), "unexpected form"),
    "a key of more than 1,024 bytes": (body(record(key="%C3%A9" * 513)), "more than 1024 bytes"),
    "a version id that is a number": (body(record(versionId=5)), "unexpected form"),
    "a version id with a null byte": (body(record(versionId="a\0b")), "not a valid string"),
    "a version id that XML cannot hold": (body(record(versionId="a\ufffeb")), "not a valid string"),
    "a version id of more than 1,024 bytes": (body(record(versionId="v" * 1025)), "more than 1024 bytes"),
    "a size in words": (body(record(size="big")), "unexpected form"),
    "an infinite size": (body(record(size=1)).replace('"size": 1', '"size": 1e999'), "unexpected form"),
    "a negative size": (body(record(size=-1)), "unexpected form"),
    "a size of 61 digits": (body(record(size=10**60)), "is not a size"),
    "a size of 1,001 digits": (body(record(size=10**1000)), "unexpected form"),
    "a sequencer that is a list": (body(record(sequencer=["0"])), "unexpected form"),
    "a record of more than 128 KiB": (body("x" * 130 * 1024), "no event has more than"),
    "an event of EventBridge without an object": (json.dumps(eventbridge() | {"detail": {}}), "'object' is missing"),
    "an event of EventBridge without a detail": (json.dumps({"source": "aws.s3"}), "'detail' is missing"),
    "a notification by SNS about something else":
        (json.dumps({"Type": "Notification", "Message": "hello"}), "not JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_message_that_cannot_be_read_says_why(text: str, why: str) -> None:
    assert why in complaint(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(["eventVersion", "eventSource", "eventTime", "eventName", "userIdentity", "s3"])
inner_places = st.sampled_from(["key", "size", "versionId", "sequencer"])


@given(places, inner_places, json_values, json_values)
def test_no_value_in_an_event_crashes_the_parser(place: str, inner_place: str, value: Any, inner: Any) -> None:
    odd = record()
    odd["s3"]["object"][inner_place] = inner
    odd[place] = value
    [found] = parse(body(odd))
    assert isinstance(found, Record | Unreadable)


@given(st.text())
def test_no_text_crashes_the_parser(text: str) -> None:
    parse(text)
