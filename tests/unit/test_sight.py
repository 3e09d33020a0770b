"""A HEAD leaves out what its caller may not read: of one version in a bucket, that is asked for by itself."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from replicator.aws.errors import Side
from replicator.aws.objects import BucketObjects, Shared
from replicator.aws.sight import KEEP_SECONDS, Sight
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.version import Head

from tests.patience import PATIENCE
from tests.unit.wire import Answer, Wire, error

VERSION = {
    "etag": '"v1"',
    "content-length": "7",
    "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    "x-amz-version-id": "v1",
}
HEAD = Answer(headers=VERSION)
NO_TAGS = "<Tagging><TagSet></TagSet></Tagging>"
BY_S3 = Answer(NO_TAGS, headers={"Server": "AmazonS3"})
NO_LOCK = error(400, "InvalidRequest")


class Bucket:
    """A bucket of a container, on a wire with these answers."""

    def __init__(self, *answers: Answer) -> None:
        self.now = 1000.0
        self.wire = Wire([*answers])
        reader = self.wire.clients().reader("us-east-1")
        self.objects = BucketObjects("east", Side.SOURCE, reader, shared=Shared(Sight(lambda: self.now)))

    def tag_count(self) -> int | None:
        found = self.objects.head("k", "v1")
        assert isinstance(found, Head)
        return found.tag_count


def test_no_number_of_tags_means_none_once_s3_let_the_tags_of_a_version_be_read() -> None:
    bucket = Bucket(HEAD, BY_S3, NO_LOCK, NO_LOCK, HEAD)
    assert [bucket.tag_count(), bucket.tag_count()] == [0, 0]
    assert len(bucket.wire.requests) == 5, "the second version costs its HEAD alone"


def test_no_number_of_tags_from_another_server_stays_unknown() -> None:
    bucket = Bucket(HEAD, Answer(NO_TAGS), NO_LOCK, NO_LOCK, HEAD)
    assert [bucket.tag_count(), bucket.tag_count()] == [None, None]


def test_a_number_of_tags_is_believed_from_any_server() -> None:
    bucket = Bucket(Answer(headers=VERSION | {"x-amz-tagging-count": "3"}), Answer(NO_TAGS), NO_LOCK, NO_LOCK)
    assert bucket.tag_count() == 3


def test_it_is_checked_again_after_five_minutes() -> None:
    bucket = Bucket(HEAD, BY_S3, NO_LOCK, NO_LOCK, HEAD, BY_S3, NO_LOCK, NO_LOCK)
    bucket.tag_count()
    bucket.now += KEEP_SECONDS
    bucket.tag_count()
    assert len(bucket.wire.requests) == 8


DENIED: dict[str, tuple[list[Answer], Reason]] = {
    "tags": ([error(403, "AccessDenied")], Reason.SRC_TAGS_DENIED),
    "retention": ([BY_S3, error(403, "AccessDenied")], Reason.SRC_RETENTION_DENIED),
    "legal hold":
        ([BY_S3, error(404, "NoSuchObjectLockConfiguration"), error(403, "AccessDenied")],
         Reason.SRC_LEGAL_HOLD_DENIED),
}  # fmt: skip


@pytest.mark.parametrize(("answers", "reason"), DENIED.values(), ids=DENIED)
def test_what_a_role_may_not_read_fails_the_change_instead_of_being_lost(answers: list[Any], reason: Reason) -> None:
    bucket = Bucket(HEAD, *answers)
    with pytest.raises(Permanent) as trouble:
        bucket.tag_count()
    assert trouble.value.reason is reason


def test_an_operator_who_checks_nothing_is_told_that_the_number_is_unknown() -> None:
    wire = Wire([HEAD])
    found = BucketObjects("east", Side.SOURCE, wire.clients().reader("us-east-1")).head("k", "v1")
    assert isinstance(found, Head)
    assert found.tag_count is None


class Reader:
    """A client that answers at once, except about the bucket `slow`."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()

    def get_object_tagging(self, Bucket: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if Bucket == "slow":
            self.asked.set()
            assert self.answer.wait(PATIENCE)
        return {"ResponseMetadata": {"HTTPHeaders": {"server": "AmazonS3"}}}

    def get_object_retention(self, **_: str) -> None: ...

    def get_object_legal_hold(self, **_: str) -> None: ...


def test_a_bucket_that_is_slow_to_answer_keeps_no_other_waiting() -> None:
    sight, reader = Sight(), Reader()
    client: Any = reader
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(sight.check, client, Side.SOURCE, {"Bucket": "slow"})
        assert reader.asked.wait(PATIENCE)
        other = pool.submit(sight.check, client, Side.SOURCE, {"Bucket": "other"})
        try:
            assert other.result(PATIENCE)
            assert not slow.done()
        finally:
            reader.answer.set()


class Silent(Reader):
    """A client whose bucket does not answer in time."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def get_object_tagging(self, Bucket: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.times += 1
        raise ReadTimeoutError(endpoint_url="https://west")


def test_versions_of_one_batch_do_not_run_into_the_same_time_out_one_after_the_other() -> None:
    sight, reader = Sight(lambda: 1000.0), Silent()
    client: Any = reader
    for _ in range(10):
        with pytest.raises(Temporary):
            sight.check(client, Side.SOURCE, {"Bucket": "west"})
    assert reader.times == 1
