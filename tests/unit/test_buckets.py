"""What a bucket's settings mean, and what is assumed where they may not be read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from replicator.aws.buckets import KEEP_SECONDS, S3Buckets
from replicator.core.deciding.target import Capabilities, Target
from replicator.core.outcomes.outcome import Permanent, Reason

from tests.unit.wire import Answer, Wire, error

T = TypeVar("T")

VERSIONED = Answer("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
SUSPENDED = Answer("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
NEVER = Answer("<VersioningConfiguration/>")
LOCKED = Answer(
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
)  # fmt: skip
SILENT = Answer("<NotificationConfiguration/>")
TOLD = Answer(
    "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-west-2:1:q</Queue>"
    "<Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>"
)
BUS = Answer("<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>")
DENIED, UNKNOWN = error(403, "AccessDenied"), error(501, "NotImplemented")


def owned(ownership: str) -> Answer:
    rule = f"<Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule>"
    return Answer(f"<OwnershipControls>{rule}</OwnershipControls>")


ORDINARY = {
    "versioning": VERSIONED,
    "ownershipControls": owned("BucketOwnerEnforced"),
    "object-lock": error(404, "ObjectLockConfigurationNotFoundError"),
    "notification": SILENT,
}


class Settings(Wire):
    """Answers by what is asked for; whatever else is asked is HeadBucket."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__([Answer(headers={"x-amz-bucket-region": "us-west-2"})])
        self.settings = {**ORDINARY, **answers}

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        asked = next((answer for name, answer in self.settings.items() if request.url.endswith(f"?{name}")), None)
        self.answers = [asked or self.settings.get("bucket") or Answer(headers={"x-amz-bucket-region": "us-west-2"})]
        return super().answer(request)


def in_turn(tasks: Sequence[Callable[[], T]]) -> list[T]:
    return [task() for task in tasks]


def buckets(wire: Wire, clock: Callable[[], float] = lambda: 0.0) -> S3Buckets:
    return S3Buckets(wire.clients(), in_turn, clock)


ROWS: list[tuple[int, str, dict[str, Answer], dict[str, Any]]] = [
    (1, "an ordinary bucket", {}, {"versions": True, "acls": False, "lock": False, "listens": False}),
    (2, "suspended versioning is none", {"versioning": SUSPENDED}, {"versions": False}),
    (3, "nor is versioning that never was", {"versioning": NEVER}, {"versions": False}),
    (4, "writers own their objects: ACLs", {"ownershipControls": owned("ObjectWriter")}, {"acls": True}),
    (5, "the bucket's owner is preferred: ACLs", {"ownershipControls": owned("BucketOwnerPreferred")},
     {"acls": True}),
    (6, "a bucket from before ownership: ACLs",
     {"ownershipControls": error(404, "OwnershipControlsNotFoundError")}, {"acls": True}),
    (7, "ownership that may not be read: no ACL is sent", {"ownershipControls": DENIED}, {"acls": False}),
    (8, "a store that knows no ownership", {"ownershipControls": UNKNOWN}, {"acls": False}),
    (9, "Object Lock", {"object-lock": LOCKED}, {"lock": True}),
    (10, "Object Lock that may not be read: S3 refuses by itself", {"object-lock": DENIED}, {"lock": True}),
    (11, "a store that knows no Object Lock", {"object-lock": UNKNOWN}, {"lock": False}),
    (12, "somebody is told of new objects", {"notification": TOLD}, {"listens": True}),
    (13, "EventBridge is told", {"notification": BUS}, {"listens": True}),
    (14, "notifications that may not be read: two-way is assumed", {"notification": DENIED}, {"listens": True}),
    (15, "a store that knows no notifications", {"notification": UNKNOWN}, {"listens": False}),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_settings_and_what_is_assumed_without_them(
    row: tuple[int, str, dict[str, Answer], dict[str, Any]],
) -> None:
    _, _, answers, expected = row
    seen = buckets(Settings(answers)).describe(Target("west"))
    found = {"listens": seen.listens} | {
        name: getattr(seen.capabilities, name) for name in ("versions", "acls", "lock")
    }
    assert expected.items() <= found.items()


def test_settings_are_read_once_and_again_after_a_while() -> None:
    now = [0.0]
    wire = Settings({})
    known = buckets(wire, lambda: now[0])
    assert known.describe(Target("west")) == Target("west", "", "us-west-2", Capabilities(), listens=False)
    assert len(wire.requests) == 5
    known.describe(Target("west"))
    assert len(wire.requests) == 5
    now[0] = KEEP_SECONDS
    known.describe(Target("west"))
    assert len(wire.requests) == 9, "where it is does not change"


def test_a_bucket_is_asked_in_its_own_region() -> None:
    wire = Settings({})
    buckets(wire).describe(Target("west"))
    asked = [request.url.partition("?")[0] for request in wire.requests[1:]]
    assert set(asked) == {"https://west.s3.us-west-2.amazonaws.com/"}


def test_the_account_that_must_own_it_is_asked_for() -> None:
    wire = Settings({})
    buckets(wire).replicas(Target("west", "222222222222"))
    assert wire.headers()["x-amz-expected-bucket-owner"] == "222222222222"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(error(404, "404"), Reason.DST_BUCKET_NOT_FOUND), (error(403, "403"), Reason.DST_PUT_DENIED)],
    ids=["missing", "denied"],
)
def test_a_bucket_that_cannot_be_asked_is_permanent_trouble_of_its_side(answer: Answer, reason: Reason) -> None:
    with pytest.raises(Permanent) as trouble:
        buckets(Settings({"bucket": Answer(status=answer.status)})).replicas(Target("west"))
    assert trouble.value.reason is reason
