"""Changes of replicas, sent to the stacks that own their versions: to which queue, what arrives, what is refused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import boto3
import pytest
from replicator.aws.clients import Clients
from replicator.aws.forwarding import SqsForwarding
from replicator.aws.peer_queues import PeerQueues, document_key
from replicator.core.deciding.undelete import CONFIRMED
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.change import UNNAMED, Change, ChangeKind
from replicator.core.versions.events import Record, parse
from replicator.flows.ports import Forwarding

from tests.emulator.callers import allow, role
from tests.emulator.plain import Plain
from tests.fakes.forwarding import MemoryForwarding

CHANGE = Change(ChangeKind.TAGS, "west", "a key/ü+", "v1", time=1_700_000_000_000, name="ObjectTagging:Put")
SEEN = Change(
    ChangeKind.ANNOTATIONS, "west", "k", "v1", 1_700_000_000_000, name="ObjectAnnotation:Delete", seen_at="east"
)
CHANGES = {
    "tags": CHANGE,
    "an annotation that was deleted at a replica": SEEN,
    "a legal hold": Change(ChangeKind.LEGAL_HOLD, "west", "k", "v1", 1_700_000_000_000, seen_at="east"),
    "whatever may have changed": Change(ChangeKind.STATE, "west", "k", "null", 1_700_000_000_000),
    "no version": Change(ChangeKind.ACL, "west", "k", UNNAMED, 1_700_000_000_000, name="ObjectAcl:Put"),
    "a marker that was removed": Change(
        ChangeKind.REMOVED, "west", "k", "m1", 1_700_000_000_000, name=CONFIRMED, seen_at="east"
    ),
}
_numbers = count(1)


class Queues(Protocol):
    """A stack with rules for `east`. Recorded for that are `west`, `gone` and `strange`, for `south` only `north`.

    It may send to the queues of replicators: to `west`, and to its own. `strange` is none, and `gone` does not exist.
    """

    @property
    def port(self) -> Forwarding:
        """Return the product's view of them."""

    def messages(self, name: str) -> Sequence[str]:
        """Take the bodies of what is on a queue: on that of `west`, or the stack's `own`."""


@dataclass(slots=True)
class InMemory:
    """The fake."""

    sent: dict[str, list[str]] = field(default_factory=lambda: {"west": [], "own": [], "strange": []})
    port: MemoryForwarding = field(init=False)

    def __post_init__(self) -> None:
        pairs = {("east", "west"), ("east", "gone"), ("east", "strange"), ("south", "north")}
        self.port = MemoryForwarding(
            ("own",),
            lambda name, body: self.sent[name].append(body),
            recorded=frozenset(pairs),
            denied=frozenset({"strange"}),
        )

    def messages(self, name: str) -> Sequence[str]:
        taken, self.sent[name] = self.sent[name], []
        return taken


@dataclass(slots=True)
class OnEmulator:
    """The adapter on the emulator, with the permissions that the template gives to the stack's functions."""

    plain: Plain
    port: SqsForwarding = field(init=False)
    queues: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        number = next(_numbers)
        regions = {"own": "us-east-1", "west": "us-west-2", "strange": "us-west-2"}
        arns = {name: self._queue(f"{name}-{number}", name, region) for name, region in regions.items()}
        control = self.plain.bucket()
        gone = arns["west"].replace("west-", "gone-")
        records = {"east": {"west": arns["west"], "strange": arns["strange"], "gone": gone}, "south": {"north": gone}}
        for bucket, queues in records.items():
            text = json.dumps({"queues": queues}).encode()
            self.plain.client("s3").put_object(Bucket=control, Key=document_key(bucket), Body=text)
        clients = self._clients(arns["own"], control)
        peers = PeerQueues(clients.reader("us-east-1"), control)
        self.port = SqsForwarding(clients.sqs, self.queues["own"][0], peers.queue_of)

    def _queue(self, queue: str, name: str, region: str) -> str:
        sqs = self.plain.client("sqs", region)
        tags = {} if name == "strange" else {"s3replicator": "changes"}
        url = sqs.create_queue(QueueName=queue, tags=tags)["QueueUrl"]
        self.queues[name] = url, region
        return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])

    def _clients(self, own: str, control: str) -> Clients:
        arn = role(
            self.plain,
            allow("sqs:SendMessage", own),
            allow(
                "sqs:SendMessage",
                "arn:aws:sqs:*:123456789012:*",
                Condition={"StringEquals": {"aws:ResourceTag/s3replicator": "changes"}},
            ),
            allow("s3:GetObject", f"arn:aws:s3:::{control}/peers/*"),
            allow("s3:ListBucket", f"arn:aws:s3:::{control}"),
        )
        issued = self.plain.emulator.principals.issue("AROA1", "replicate", "us-east-1", arn)
        return Clients(
            boto3.Session(issued.access_key_id, issued.secret_access_key, issued.session_token, region_name="us-east-1")
        )

    def messages(self, name: str) -> Sequence[str]:
        return [json.dumps(body) for body in self.plain.messages(*self.queues[name])]


@pytest.fixture(params=["memory", "emulator"])
def queues(request: pytest.FixtureRequest) -> Queues:
    if request.param == "memory":
        return InMemory()
    server: tuple[Plain, Any] = request.getfixturevalue("server")
    return OnEmulator(server[0])


def queue_of(queues: Queues, owner: str) -> str:
    queue = queues.port.queue_of("east", owner)
    assert queue
    return queue


def changes(bodies: Sequence[str]) -> list[Change]:
    """Return the changes of messages, without what forwarding need not keep: whose write it was, and how it is read."""
    records = [record for body in bodies for record in parse(body)]
    assert all(isinstance(record, Record) for record in records), bodies
    return [record.change for record in records if isinstance(record, Record)]


def essence(change: Change) -> tuple[object, ...]:
    return (change.kind, change.bucket, change.key, change.version_id, change.time, change.seen_at, change.is_deletion)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_arrives_at_the_queue_of_its_owner_as_it_was_sent(queues: Queues, change: str) -> None:
    queues.port.send(queue_of(queues, "west"), CHANGES[change])
    [arrived] = changes(queues.messages("west"))
    assert essence(arrived) == essence(CHANGES[change])
    assert arrived.name == CHANGES[change].name or not CHANGES[change].name
    assert queues.messages("own") == []


def test_without_a_queue_a_change_comes_to_the_stack_itself(queues: Queues) -> None:
    queues.port.send("", CHANGE)
    assert [essence(each) for each in changes(queues.messages("own"))] == [essence(CHANGE)]
    assert queues.messages("west") == []


@pytest.mark.parametrize(
    ("bucket", "owner"),
    [("east", "north"), ("south", "west"), ("nowhere", "west"), ("east", "east")],
    ids=["another bucket's", "recorded for another bucket", "no record", "the bucket itself"],
)
def test_of_an_owner_that_is_not_recorded_for_the_bucket_no_queue_is_known(
    queues: Queues, bucket: str, owner: str
) -> None:
    assert queues.port.queue_of(bucket, owner) is None


def test_a_queue_that_is_no_replicators_takes_nothing_and_that_is_permanent(queues: Queues) -> None:
    with pytest.raises(Permanent) as raised:
        queues.port.send(queue_of(queues, "strange"), CHANGE)
    assert raised.value.reason is Reason.OWNER_DENIED


def test_a_queue_that_does_not_exist_is_no_reason_to_fail_for_good(queues: Queues) -> None:
    with pytest.raises(Temporary):
        queues.port.send(queue_of(queues, "gone"), CHANGE)
