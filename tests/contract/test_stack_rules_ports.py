"""What `rules put` and its sisters rely on, held against the fake and against the emulator."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from s3replicator.failed_calls import CallFailed
from s3replicator.rule_documents import RuleDocuments
from s3replicator.rules.bucket_checks import AWS_MANAGED_KEY, BucketView, KeyView
from s3replicator.rules.bucket_settings import AwsBucketSettings
from s3replicator.rules.event_filter import criteria, writers_of
from s3replicator.rules.inspection import BucketSettings
from s3replicator.rules.mappings import AwsMappings
from s3replicator.rules.peers import Mappings
from s3replicator.rules.stack_rules import Documents
from s3replicator.stack import stack_facts
from s3replicator.stack_facts import StackFacts

from emulator.running import Running, running
from tests.fakes.account import MemoryAccount

ACCOUNT = "123456789012"
WORLD = {
    "buckets": [
        {"name": "east", "region": "us-east-1"},
        {"name": "locked", "region": "us-east-1", "object_lock": True, "ownership": "ObjectWriter"},
        {"name": "paused", "region": "us-west-2", "versioning": "Suspended", "encryption": "aws:kms"},
    ],
    "stacks": [{"name": "prod", "region": "us-east-1"}],
}
SOURCES = {
    "east": BucketView(
        "east",
        exists=True,
        region="us-east-1",
        versioning="Enabled",
        object_lock=False,
        ownership="BucketOwnerEnforced",
        kms_key="",
        native_routes=(),
    ),
    "locked": BucketView(
        "locked",
        exists=True,
        region="us-east-1",
        versioning="Enabled",
        object_lock=True,
        ownership="ObjectWriter",
        kms_key="",
        native_routes=(),
    ),
    "paused": BucketView(
        "paused",
        exists=True,
        region="us-west-2",
        versioning="Suspended",
        object_lock=False,
        ownership="BucketOwnerEnforced",
        kms_key=AWS_MANAGED_KEY,
        native_routes=(),
    ),
}


@dataclass
class Ports:
    """The ports, the stack, and ARNs: of a queue that may be notified, of a key, and of a key that is not there."""

    documents: Documents
    buckets: BucketSettings
    mappings: Mappings
    stack: StackFacts
    queue: str
    key: str
    no_key: str


def in_memory() -> Ports:
    memory = MemoryAccount(views=dict(SOURCES))
    outputs = {"ChangeQueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "ControlBucket": "c", "ChangeQueue": "https://q"}
    outputs |= {"ReplicatorPrincipals": "AROA1:prod-replicate,AROA2:prod-batch", "ReplicateFunction": "prod-replicate"}
    stack = stack_facts("prod", "us-east-1", {}, outputs)
    memory.stacks[stack.change_queue_arn] = stack
    memory.filters[stack.change_queue_arn] = criteria(stack.writers)
    key = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/k"
    memory.keys[key] = KeyView(exists=True, arn=key)
    return Ports(memory, memory, memory, stack, stack.change_queue_arn, key, key + "0")


def on_aws(emulator: Running) -> Ports:
    outputs = emulator.outputs("prod")
    described = emulator.client("cloudformation").describe_stacks(StackName="prod")["Stacks"][0]["Parameters"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described}
    facts = stack_facts("prod", "us-east-1", parameters, outputs)
    key = emulator.client("kms", "us-west-2").create_key()["KeyMetadata"]["Arn"]
    documents = RuleDocuments(emulator.client("s3"), facts.control_bucket)
    buckets, mappings = AwsBucketSettings(emulator.client, facts), AwsMappings(emulator.client)
    return Ports(documents, buckets, mappings, facts, facts.change_queue_arn, key, key[:-12] + "0" * 12)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(params=["memory", "emulator"])
def ports(request: pytest.FixtureRequest) -> Ports:
    make: Any = in_memory if request.param == "memory" else partial(on_aws, request.getfixturevalue("emulator"))
    made: Ports = make()
    return made


def test_a_document_is_there_after_it_was_written_and_gone_after_it_was_removed(ports: Ports) -> None:
    assert ports.documents.read("east") is None
    ports.documents.write("east", "ü".encode())
    ports.documents.write("a.b", b"x")
    assert ports.documents.read("east") == "ü".encode()
    assert ports.documents.buckets() == ("a.b", "east")
    for bucket in ("east", "a.b"):
        ports.documents.remove(bucket)
        assert ports.documents.read(bucket) is None
    assert ports.documents.buckets() == ()


@pytest.mark.parametrize("bucket", SOURCES)
def test_a_source_is_seen_as_it_is(ports: Ports, bucket: str) -> None:
    assert ports.buckets.view_source(bucket) == SOURCES[bucket]


def test_a_destination_is_seen_with_its_owner(ports: Ports) -> None:
    view = ports.buckets.view_destination("paused", ACCOUNT)
    assert (view.exists, view.owner_matches, view.versioning, view.region) == (True, True, "Suspended", "us-west-2")
    assert ports.buckets.view_destination("paused", None).owner_matches is None


def test_a_bucket_that_is_not_there_is_seen_as_missing_and_as_nothing_else(ports: Ports) -> None:
    assert ports.buckets.view_source("nowhere") == BucketView("nowhere", exists=False)
    assert ports.buckets.view_destination("nowhere", ACCOUNT) == BucketView("nowhere", exists=False)


def test_a_key_is_seen_or_missing(ports: Ports) -> None:
    assert ports.buckets.view_key(ports.key) == KeyView(exists=True, arn=ports.key)
    assert ports.buckets.view_key(ports.no_key) == KeyView(exists=False)


def test_notifications_are_read_as_they_were_set(ports: Ports) -> None:
    assert ports.buckets.notifications("east") == {}
    entry = {"Id": "n", "QueueArn": ports.queue, "Events": ["s3:ObjectCreated:*", "s3:ObjectRestore:Completed"]}
    both = {"QueueConfigurations": [entry], "EventBridgeConfiguration": {}}
    ports.buckets.set_notifications("east", both)
    assert ports.buckets.notifications("east") == both
    ports.buckets.set_notifications("east", {})
    assert ports.buckets.notifications("east") == {}


def test_the_queue_takes_events_of_the_stacks_buckets(ports: Ports) -> None:
    assert ports.buckets.queue_takes_from("east")


def test_a_change_queue_names_its_stack_and_another_queue_names_none(ports: Ports) -> None:
    assert ports.mappings.stack_of(ports.stack.change_queue_arn) == ports.stack
    assert ports.mappings.stack_of(f"arn:aws:sqs:us-west-2:{ACCOUNT}:not-there") is None


def test_filters_are_read_as_they_were_replaced(ports: Ports) -> None:
    view = ports.mappings.view(ports.stack)
    assert writers_of(view.criteria) == ports.stack.writers
    more = criteria([*ports.stack.writers, "AROAMORE:more-replicate"])
    ports.mappings.replace(ports.stack, view.mapping, more)
    assert ports.mappings.view(ports.stack).criteria == more
    ports.mappings.replace(ports.stack, view.mapping, view.criteria)


def test_a_queue_without_a_mapping_has_no_filters(ports: Ports) -> None:
    nowhere = replace(ports.stack, change_queue_arn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:not-there")
    with pytest.raises(CallFailed) as caught:
        ports.mappings.view(nowhere)
    assert (caught.value.call.action, caught.value.call.code) == (
        "lambda:ListEventSourceMappings",
        "ResourceNotFoundException",
    )


def test_only_the_change_queue_of_a_stack_names_it(emulator: Running) -> None:
    """A stack has other queues, and other queues have other stacks or none."""
    sqs, mappings = emulator.client("sqs"), AwsMappings(emulator.client)
    sqs.create_queue(QueueName="by-hand")
    arns = [
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in sqs.list_queues()["QueueUrls"]
    ]
    assert len(arns) > 3
    assert {arn for arn in arns if mappings.stack_of(arn) is not None} == {emulator.outputs("prod")["ChangeQueueArn"]}


def test_a_call_that_fails_tells_the_action_and_the_code(emulator: Running) -> None:
    with pytest.raises(CallFailed) as caught:
        on_aws(emulator).buckets.notifications("nowhere")
    assert (caught.value.call.action, caught.value.call.code) == ("s3:GetBucketNotification", "NoSuchBucket")
