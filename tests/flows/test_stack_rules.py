"""An operator's commands on rules: what is stored and attached when, and what a crash or a refusal leaves behind."""

import json
from dataclasses import replace
from typing import Any

import pytest
from replicator.aws.rule_shape import shape_problems
from replicator.core.rules.document import default_document
from s3replicator.bucket_notifications import EVENTS
from s3replicator.findings import Severity
from s3replicator.rules.peers import Peers
from s3replicator.rules.result import RulesResult
from s3replicator.rules.stack_rules import StackRules
from s3replicator.stack_facts import StackFacts

from tests.fakes.account import Crash, MemoryAccount
from tests.unit.rule_documents import newer

QUEUE = "arn:aws:sqs:us-east-1:111122223333:changes"
STACK = StackFacts(
    name="prod",
    region="us-east-1",
    account="111122223333",
    control_bucket="control",
    change_queue_url="https://queue",
    change_queue_arn=QUEUE,
    source_buckets=frozenset({"east"}),
    destination_buckets=frozenset({"west"}),
)
DEFAULTS = replace(STACK, default_source="east", default_destination="west")
OURS = {"Id": "s3replicator-prod", "QueueArn": QUEUE, "Events": list(EVENTS)}
THEIRS: dict[str, Any] = {"TopicConfigurations": [{"Id": "t", "TopicArn": "arn:t", "Events": ["s3:Replication:*"]}]}
TAKEN: dict[str, Any] = {"QueueConfigurations": [{"Id": "q", "QueueArn": "arn:q", "Events": ["s3:ObjectCreated:Put"]}]}
RULES = json.dumps({"ReplicationConfiguration": {"Role": "r", "Rules": [newer(ID=...)]}}).encode()


@pytest.fixture
def world() -> MemoryAccount:
    world = MemoryAccount()
    world.add("east", region="us-east-1", versioning="Enabled")
    world.add("west", region="us-west-2", versioning="Enabled")
    return world


def stack_rules(world: MemoryAccount, stack: StackFacts = STACK) -> StackRules:
    return StackRules(stack, world, world, shape_problems, Peers(stack, world, world, lambda _: None))


def errors(result: RulesResult) -> list[str]:
    return [str(each) for each in result.findings if each.severity is Severity.ERROR]


def warnings(result: RulesResult) -> list[str]:
    return [str(each) for each in result.findings if each.severity is Severity.WARNING]


def test_put_stores_the_rules_then_attaches_the_events(world: MemoryAccount) -> None:
    """The other way round, what came in between would be skipped: no rule would be there for it."""
    world.configurations["east"] = THEIRS
    result = stack_rules(world).put("east", RULES)
    assert (result.ok, result.done) == (
        True,
        ["stored the rules", "attached its events, through an event notification"],
    )
    assert world.writes == ["write", "set"]
    assert world.configurations["east"] == THEIRS | {"QueueConfigurations": [OURS]}


def test_put_stores_the_bare_form_with_an_id_for_every_rule(world: MemoryAccount) -> None:
    result = stack_rules(world).put("east", RULES)
    assert result.rules is not None
    stored = json.loads(world.documents["east"])
    assert stored["Role"] == "r"
    assert [rule["ID"] for rule in stored["Rules"]] == [rule.id for rule in result.rules.rules]


def test_a_pattern_of_destinations_must_not_include_the_control_bucket(world: MemoryAccount) -> None:
    allowing = replace(STACK, destination_buckets=frozenset({"w*", "c*l"}))
    assert any("functions may change rules" in each for each in errors(stack_rules(world, allowing).put("east", RULES)))
    assert errors(stack_rules(world, replace(STACK, destination_buckets=frozenset({"w*"}))).put("east", RULES)) == []


def test_put_can_be_run_again_and_then_writes_nothing(world: MemoryAccount) -> None:
    stack_rules(world).put("east", RULES)
    before = list(world.writes)
    result = stack_rules(world).put("east", RULES)
    assert result.done == ["the rules are unchanged", "its events already arrive, through an event notification"]
    assert world.writes == before


@pytest.mark.parametrize("call", range(12))
def test_a_put_that_is_killed_anywhere_is_repaired_by_the_next_one(world: MemoryAccount, call: int) -> None:
    world.configurations["east"] = THEIRS
    world.crash_at = call
    try:
        stack_rules(world).put("east", RULES)
    except Crash:
        world.crash_at = None
        attached = "QueueConfigurations" in world.configurations["east"]
        assert not attached or "east" in world.documents
        assert stack_rules(world).put("east", RULES).ok
    assert world.documents["east"]
    assert world.configurations["east"] == THEIRS | {"QueueConfigurations": [OURS]}


@pytest.mark.parametrize(
    ("text", "part"),
    [(b"{", "document"), (json.dumps({"Rules": [newer(Status="On")]}).encode(), "rule one: Status")],
    ids=["no JSON", "a rule that S3 refuses"],
)
def test_put_refuses_a_document_without_looking_at_anything(world: MemoryAccount, text: bytes, part: str) -> None:
    result = stack_rules(world).put("east", text, force=True)
    assert part in errors(result)[0]
    assert world.calls == []


def test_put_stores_nothing_while_something_is_wrong_with_a_bucket(world: MemoryAccount) -> None:
    world.add("west", region="us-west-2", versioning="Suspended")
    result = stack_rules(world).put("east", RULES)
    assert "versioning suspended" in errors(result)[0]
    assert world.writes == []


def test_put_with_force_stores_in_spite_of_it_and_still_tells(world: MemoryAccount) -> None:
    world.add("west", region="us-west-2", versioning="Suspended")
    result = stack_rules(world).put("east", RULES, force=True)
    assert "versioning suspended" in errors(result)[0]
    assert world.writes == ["write", "set"]


def test_everything_wrong_is_told_at_once(world: MemoryAccount) -> None:
    world.add("east", region="eu-west-1", versioning="Disabled")
    world.configurations["east"] = TAKEN
    world.queue_takes = False
    del world.views["west"]
    found = "\n".join(errors(stack_rules(world, replace(STACK, source_buckets=frozenset())).put("east", RULES)))
    assert all(part in found for part in ("SourceBuckets", "eu-west-1", "versioning", "arn:q", "bucket west"))


def test_a_key_that_a_rule_names_is_looked_at_once(world: MemoryAccount) -> None:
    key = "arn:aws:kms:us-west-2:111122223333:key/k"
    destination = {"Bucket": "arn:aws:s3:::west", "EncryptionConfiguration": {"ReplicaKmsKeyID": key}}
    selected = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    rules = [newer(ID=str(i), Priority=i, Destination=destination, SourceSelectionCriteria=selected) for i in (1, 2)]
    found = errors(stack_rules(world).put("east", json.dumps({"Rules": rules}).encode()))
    assert [each for each in found if key in each] == [
        f"error: key {key}: does not exist, but rule '1' names it for its replicas"
    ]


def test_somebody_elses_notification_is_explained_with_the_way_out(world: MemoryAccount) -> None:
    world.configurations["east"] = TAKEN
    (found,) = errors(stack_rules(world).put("east", RULES))
    assert "arn:q" in found
    assert "enable EventBridge in the bucket's properties, deploy stack prod with UseEventBridge=true" in found
    assert world.configurations["east"] == TAKEN


def test_with_eventbridge_on_both_sides_it_is_no_obstacle_and_only_what_that_lacks_is_attached(
    world: MemoryAccount,
) -> None:
    world.configurations["east"] = TAKEN | {"EventBridgeConfiguration": {}}
    bridged = replace(STACK, event_bridge=True)
    result = stack_rules(world, bridged).put("east", RULES)
    assert (result.ok, result.done[-1]) == (True, "attached its events, through EventBridge")
    ours = OURS | {"Events": ["s3:ObjectRetention:Put", "s3:ObjectAnnotation:*"]}
    assert world.configurations["east"]["QueueConfigurations"] == [*TAKEN["QueueConfigurations"], ours]
    assert stack_rules(world, bridged).put("east", RULES).done[-1] == "its events already arrive, through EventBridge"


def test_somebody_elses_notification_of_later_changes_is_named_and_does_not_prevent_the_others(
    world: MemoryAccount,
) -> None:
    tagging = {"TopicConfigurations": [{"Id": "t", "TopicArn": "arn:t", "Events": ["s3:ObjectTagging:*"]}]}
    world.configurations["east"] = tagging
    result = stack_rules(world).put("east", RULES)
    [found] = warnings(result)
    assert result.ok
    assert "the notification t to the topic arn:t already receives s3:ObjectTagging:*" in found
    assert "enable EventBridge in the bucket's properties, deploy stack prod with UseEventBridge=true" in found
    events = [each for each in EVENTS if "Tagging" not in each]
    assert world.configurations["east"] == tagging | {"QueueConfigurations": [OURS | {"Events": events}]}
    checked = stack_rules(world).check("east")
    assert (errors(checked), warnings(checked)) == ([], [found])


def test_check_names_the_events_that_an_earlier_release_did_not_attach_and_put_adds_them(world: MemoryAccount) -> None:
    stack_rules(world).put("east", RULES)
    before = ["s3:ObjectCreated:*", "s3:ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRestore:Completed"]
    world.configurations["east"] = THEIRS | {"QueueConfigurations": [OURS | {"Events": before}]}
    [found] = errors(stack_rules(world).check("east"))
    assert found == (
        "error: bucket east: its notification is out of date: the bucket does not send s3:ObjectRemoved:Delete, "
        "s3:ObjectTagging:*, s3:ObjectAcl:Put, s3:ObjectRetention:Put, s3:ObjectAnnotation:* to the change queue; run "
        "`rules put` again"
    )
    assert stack_rules(world).put("east", RULES).ok
    assert world.configurations["east"] == THEIRS | {"QueueConfigurations": [OURS]}
    assert errors(stack_rules(world).check("east")) == []


def test_where_s3_knows_no_annotation_events_the_others_are_attached(world: MemoryAccount) -> None:
    world.configurations["east"] = THEIRS
    world.unknown_events = {"s3:ObjectAnnotation:*"}
    for done in ("attached its other events, through an event notification",
                 "its other events already arrive, through an event notification"):  # fmt: skip
        result = stack_rules(world).put("east", RULES)
        assert (result.ok, result.done[-1]) == (True, done)
        assert warnings(result) == [
            "warning: bucket east: S3 knows no events of annotations there, so annotations that are changed later are "
            "replicated only with another change of the same version"
        ]
    [ours] = world.configurations["east"]["QueueConfigurations"]
    assert ours["Events"] == list(EVENTS[:-1])
    assert warnings(stack_rules(world).check("east")) == warnings(result)
    assert errors(stack_rules(world).check("east")) == []
    world.unknown_events = set()
    assert warnings(stack_rules(world).put("east", RULES)) == []
    assert world.configurations["east"] == THEIRS | {"QueueConfigurations": [OURS]}


def test_another_invalid_argument_is_reported_as_it_is(world: MemoryAccount) -> None:
    world.unknown_events = {"s3:ObjectCreated:*"}
    [found] = errors(stack_rules(world).put("east", RULES))
    assert "no events arrive yet" in found
    assert "s3:PutBucketNotification failed with InvalidArgument" in found


def test_forcing_does_not_disturb_somebody_elses_notification(world: MemoryAccount) -> None:
    world.configurations["east"] = TAKEN
    result = stack_rules(world).put("east", RULES, force=True)
    assert len(errors(result)) == 1
    assert world.configurations["east"] == TAKEN


def test_a_notification_that_somebody_replaced_at_the_same_time_is_told(world: MemoryAccount) -> None:
    world.configurations["east"] = THEIRS
    world.somebody_else = {"QueueConfigurations": [OURS]}
    (found,) = errors(stack_rules(world).put("east", RULES))
    assert "arn:t" in found
    assert "add it again" in found


@pytest.mark.parametrize(
    ("call", "subject", "stored"),
    [
        ("write", "rules of east: cannot be stored", False),
        ("read", "rules of east: cannot be stored", False),
        ("set", "bucket east: the rules are stored, but no events arrive yet", True),
    ],
)
def test_a_refusal_of_aws_while_putting_says_what_to_do(
    world: MemoryAccount, call: str, subject: str, stored: bool
) -> None:
    world.failing[call] = "AccessDenied"
    (found,) = errors(stack_rules(world).put("east", RULES))
    assert subject in found
    assert "allow your credentials s3:" in found
    assert ("east" in world.documents) is stored


@pytest.mark.parametrize("call", ["notifications", "policy"])
def test_what_may_not_be_looked_at_is_a_warning(world: MemoryAccount, call: str) -> None:
    stack_rules(world).put("east", RULES)
    world.failing[call] = "AccessDenied"
    result = stack_rules(world).check("east")
    assert any("allow your credentials" in each for each in warnings(result))
    assert errors(result) == []


def test_the_events_of_another_accounts_bucket_are_that_accounts_to_send(world: MemoryAccount) -> None:
    world.failing["set"] = "AccessDenied"
    result = stack_rules(world, replace(STACK, sources_account="222222222222")).put("east", RULES)
    assert errors(result) == []
    [found] = [each for each in warnings(result) if "account 222222222222 must send its events" in each]
    assert "s3:PutBucketNotification failed here" in found
    assert "stored the rules" in result.done


def test_delete_detaches_then_removes_the_rules(world: MemoryAccount) -> None:
    world.configurations["east"] = THEIRS
    stack_rules(world).put("east", RULES)
    world.calls.clear()
    result = stack_rules(world).delete("east")
    assert (result.ok, result.done) == (True, ["detached its events", "removed the rules"])
    assert world.writes == ["set", "remove"]
    assert (world.documents, world.configurations["east"]) == ({}, THEIRS)


@pytest.mark.parametrize("call", range(6))
def test_a_delete_that_is_killed_anywhere_is_finished_by_the_next_one(world: MemoryAccount, call: int) -> None:
    stack_rules(world).put("east", RULES)
    world.calls.clear()
    world.crash_at = call
    try:
        stack_rules(world).delete("east")
    except Crash:
        world.crash_at = None
        attached = bool(world.configurations["east"])
        assert not attached or "east" in world.documents
        assert stack_rules(world).delete("east").ok
    assert (world.documents, world.configurations["east"]) == ({}, {})


def test_delete_can_be_run_again(world: MemoryAccount) -> None:
    result = stack_rules(world).delete("east")
    assert (result.ok, result.done, world.writes) == (True, ["there were no rules"], [])


def test_delete_leaves_what_the_template_attached_and_says_so(world: MemoryAccount) -> None:
    template = {"QueueConfigurations": [{"Id": "x", "QueueArn": QUEUE, "Events": [event]} for event in EVENTS]}
    world.configurations["east"] = template
    stack_rules(world).put("east", RULES)
    result = stack_rules(world).delete("east")
    assert world.configurations["east"] == template
    assert "still sends events" in warnings(result)[0]


def test_delete_says_that_the_default_rule_applies_again(world: MemoryAccount) -> None:
    stack_rules(world).put("east", RULES)
    assert "default rule applies again" in warnings(stack_rules(world, DEFAULTS).delete("east"))[0]


def test_delete_removes_the_rules_of_a_bucket_that_is_gone(world: MemoryAccount) -> None:
    stack_rules(world).put("east", RULES)
    world.failing["notifications"] = "NoSuchBucket"
    assert stack_rules(world).delete("east").ok
    assert world.documents == {}


@pytest.mark.parametrize("call", ["notifications", "set"])
def test_a_delete_that_may_not_detach_keeps_the_rules(world: MemoryAccount, call: str) -> None:
    stack_rules(world).put("east", RULES)
    world.failing[call] = "AccessDenied"
    (found,) = errors(stack_rules(world).delete("east"))
    assert "nothing was changed" in found
    assert "east" in world.documents


def test_get_returns_the_stored_rules_or_the_default_or_nothing(world: MemoryAccount) -> None:
    assert stack_rules(world).get("east") is None
    default = stack_rules(world, DEFAULTS).get("east")
    assert default is not None
    assert json.loads(default) == default_document("west")
    assert stack_rules(world, DEFAULTS).get("other") is None
    stack_rules(world).put("east", RULES)
    assert stack_rules(world, DEFAULTS).get("east") == world.documents["east"]


def test_check_changes_nothing_and_finds_nothing_after_a_put(world: MemoryAccount) -> None:
    stack_rules(world).put("east", RULES)
    world.calls.clear()
    result = stack_rules(world).check("east")
    assert (errors(result), world.writes) == ([], [])


def test_check_finds_events_that_are_not_attached_any_more(world: MemoryAccount) -> None:
    stack_rules(world).put("east", RULES)
    world.configurations["east"] = THEIRS
    assert "run `rules put` again" in errors(stack_rules(world).check("east"))[0]


def test_check_of_a_file_looks_at_everything_but_does_not_ask_for_attached_events(world: MemoryAccount) -> None:
    assert stack_rules(world).check("east", RULES).ok
    world.add("west", region="us-west-2", versioning="Disabled")
    assert not stack_rules(world).check("east", RULES).ok
    assert world.writes == []


def test_check_without_rules_is_an_error(world: MemoryAccount) -> None:
    assert "none are stored" in errors(stack_rules(world).check("east"))[0]


def test_check_tells_when_the_stored_rules_cannot_be_read(world: MemoryAccount) -> None:
    world.failing["read"] = "AccessDenied"
    assert "allow your credentials s3:GetObject on bucket control" in errors(stack_rules(world).check("east"))[0]


def test_buckets_with_rules_include_the_default_one(world: MemoryAccount) -> None:
    world.documents["z"] = RULES
    assert stack_rules(world).buckets() == ("z",)
    assert stack_rules(world, DEFAULTS).buckets() == ("east", "z")
