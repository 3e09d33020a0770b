"""Which echoes invoke functions, and how `rules put` and `rules check` see to it that none does."""

import json
from dataclasses import replace
from typing import Any

import pytest
from replicator.aws.rule_shape import shape_problems
from s3replicator.bucket_notifications import attach
from s3replicator.findings import Severity
from s3replicator.rules.event_filter import LONGEST_PATTERN, criteria, writers_of
from s3replicator.rules.peers import ATTEMPTS, SECONDS_BETWEEN, Peers
from s3replicator.rules.result import RulesResult
from s3replicator.rules.stack_rules import StackRules
from s3replicator.stack_facts import StackFacts

from tests.fakes.account import MemoryAccount
from tests.unit.rule_documents import newer

ACCOUNT = "111122223333"
RULES = json.dumps({"Rules": [newer(ID="all")]}).encode()


def stack(name: str, region: str, role: str) -> StackFacts:
    return StackFacts(
        name=name,
        region=region,
        account=ACCOUNT,
        control_bucket="control",
        change_queue_url=f"https://{name}",
        change_queue_arn=f"arn:aws:sqs:{region}:{ACCOUNT}:{name}-changes",
        source_buckets=frozenset({"east"}),
        destination_buckets=frozenset({"west"}),
        writers=(f"{role}:{name}-replicate", f"{role}:{name}-batch"),
        replicate_function=f"{name}-replicate",
    )


PROD, BACK = stack("prod", "us-east-1", "AROAPROD"), stack("back", "us-west-2", "AROABACK")
ELSEWHERE = "arn:aws:sqs:us-west-2:999999999999:changes"


def notifying(*queues: str) -> dict[str, Any]:
    return {
        "QueueConfigurations": [{"Id": each, "QueueArn": each, "Events": ["s3:ObjectCreated:*"]} for each in queues]
    }


@pytest.fixture
def world() -> MemoryAccount:
    """Return two stacks in opposite directions. Neither drops the echoes of the other."""
    world = MemoryAccount()
    world.add("east", region="us-east-1", versioning="Enabled")
    world.add("west", region="us-west-2", versioning="Enabled")
    world.configurations["west"] = notifying(BACK.change_queue_arn)
    world.stacks[BACK.change_queue_arn] = BACK
    for each in (PROD, BACK):
        world.filters[each.change_queue_arn] = criteria(each.writers)
    return world


class Waiting:
    """Counts the seconds that a command waited."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, seconds: float) -> None:
        self.seconds += seconds


def commands(world: MemoryAccount, wait: Waiting | None = None) -> StackRules:
    return StackRules(PROD, world, world, shape_problems, Peers(PROD, world, world, wait or Waiting()))


def put(world: MemoryAccount, wait: Waiting | None = None) -> RulesResult:
    return commands(world, wait).put("east", RULES)


def check(world: MemoryAccount) -> list[str]:
    """Return what `rules check` finds, once rules are stored."""
    world.documents["east"] = RULES
    world.configurations["east"] = attach({}, PROD.change_queue_arn, PROD.name, event_bridge=False).wanted or {}
    found = commands(world).check("east").findings
    assert {each.severity for each in found} <= {Severity.WARNING, Severity.ERROR}
    return [str(each) for each in found if "versioning" not in each.message]


def warnings(result: RulesResult) -> list[str]:
    return [str(each) for each in result.findings if each.severity is Severity.WARNING]


def known(world: MemoryAccount, of: StackFacts) -> tuple[str, ...] | None:
    return writers_of(world.filters[of.change_queue_arn])


def test_put_lets_each_side_drop_the_echoes_of_the_other(world: MemoryAccount) -> None:
    result = put(world)
    assert (result.ok, warnings(result)) == (True, [])
    assert known(world, PROD) == (*PROD.writers, *BACK.writers)
    assert known(world, BACK) == (*BACK.writers, *PROD.writers)
    assert result.done[-2:] == [
        "prod in us-east-1 drops echoes of back in us-west-2 from now on",
        "back in us-west-2 drops echoes of prod in us-east-1 from now on",
    ]
    assert check(world) == []


def test_put_again_changes_nothing(world: MemoryAccount) -> None:
    put(world)
    world.calls.clear()
    assert [each for each in put(world).done if "echoes" in each] == []
    assert "replace" not in world.calls


def test_put_keeps_the_writers_that_are_there(world: MemoryAccount) -> None:
    world.filters[PROD.change_queue_arn] = criteria(("AROASTRANGER:stranger", *PROD.writers))
    put(world)
    assert known(world, PROD) == ("AROASTRANGER:stranger", *PROD.writers, *BACK.writers)


def test_check_finds_what_a_deployment_has_reset(world: MemoryAccount) -> None:
    put(world)
    world.filters[PROD.change_queue_arn] = criteria(PROD.writers)
    assert check(world) == [
        "warning: stack prod in us-east-1: the functions of back in us-west-2 are not known to its filter, so each "
        "echo of theirs invokes a function; run `rules put` again"
    ]
    put(world)
    assert check(world) == []


def test_check_finds_that_a_peer_was_deployed_anew(world: MemoryAccount) -> None:
    put(world)
    anew = replace(BACK, writers=tuple(each.replace("AROABACK", "AROANEW") for each in BACK.writers))
    world.stacks[BACK.change_queue_arn] = anew
    world.filters[BACK.change_queue_arn] = criteria((*anew.writers, *PROD.writers))
    assert check(world) == [
        "warning: stack prod in us-east-1: the functions of back in us-west-2 are known by the roles of an earlier "
        "deployment, so each echo of theirs invokes a function; run `rules put` again"
    ]
    put(world)
    assert set(known(world, PROD) or ()) >= {*PROD.writers, *anew.writers}
    assert check(world) == []


def test_check_finds_the_other_side_too(world: MemoryAccount) -> None:
    put(world)
    world.filters[BACK.change_queue_arn] = criteria(BACK.writers)
    [finding] = check(world)
    assert finding.startswith("warning: stack back in us-west-2: the functions of prod in us-east-1 are not known")


def test_a_one_way_destination_needs_no_request_to_lambda(world: MemoryAccount) -> None:
    world.configurations["west"] = {"TopicConfigurations": [{"TopicArn": "arn:t", "Events": ["s3:ObjectCreated:*"]}]}
    assert (put(world).findings, check(world)) == ([], [])
    assert {"stack", "mapping", "replace"} & set(world.calls) == set()


def test_a_queue_that_is_no_change_queue_is_left_alone(world: MemoryAccount) -> None:
    world.stacks.clear()
    assert (put(world).findings, check(world)) == ([], [])


def test_a_destination_of_a_disabled_rule_is_no_peer(world: MemoryAccount) -> None:
    commands(world).put("east", json.dumps({"Rules": [newer(ID="all", Status="Disabled")]}).encode())
    assert known(world, PROD) == PROD.writers


def test_a_queue_of_another_account_cannot_be_seen_unless_peers_are_named(world: MemoryAccount) -> None:
    world.configurations["west"] = notifying(ELSEWHERE)
    unseen = (
        f"warning: bucket west: notifies {ELSEWHERE}, and it cannot be seen whether that is the change queue of "
        "another stack: it is in another account; if it is, give this stack the other's output ReplicatorPrincipals as "
        "parameter PeerPrincipals, and that stack AROAPROD:prod-replicate,AROAPROD:prod-batch as its PeerPrincipals"
    )
    assert (warnings(put(world)), check(world)) == ([unseen], [unseen])
    world.filters[PROD.change_queue_arn] = criteria((*PROD.writers, "AROATHEIRS:theirs-replicate"))
    assert (warnings(put(world)), check(world)) == ([], [])


@pytest.mark.parametrize("call", ["stack", "mapping", "replace"])
def test_what_is_denied_is_a_warning_and_the_rules_are_stored(world: MemoryAccount, call: str) -> None:
    world.failing[call] = "AccessDeniedException"
    result = put(world)
    action = {"stack": "sqs:ListQueueTags", "mapping": "lambda:ListEventSourceMappings"}.get(
        call, "lambda:UpdateEventSourceMapping"
    )
    assert (result.ok, "stored the rules" in result.done) == (True, True)
    assert {f"{action} failed with AccessDeniedException" in each for each in warnings(result)} == {True}
    assert len(check(world)) in {1, 2}


def test_a_destination_whose_notifications_are_denied_is_a_warning(world: MemoryAccount) -> None:
    put(world)
    world.failing["notifications"] = "AccessDenied"
    assert [each for each in check(world) if "whether it is the source of another stack" in each] == [
        "warning: bucket west: cannot read whether it is the source of another stack: s3:GetBucketNotification failed "
        "with AccessDenied; allow your credentials s3:GetBucketNotification on west"
    ]


def test_filters_of_somebody_else_are_left_alone(world: MemoryAccount) -> None:
    theirs = {"Filters": [{"Pattern": '{"body": {"mine": ["x"]}}'}]}
    world.filters[PROD.change_queue_arn] = theirs
    [ours, *_] = warnings(put(world))
    assert ours.startswith("warning: stack prod in us-east-1: its change queue has other filters")
    assert world.filters[PROD.change_queue_arn] == theirs
    assert known(world, BACK) == (*BACK.writers, *PROD.writers)
    assert ours in check(world)


def test_a_full_filter_is_a_warning(world: MemoryAccount) -> None:
    length = LONGEST_PATTERN - len(criteria(PROD.writers)["Filters"][0]["Pattern"]) - len('"AWS:",')
    many = ("x" * length,)
    world.filters[PROD.change_queue_arn] = criteria((*PROD.writers, *many))
    [full] = warnings(put(world))
    assert full == (
        "warning: stack prod in us-east-1: its filter has no room for the functions of back in us-west-2; each echo "
        "of theirs invokes a function"
    )
    assert known(world, PROD) == (*PROD.writers, *many)


def test_what_another_operator_overwrites_at_the_same_time_is_written_again(world: MemoryAccount) -> None:
    theirs = criteria((*PROD.writers, "AROATHIRD:third-replicate"))
    once = iter([theirs])

    def overwrite() -> None:
        world.filters[PROD.change_queue_arn] = next(once, world.filters[PROD.change_queue_arn])

    world.overwrite = overwrite
    assert warnings(put(world)) == []
    assert known(world, PROD) == (*PROD.writers, "AROATHIRD:third-replicate", *BACK.writers)


def test_a_mapping_that_is_being_updated_is_waited_for(world: MemoryAccount) -> None:
    wait = Waiting()
    world.busy = 2
    assert warnings(put(world, wait)) == []
    assert (wait.seconds, known(world, PROD)) == (2 * SECONDS_BETWEEN, (*PROD.writers, *BACK.writers))


def test_but_not_for_ever(world: MemoryAccount) -> None:
    wait = Waiting()
    world.busy = 100
    ours, theirs = warnings(put(world, wait))
    assert "cannot let it drop echoes of back in us-west-2: lambda:UpdateEventSourceMapping" in ours
    assert "cannot let it drop echoes of prod in us-east-1: lambda:UpdateEventSourceMapping" in theirs
    assert wait.seconds == 2 * (ATTEMPTS - 1) * SECONDS_BETWEEN
