"""Failed messages: what a filter selects, how they are grouped, and that every reason has its advice."""

import json
from dataclasses import replace

import pytest
from replicator.core.outcomes.outcome import Reason
from s3replicator.advice import ADVICE, advice
from s3replicator.failures.failed_messages import EXAMPLES, FailedMessage, Selection, group


def failed_message(key: str = "photos/1.jpg", **fields: str) -> FailedMessage:
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-01T00:00:00Z",
        "s3": {"bucket": {"name": "east"}, "object": {"key": key, "versionId": "v1"}},
    }
    plain = FailedMessage(key, "receipt", json.dumps({"Records": [record]}), 0, Reason.DST_PUT_DENIED, rule_id="all")
    return replace(plain, **fields)  # type: ignore[arg-type]


UNREADABLE = replace(failed_message(), body="garbage", reason=Reason.MALFORMED, rule_id="")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_advice_that_says_what_to_do(reason: Reason) -> None:
    assert ADVICE[reason][0].isupper()
    assert ADVICE[reason].endswith(".")
    assert len(ADVICE[reason].split()) > 3


def test_a_reason_of_a_later_version_is_no_crash() -> None:
    assert "does not know" in advice("SomethingNew")


@pytest.mark.parametrize(
    ("selection", "selects"),
    [
        (Selection(), True),
        (Selection(reason="DstPutObjectNotPermitted"), True),
        (Selection(reason="Throttled"), False),
        (Selection(rule="all"), True),
        (Selection(rule="some"), False),
        (Selection(key_prefix="photos/"), True),
        (Selection(key_prefix="videos/"), False),
        (Selection("DstPutObjectNotPermitted", "all", "photos/"), True),
        (Selection("DstPutObjectNotPermitted", "all", "videos/"), False),
    ],
)
def test_a_selection_is_all_of_what_it_says(selection: Selection, selects: bool) -> None:
    assert selection.selects(failed_message()) is selects


def test_a_key_is_compared_as_it_is_not_as_events_write_it() -> None:
    assert Selection(key_prefix="a b+c").selects(failed_message("a+b%2Bc.txt"))


def test_what_cannot_be_read_has_no_key() -> None:
    assert not Selection(key_prefix="p").selects(UNREADABLE)
    assert Selection(reason="MalformedEvent").selects(UNREADABLE)
    assert UNREADABLE.objects == ()


def test_a_change_after_the_write_says_what_was_changed() -> None:
    body = failed_message().body
    tagged = replace(failed_message(), body=body.replace("ObjectCreated:Put", "ObjectTagging:Put"))
    assert failed_message().subjects == ("s3://east/photos/1.jpg",)
    assert tagged.subjects == ("s3://east/photos/1.jpg (tags)",)


def test_groups_come_with_the_most_frequent_reason_first_and_a_few_examples() -> None:
    denied = [failed_message(str(number), destination=f"west-{number % 2}") for number in range(5)]
    groups = group([UNREADABLE, *denied])
    assert [(each.reason, each.count) for each in groups] == [(Reason.DST_PUT_DENIED, 5), (Reason.MALFORMED, 1)]
    assert len(groups[0].examples) == EXAMPLES
    assert groups[0].destinations == {"west-0", "west-1"}
    assert (groups[0].rules, groups[1].rules) == ({"all"}, set())
    assert "s3:PutObject" in groups[0].advice
