"""Keys that may be meant in two ways: the one that exists is replicated, and none is given up after one reading."""

import json

import pytest
from replicator.core.outcomes.batch import ResultCode, TaskResult, read_tasks
from replicator.core.outcomes.outcome import Reason, Status, Temporary
from replicator.flows.batch import process_tasks

from tests.fakes.notifications import eventbridge
from tests.fakes.rules import rule
from tests.fakes.s3 import Happening
from tests.fakes.stored import Content
from tests.flows.stage import EAST, WEST, Killed, Stage


def to_west(prefix: str = "") -> Stage:
    return Stage([rule(WEST, rule_id="all", prefix=prefix, delete_markers=True)])


def batch(stage: Stage, s3_key: str, version_id: str = "") -> TaskResult:
    """Run one task as S3 Batch Operations sends it."""
    stage.queue.messages.clear()
    task = {"taskId": "t", "s3Bucket": EAST, "s3Key": s3_key, "s3VersionId": version_id or None}
    [result] = process_tasks(read_tasks({"tasks": [task]}), stage.services, stage.log)
    return result


def send(stage: Stage, key: str, sent_key: str, name: str = "ObjectCreated:Put") -> None:
    """Let EventBridge tell of the newest entry of a key, and name the key in its own way."""
    stage.queue.messages.clear()
    entry = stage.s3.buckets[EAST].history(key)[-1]
    message = json.loads(eventbridge(Happening(name, EAST, key, entry, "", stage.s3.clock.now)))
    message["detail"]["object"]["key"] = sent_key
    stage.queue.send(json.dumps(message))


FORMS = [
    ("a b", "a+b"), ("a b", "a%20b"), ("a+b", "a%2Bb"), ("a+b c", "a%2Bb+c"), ("50% +é", "50%25+%2B%C3%A9"),
    ("a+b", "a+b"), ("a+b c", "a+b%20c"),
]  # fmt: skip


@pytest.mark.parametrize("by_version", [True, False], ids=["a version", "the current version"])
@pytest.mark.parametrize(("key", "sent"), FORMS, ids=[f"{sent} is {key}" for key, sent in FORMS])
def test_a_task_finds_its_key_however_the_manifest_encodes_it(key: str, sent: str, by_version: bool) -> None:
    stage = to_west()
    version = stage.put(key)
    result = batch(stage, sent, version.version_id if by_version else "")
    assert result == TaskResult("t", ResultCode.SUCCEEDED, "west: COMPLETED")
    assert stage.replicas(key) == [version.version_id]


def test_where_both_keys_exist_the_form_encoded_one_is_meant() -> None:
    stage = to_west()
    spaced, plus = stage.put("a b"), stage.put("a+b")
    batch(stage, "a+b")
    assert (stage.replicas("a b"), stage.replicas("a+b")) == ([spaced.version_id], [])
    batch(stage, "a+b", plus.version_id)
    assert stage.replicas("a+b") == [plus.version_id]


def test_a_current_version_under_one_key_is_preferred_to_a_delete_marker_under_the_other() -> None:
    stage = to_west()
    stage.put("a b")
    stage.s3.delete(EAST, "a b")
    plus = stage.put("a+b")
    assert batch(stage, "a+b").code is ResultCode.SUCCEEDED
    assert stage.replicas("a+b") == [plus.version_id]


@pytest.mark.parametrize("version_id", ["", "gone"], ids=["the current version", "a version"])
def test_a_task_whose_version_stands_under_neither_key_never_succeeds(version_id: str) -> None:
    stage = to_west()
    stage.put("another")
    result = batch(stage, "a+b", version_id)
    assert result.code is ResultCode.PERMANENT
    assert "NotFound" in result.text


def test_a_delete_marker_is_recognised_under_either_key() -> None:
    stage = to_west()
    stage.put("a+b")
    marker = stage.s3.delete(EAST, "a+b")
    assert marker
    assert batch(stage, "a+b", marker.version_id).text == "west: COMPLETED"
    assert stage.replicas("a+b")[-1] == "-"


def test_a_task_is_looked_for_under_the_key_that_a_rule_names() -> None:
    stage = to_west(prefix="a+b/")
    version = stage.put("a+b/k")
    assert batch(stage, "a+b/k", version.version_id).text == "west: COMPLETED"


@pytest.mark.parametrize(
    ("key", "sent"),
    [("a+b", "a+b"), ("a b", "a b"), ("a%20b", "a%20b"), ("a b", "a+b"), ("a+b", "a%2Bb")],
    ids=["a plus", "a space", "a percent sign", "a space, encoded", "a plus, encoded"],
)
def test_an_event_of_eventbridge_is_replicated_whether_its_key_is_encoded_or_not(key: str, sent: str) -> None:
    stage = to_west()
    version = stage.put(key)
    send(stage, key, sent)
    stage.deliver_all()
    assert stage.replicas(key) == [version.version_id]
    assert stage.counted == [(Status.COMPLETED, None)]


def test_a_key_that_is_not_encoded_costs_no_request_more() -> None:
    stage, plain = to_west(), to_west()
    for each, key in ((stage, "a+b"), (plain, "ab")):
        each.put(key)
        send(each, key, key)
        each.deliver_all()
    assert len(stage.points.calls) == len(plain.points.calls)


def test_an_encoded_key_finds_the_rule_that_names_the_decoded_one() -> None:
    stage = to_west(prefix="a b/")
    version = stage.put("a b/k")
    send(stage, "a b/k", "a+b/k")
    stage.deliver_all()
    assert stage.replicas("a b/k") == [version.version_id]


def test_a_key_that_no_rule_names_in_either_way_costs_no_request() -> None:
    stage = to_west(prefix="photos/")
    stage.put("a b")
    send(stage, "a b", "a+b")
    stage.deliver_all()
    assert stage.counted == [(Status.SKIPPED, Reason.NO_RULE)]
    assert stage.calls("HEAD", "LIST") == []


def test_a_delete_marker_of_an_encoded_key_is_replicated() -> None:
    stage = to_west()
    stage.put("a b")
    stage.deliver_all()
    stage.s3.delete(EAST, "a b")
    send(stage, "a b", "a+b", "ObjectRemoved:DeleteMarkerCreated")
    stage.deliver_all()
    assert stage.replicas("a b")[-1] == "-"


def test_a_version_that_is_gone_under_both_keys_is_skipped() -> None:
    stage = to_west()
    version = stage.put("a b")
    send(stage, "a b", "a+b")
    stage.s3.destroy(EAST, "a b", version.version_id)
    stage.deliver()
    assert stage.counted[0] == (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


@pytest.mark.parametrize("error", [Temporary(Reason.THROTTLED, "SlowDown"), Killed()], ids=["trouble", "a crash"])
@pytest.mark.parametrize("operation", ["HEAD", "COPY", "SETTLE"])
def test_an_encoded_key_that_meets_trouble_leaves_nothing_waiting(operation: str, error: BaseException) -> None:
    stage = to_west()
    version = stage.put("a b")
    send(stage, "a b", "a+b")
    stage.fail(operation, error, after=operation != "HEAD", key="a b")
    stage.deliver_all()
    assert stage.replicas("a b") == [version.version_id]
    assert stage.waiting() == {}


def test_a_null_version_is_the_one_under_the_key_as_it_is() -> None:
    """Both keys can have a version with that id."""
    stage = to_west()
    stage.s3.buckets[EAST].versioning = "Suspended"
    stage.put("a b")
    stage.put("a+b", b"other")
    send(stage, "a+b", "a+b")
    stage.fail("COPY", Temporary(Reason.THROTTLED, "SlowDown"))
    stage.deliver_all()
    assert (stage.replicas("a+b"), stage.replicas("a b")) == (["null"], [])
    assert stage.s3.buckets[WEST].history("a+b")[-1].content.body == Content(b"other").body
