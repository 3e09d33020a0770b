"""How a destination is described by its bucket's settings, and what is assumed where they may not be read."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from replicator.aws.buckets import KEEP_SECONDS, RECENT_SECONDS, S3Buckets
from replicator.core.deciding.accounts import Accounts
from replicator.core.deciding.target import Capabilities, Target
from replicator.core.outcomes.outcome import Permanent, Reason

from tests.patience import PATIENCE
from tests.unit.wire import Answer, Wire, error

T = TypeVar("T")

VERSIONED = Answer("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
SUSPENDED = Answer("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
NEVER = Answer("<VersioningConfiguration/>")
LOCKED = Answer(
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
)  # fmt: skip
NOT_NOTIFYING = Answer("<NotificationConfiguration/>")
NOTIFYING = Answer(
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
    "notification": NOT_NOTIFYING,
}


class Settings(Wire):
    """Answers requests for settings by name; every other request is a HeadBucket."""

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


SETTINGS: dict[str, tuple[dict[str, Answer], dict[str, Any]]] = {
    "an ordinary bucket": ({}, {"versions": True, "acls": False, "lock": False, "listens": False}),
    "suspended versioning keeps no versions": ({"versioning": SUSPENDED}, {"versions": False}),
    "a bucket that never had versioning keeps none": ({"versioning": NEVER}, {"versions": False}),
    "writers own their objects: it has ACLs": ({"ownershipControls": owned("ObjectWriter")}, {"acls": True}),
    "the bucket owner is preferred: it has ACLs":
        ({"ownershipControls": owned("BucketOwnerPreferred")}, {"acls": True}),
    "a bucket without ownership controls has ACLs":
        ({"ownershipControls": error(404, "OwnershipControlsNotFoundError")}, {"acls": True}),
    "ownership that may not be read: ACLs are assumed, so that none is lost in silence":
        ({"ownershipControls": DENIED}, {"acls": True}),
    "a store without ownership controls has no ACLs": ({"ownershipControls": UNKNOWN}, {"acls": False}),
    "Object Lock": ({"object-lock": LOCKED}, {"lock": True}),
    "Object Lock that may not be read is assumed: S3 itself refuses a lock where there is none":
        ({"object-lock": DENIED}, {"lock": True}),
    "a store without Object Lock": ({"object-lock": UNKNOWN}, {"lock": False}),
    "a queue is notified of new objects": ({"notification": NOTIFYING}, {"listens": True}),
    "EventBridge is notified": ({"notification": BUS}, {"listens": True}),
    "notifications that may not be read: two-way replication is assumed": ({"notification": DENIED}, {"listens": True}),
    "a store without notifications": ({"notification": UNKNOWN}, {"listens": False}),
}  # fmt: skip


@pytest.mark.parametrize(("answers", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_a_destination_is_described_by_the_settings_of_its_bucket(
    answers: dict[str, Answer], expected: dict[str, Any]
) -> None:
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
    assert len(wire.requests) == 9, "a bucket never moves to another Region"


def test_settings_are_read_again_for_what_is_redriven_but_not_for_each_of_many() -> None:
    now = [0.0]
    wire = Settings({})
    known = buckets(wire, lambda: now[0])
    known.describe(Target("west"))
    now[0] = RECENT_SECONDS
    for _ in range(100):
        known.describe(Target("west"), recent=True)
    assert len(wire.requests) == 9
    known.describe(Target("west"))
    assert len(wire.requests) == 9


def test_settings_are_read_in_the_region_of_the_bucket() -> None:
    wire = Settings({})
    buckets(wire).describe(Target("west"))
    asked = [request.url.partition("?")[0] for request in wire.requests[1:]]
    assert set(asked) == {"https://west.s3.us-west-2.amazonaws.com/"}


def test_requests_to_a_destination_name_the_account_that_must_own_it() -> None:
    wire = Settings({})
    buckets(wire).replicas(Target("west", "222222222222"))
    assert wire.headers()["x-amz-expected-bucket-owner"] == "222222222222"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(error(404, "404"), Reason.DST_BUCKET_NOT_FOUND), (error(403, "403"), Reason.DST_BUCKET_DENIED)],
    ids=["missing", "denied"],
)
def test_a_destination_that_does_not_exist_or_is_denied_is_permanent_trouble(answer: Answer, reason: Reason) -> None:
    with pytest.raises(Permanent) as trouble:
        buckets(Settings({"bucket": Answer(status=answer.status)})).replicas(Target("west"))
    assert trouble.value.reason is reason


class BlackHole:
    """A client that answers nothing about the bucket `west` before it is told to, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()
        self.region, self.accounts = "us-east-1", Accounts()
        self.requests: list[tuple[str, str]] = []

    def reader(self, _region: str) -> Any:
        return self

    writer = quick_writer = reader

    def toward(self, _target: Target) -> Any:
        return self

    def _answered(self, operation: str, bucket: str) -> dict[str, Any]:
        self.requests.append((operation, bucket))
        if bucket == "west":
            self.asked.set()
            assert self.answer.wait(PATIENCE)
        return {}

    def head_bucket(self, Bucket: str) -> dict[str, Any]:  # noqa: N803 - here and below: boto3's name
        return self._answered("HeadBucket", Bucket)

    def get_bucket_versioning(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        return self._answered("GetBucketVersioning", Bucket)

    def get_bucket_ownership_controls(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        return self._answered("GetBucketOwnershipControls", Bucket)

    def get_object_lock_configuration(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        return self._answered("GetObjectLockConfiguration", Bucket)

    def get_bucket_notification_configuration(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        return self._answered("GetBucketNotificationConfiguration", Bucket)


ASKED: dict[str, Callable[[S3Buckets], object]] = {
    "its Region": lambda known: known.replicas(Target("north")),
    "its settings": lambda known: known.describe(Target("north")),
    "the ACLs of a source": lambda known: known.source_has_acls("east"),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("stuck", ["replicas", "describe"])
def test_nobody_waits_for_a_bucket_that_does_not_answer_but_who_asks_about_it(
    ask: Callable[[S3Buckets], object], stuck: str
) -> None:
    client = BlackHole()
    clients: Any = client
    known = S3Buckets(clients, in_turn)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(getattr(known, stuck), Target("west"))
        assert client.asked.wait(PATIENCE)
        try:
            pool.submit(ask, known).result(PATIENCE)
            assert not slow.done()
        finally:
            client.answer.set()


def test_a_bucket_that_is_both_source_and_destination_is_asked_for_its_region_once() -> None:
    client = BlackHole()
    clients: Any = client
    known = S3Buckets(clients, in_turn)
    known.source("east"), known.replicas(Target("east"))
    assert client.requests == [("HeadBucket", "east")]
