"""Every request names the account that must own the bucket, if anybody has said which: none reaches a stranger's.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from replicator.aws.buckets import S3Buckets
from replicator.aws.clients import Clients
from replicator.aws.errors import Side
from replicator.aws.tagging import SourceTagging
from replicator.core.deciding.accounts import Accounts
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Temporary
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import CopySource
from replicator.core.verifying.listed import Span
from replicator.core.versions.version import Lock

from tests.unit.copies import plain
from tests.unit.wire import Answer, error

T = TypeVar("T")
HERE, THERE = "111111111111", "222222222222"
WEST = Target("west", THERE)
READ = CopySource("east", "k", "v1", '"e"')
PART = PartRange(1, 0, 5)
EXPECTED, OF_SOURCE = "x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"


class Refusing:
    """S3 that tells a bucket's Region, and answers everything else with an error; it keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[AWSPreparedRequest] = []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        self.requests.append(request)
        whole = request.method == "HEAD" and request.url.partition(".com/")[2] == ""
        answer = Answer(headers={"x-amz-bucket-region": "us-east-1"}) if whole else error(404, "NoSuchKey")
        return AWSResponse(request.url, answer.status, answer.headers, answer)  # type: ignore[arg-type]

    def headers(self) -> list[Mapping[str, str]]:
        return [{name.lower(): _text(value) for name, value in each.headers.items()} for each in self.requests]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def in_turn(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Make all requests, whatever comes of them."""
    for task in tasks:
        with suppress(Permanent, Temporary, Conflict):
            task()
    raise Temporary(Reason.SERVICE)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    refusing = Refusing()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(URLLib3Session, "send", lambda _, request: refusing.send(request))
    return refusing


def clients() -> Clients:
    return Clients(accounts=Accounts(source=HERE))


def tagging(_: S3Buckets) -> SourceTagging:
    return SourceTagging(clients().writer("us-east-1"), HERE)


ON_SOURCE: dict[str, Callable[[S3Buckets], Any]] = {
    "head": lambda b: b.source("east").head("k", "v1"),
    "exists": lambda b: b.source("east").exists("k", "v1"),
    "top": lambda b: b.source("east").top("k"),
    "first byte": lambda b: b.source("east").read_first_byte("k", "v1"),
    "history": lambda b: b.source("east").history("k"),
    "tags": lambda b: b.source("east").tags("k", "v1"),
    "grants": lambda b: b.source("east").grants("k", "v1"),
    "part size": lambda b: b.large_objects("east").part_size(READ, 1),
    "annotations": lambda b: b.large_objects("east").annotations("k", "v1"),
    "ownership": lambda b: b.source_has_acls("east"),
    "listing": lambda b: list(b.listing().pages(Target("east"), Side.SOURCE, Span())),
    "tags of a replica, written back": lambda b: b.amendable(Target("east"), Side.SOURCE).put_tags("k", "v1", {}),
    "a lock, written back": lambda b: b.amendable(Target("east"), Side.SOURCE).put_retention("k", "v1", Lock()),
    "status tag, read": lambda b: tagging(b).tags("east", "k", "v1"),
    "status tag, written": lambda b: tagging(b).put_tags("east", "k", "v1", {}),
}
ON_DESTINATION: dict[str, Callable[[S3Buckets], Any]] = {
    "settings": lambda b: b.describe(WEST),
    "head": lambda b: b.replicas(WEST).head("k", "v1"),
    "copy": lambda b: b.replicas(WEST).copy(plain(), Guard()),
    "delete marker": lambda b: b.replicas(WEST).mark_deleted("k", Guard('"e"')),
    "tags": lambda b: b.amendable(WEST, Side.DESTINATION).put_tags("k", "v1", {}),
    "upload": lambda b: b.uploads(WEST).start(plain()),
    "part": lambda b: b.uploads(WEST).copy_part("u", READ, PART),
    "parts": lambda b: b.uploads(WEST).parts("k", "u", 0),
    "completion": lambda b: b.uploads(WEST).complete(plain(), "u", [], None),
    "abort": lambda b: b.uploads(WEST).abort("k", "u"),
    "uploads": lambda b: b.uploads(WEST).all_under_way(),
    "annotation": lambda b: b.uploads(WEST).annotate("k", "v1", "n", b"{}"),
    "listing": lambda b: list(b.listing().pages(WEST, Side.DESTINATION, Span())),
}


def ask(what: Callable[[S3Buckets], Any]) -> None:
    with suppress(Permanent, Temporary, Conflict):
        what(S3Buckets(clients(), in_turn))


@pytest.mark.parametrize("what", ON_SOURCE.values(), ids=ON_SOURCE)
def test_every_request_to_a_source_names_its_owner(s3: Refusing, what: Callable[[S3Buckets], Any]) -> None:
    ask(what)
    assert s3.requests
    assert {each.get(EXPECTED) for each in s3.headers()} == {HERE}


@pytest.mark.parametrize("what", ON_DESTINATION.values(), ids=ON_DESTINATION)
def test_every_request_to_a_destination_names_its_owner(s3: Refusing, what: Callable[[S3Buckets], Any]) -> None:
    ask(what)
    about_west = [each for each, sent in zip(s3.headers(), s3.requests, strict=True) if "//west." in sent.url]
    assert about_west
    assert {each.get(EXPECTED) for each in about_west} == {THERE}


@pytest.mark.parametrize("name", ["copy", "part"])
def test_a_copy_names_the_owner_of_what_it_reads_too(s3: Refusing, name: str) -> None:
    ask(ON_DESTINATION[name])
    copies = [each for each in s3.headers() if "x-amz-copy-source" in each]
    assert copies
    assert {each.get(OF_SOURCE) for each in copies} == {HERE}


def test_a_copy_within_the_destination_reads_what_the_destinations_account_owns(s3: Refusing) -> None:
    ask(lambda b: b.uploads(WEST).copy_part("u", CopySource("west", "k", "v1", '"e"'), PART))
    [*_, copy] = [each for each in s3.headers() if "x-amz-copy-source" in each]
    assert copy[OF_SOURCE] == THERE
