"""The rules that functions use: how often they are read, and that trouble is never taken for a bucket without rules."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.response import StreamingBody
from replicator.aws.rule_shelf import RuleShelf
from replicator.aws.rule_store import TROUBLE_TTL_SECONDS, TTL_SECONDS, RuleStore
from replicator.aws.rule_survey import READS_BEFORE_A_LIST
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.rules.document import default_document
from replicator.core.rules.packed import PackedRules

from tests.unit.rule_documents import newer

Answer = dict[str, Any] | Exception


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")


class ControlBucket:
    """S3's GetObject on the control bucket, and the keys that it was asked for."""

    meta = SimpleNamespace(service_model=botocore.session.get_session().get_service_model("s3"))

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.trouble: Exception | None = None
        self.asked: list[str] = []
        self.sent: list[str] = []
        self.while_asked: Callable[[], object] = lambda: None

    def get_object(self, Bucket: str, Key: str, IfNoneMatch: str = "") -> dict[str, Any]:  # noqa: N803
        assert Bucket == "control"
        self.asked.append(Key)
        self.while_asked()
        if self.trouble is not None:
            raise self.trouble
        if Key not in self.documents:
            raise refusal("NoSuchKey")
        etag = f'"{hash(self.documents[Key])}"'
        if etag == IfNoneMatch:
            raise refusal("304")
        self.sent.append(Key)
        body = self.documents[Key]
        return {"ETag": etag, "Body": StreamingBody(io.BytesIO(body), len(body))}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self.pages)

    def pages(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert (Bucket, Prefix) == ("control", "rules/")
        self.asked.append("list")
        if self.trouble is not None:
            raise self.trouble
        keys = sorted(self.documents)
        listed = [{"Key": key, "ETag": f'"{hash(self.documents[key])}"'} for key in keys]
        yield {"Contents": listed[:30]}
        yield {"Contents": listed[30:]}

    def store(self, *names: str, bucket: str = "east") -> None:
        rules = [newer(ID=name, Priority=index) for index, name in enumerate(names)]
        self.documents[f"rules/{bucket}.json"] = json.dumps({"Rules": rules}).encode()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def s3() -> ControlBucket:
    return ControlBucket()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(s3: ControlBucket, clock: Clock) -> RuleStore:
    return RuleStore(s3, "control", clock=clock)  # type: ignore[arg-type] # all that it uses of a client


def ids(store: RuleStore, bucket: str = "east") -> list[str]:
    return [rule.id for rule in store.rules(bucket).rules]


def test_a_document_is_read_once_while_it_is_fresh(store: RuleStore, s3: ControlBucket, clock: Clock) -> None:
    s3.store("one")
    assert ids(store) == ids(store) == ["one"]
    clock.now += TTL_SECONDS - 0.001
    assert ids(store) == ["one"]
    assert s3.asked == ["rules/east.json"]


def test_a_changed_document_is_read_within_a_minute(store: RuleStore, s3: ControlBucket, clock: Clock) -> None:
    assert TTL_SECONDS <= 60
    s3.store("one")
    ids(store)
    s3.store("two")
    clock.now += TTL_SECONDS
    assert ids(store) == ["two"]


def test_an_unchanged_document_is_not_sent_again(store: RuleStore, s3: ControlBucket, clock: Clock) -> None:
    s3.store("one")
    for _ in range(3):
        assert ids(store) == ["one"]
        clock.now += TTL_SECONDS
    assert (len(s3.asked), len(s3.sent)) == (3, 1)


def test_a_bucket_without_a_document_has_no_rules(store: RuleStore) -> None:
    assert ids(store) == []


def test_the_first_document_of_a_bucket_is_read_at_once(store: RuleStore, s3: ControlBucket, clock: Clock) -> None:
    """Else an object that is written right after the rules would be skipped for good."""
    ids(store)
    s3.store("one")
    clock.now += 0.001
    assert ids(store) == ["one"]


def test_a_bucket_whose_document_was_removed_has_no_rules(store: RuleStore, s3: ControlBucket, clock: Clock) -> None:
    s3.store("one")
    ids(store)
    s3.documents.clear()
    clock.now += TTL_SECONDS
    assert ids(store) == []


def test_the_default_rule_applies_to_its_bucket_until_a_document_is_stored(s3: ControlBucket, clock: Clock) -> None:
    store = RuleStore(s3, "control", defaults=("east", "west"), clock=clock)  # type: ignore[arg-type]
    assert ids(store) == [default_document("west")["Rules"][0]["ID"]]  # type: ignore[index]
    assert ids(store, "other") == []
    s3.store("one")
    clock.now += TTL_SECONDS
    assert ids(store) == ["one"]


def test_the_default_rule_is_remembered_like_a_document(s3: ControlBucket, clock: Clock) -> None:
    store = RuleStore(s3, "control", defaults=("east", "west"), clock=clock)  # type: ignore[arg-type]
    ids(store)
    clock.now += TTL_SECONDS - 0.001
    ids(store)
    assert len(s3.asked) == 1


@pytest.mark.parametrize(
    ("document", "part"),
    [(b"{", "not JSON"), (b"{}", "Rules"), (json.dumps({"Rules": [newer(Filtr={})]}).encode(), "Filtr")],
    ids=["broken JSON", "no rules", "an unknown field"],
)
def test_a_document_that_is_refused_is_trouble_and_not_a_bucket_without_rules(
    store: RuleStore, s3: ControlBucket, document: bytes, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    s3.documents["rules/east.json"] = document
    with pytest.raises(Temporary, match="control/rules/east") as caught:
        store.rules("east")
    assert caught.value.reason is Reason.RULES_UNREADABLE
    assert part in caught.value.detail
    assert part in caplog.text


def test_a_document_cannot_forge_a_line_of_the_log(
    store: RuleStore, s3: ControlBucket, caplog: pytest.LogCaptureFixture
) -> None:
    s3.documents["rules/east.json"] = json.dumps({"Rules": [newer(**{"a\r\n\x1b[31m\u202e": 1})]}).encode()
    with pytest.raises(Temporary):
        store.rules("east")
    assert [record.getMessage() for record in caplog.records if not record.getMessage().isprintable()] == []


TROUBLE: dict[str, tuple[Exception, str]] = {
    "denied": (refusal("AccessDenied"), "s3:ListBucket"),
    "no control bucket": (refusal("NoSuchBucket"), "NoSuchBucket"),
    "throttled": (refusal("SlowDown"), "SlowDown"),
    "not reached": (EndpointConnectionError(endpoint_url="https://x"), "https://x"),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
@pytest.mark.parametrize("known", [False, True], ids=["at first", "after rules were known"])
def test_a_document_that_cannot_be_read_is_trouble_and_not_a_bucket_without_rules(
    store: RuleStore, s3: ControlBucket, clock: Clock, trouble: tuple[Exception, str], known: bool
) -> None:
    s3.store("one")
    if known:
        ids(store)
        clock.now += TTL_SECONDS
    s3.trouble, part = trouble
    with pytest.raises(Temporary) as caught:
        store.rules("east")
    assert part in caught.value.detail


def test_trouble_is_remembered_for_a_few_seconds_and_ends_after_its_repair(
    store: RuleStore, s3: ControlBucket, clock: Clock
) -> None:
    s3.trouble = refusal("AccessDenied")
    for _ in range(3):
        clock.now += 0.001
        with pytest.raises(Temporary):
            store.rules("east")
    assert len(s3.asked) == 1
    s3.trouble = None
    s3.store("one")
    clock.now += TROUBLE_TTL_SECONDS
    assert ids(store) == ["one"]


def test_trouble_with_one_bucket_does_not_affect_another(store: RuleStore, s3: ControlBucket) -> None:
    s3.documents["rules/east.json"] = b"{"
    s3.store("one", bucket="other")
    with pytest.raises(Temporary):
        store.rules("east")
    assert ids(store, "other") == ["one"]


def test_a_document_is_read_again_once_the_clock_was_set_back(
    store: RuleStore, s3: ControlBucket, clock: Clock
) -> None:
    s3.store("one")
    ids(store)
    s3.store("two")
    clock.now -= 3600
    assert ids(store) == ["two"]


def test_rules_of_many_buckets_are_remembered_within_bounds_and_read_once(s3: ControlBucket, clock: Clock) -> None:
    """So an event costs the requests that it costs a stack with one bucket. What is forgotten is read again."""
    buckets = [f"bucket-{number}" for number in range(20)]
    for bucket in buckets:
        s3.store("first", "second", "third", bucket=bucket)
    store = RuleStore(s3, "control", clock=clock, shelf=RuleShelf(ready_rules=9))  # type: ignore[arg-type]
    for _ in range(3):
        found = [store.rules(bucket) for bucket in buckets]
        assert [each.candidates("k")[0].rules[0].id for each in found] == ["third"] * 20
    assert sum(isinstance(each, PackedRules) for each in found) == 17
    assert len(s3.asked) == 20
    clock.now += TTL_SECONDS
    assert [len(store.rules(bucket).rules) for bucket in buckets] == [3] * 20
    assert (len(s3.asked), len(s3.sent)) == (40, 20)
    small = RuleShelf(ready_rules=9, packed_bytes=1)
    forgetful = RuleStore(s3, "control", clock=clock, shelf=small)  # type: ignore[arg-type]
    for bucket in (*buckets, buckets[0]):
        assert len(forgetful.rules(bucket).rules) == 3
    assert s3.sent[20:] == [f"rules/{bucket}.json" for bucket in (*buckets, buckets[0])]


def test_a_container_that_serves_many_buckets_looks_at_their_documents_with_one_list(
    s3: ControlBucket, clock: Clock
) -> None:
    """After as many conditional reads as a list costs. A changed document is read all the same, and a removed one."""
    buckets = [f"bucket-{number:03}" for number in range(READS_BEFORE_A_LIST + 30)]
    for bucket in buckets:
        s3.store("first", bucket=bucket)
    store = RuleStore(s3, "control", clock=clock)  # type: ignore[arg-type]

    def asked() -> list[str]:
        del s3.asked[:]
        assert [len(store.rules(bucket).rules) for bucket in buckets if f"rules/{bucket}.json" in s3.documents] != []
        return list(s3.asked)

    assert len(asked()) == len(buckets)
    clock.now += TTL_SECONDS
    later = asked()
    assert (len(later), later[-1]) == (READS_BEFORE_A_LIST, "list")
    assert asked() == []
    clock.now += TTL_SECONDS
    s3.store("first", "second", bucket=buckets[-1])
    del s3.documents[f"rules/{buckets[-2]}.json"]
    again = asked()
    assert again[READS_BEFORE_A_LIST - 1 :] == ["list", f"rules/{buckets[-1]}.json"]
    assert len(store.rules(buckets[-1]).rules) == 2
    assert store.rules(buckets[-2]).rules == ()


def test_a_list_that_fails_is_trouble_for_one_bucket(s3: ControlBucket, clock: Clock) -> None:
    buckets = [f"bucket-{number:03}" for number in range(READS_BEFORE_A_LIST)]
    for bucket in buckets:
        s3.store("first", bucket=bucket)
    store = RuleStore(s3, "control", clock=clock)  # type: ignore[arg-type]
    for bucket in buckets:
        store.rules(bucket)
    clock.now += TTL_SECONDS
    for bucket in buckets[:-1]:
        store.rules(bucket)
    s3.trouble = refusal("AccessDenied")
    with pytest.raises(Temporary):
        store.rules(buckets[-1])
    s3.trouble = None
    clock.now += TROUBLE_TTL_SECONDS
    assert len(store.rules(buckets[-1]).rules) == 1


@pytest.mark.parametrize(
    ("names", "most"),
    [(("one",), 1), ((), 2)],
    ids=["rules that are there, with one request", "rules that are not there, with one more for late threads"],
)
def test_threads_that_need_the_same_rules_share_a_request(s3: ControlBucket, names: tuple[str, ...], most: int) -> None:
    arrived: set[int] = set()
    all_arrived = threading.Event()

    def clock() -> float:
        arrived.add(threading.get_ident())
        if len(arrived) == 4:
            all_arrived.set()
        return time.time()

    def want() -> None:
        found.append(ids(store))

    store, found = RuleStore(s3, "control", clock=clock), list[list[str]]()  # type: ignore[arg-type]
    if names:
        s3.store(*names)
    s3.while_asked = lambda: all_arrived.wait(30)
    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(names)] * 4
    assert 1 <= len(s3.asked) <= most


def test_a_slow_request_for_one_bucket_does_not_delay_another(store: RuleStore, s3: ControlBucket) -> None:
    s3.store("one")
    s3.store("two", bucket="other")
    asked, answered = threading.Event(), threading.Event()

    def be_slow() -> None:
        if s3.asked[-1] == "rules/east.json":
            asked.set()
            answered.wait(30)

    s3.while_asked = be_slow
    slow = threading.Thread(target=lambda: ids(store))
    slow.start()
    assert asked.wait(30)
    assert ids(store, "other") == ["two"]
    answered.set()
    slow.join()
