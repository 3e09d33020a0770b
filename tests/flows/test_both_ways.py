"""What `rules put` and `rules check` do about changes at replicas: both sides must agree, and know their queues."""

import json
from dataclasses import replace
from typing import Any

import pytest
from replicator.aws.rule_shape import shape_problems
from s3replicator.bucket_notifications import attach
from s3replicator.findings import Severity
from s3replicator.rules.both_ways import BothWays
from s3replicator.rules.event_filter import criteria
from s3replicator.rules.peers import Peers
from s3replicator.rules.result import RulesResult
from s3replicator.rules.stack_rules import StackRules
from s3replicator.stack_facts import StackFacts

from tests.fakes.account import MemoryAccount
from tests.fakes.peer_files import MemoryPeerFiles
from tests.unit.rule_documents import MODIFICATIONS, newer, to

ACCOUNT = "111122223333"
BACK_TO_EAST = {"Destination": {"Bucket": "arn:aws:s3:::east"}}


def stack(name: str, region: str, source: str, destination: str) -> StackFacts:
    return StackFacts(
        name=name,
        region=region,
        account=ACCOUNT,
        control_bucket=f"{name}-control",
        change_queue_url=f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/{name}-changes",
        change_queue_arn=f"arn:aws:sqs:{region}:{ACCOUNT}:{name}-changes",
        source_buckets=frozenset({source}),
        destination_buckets=frozenset({destination}),
        writers=(f"AROA:{name}-replicate",),
        replicate_function=f"{name}-replicate",
        replica_modifications=True,
        annotation_deletions=True,
    )


PROD, BACK = stack("prod", "us-east-1", "east", "west"), stack("back", "us-west-2", "west", "east")
PLAIN, MODIFYING = newer(ID="there"), newer(ID="there", **MODIFICATIONS)
PLAIN_BACK, MODIFYING_BACK = newer(ID="back", **BACK_TO_EAST), newer(ID="back", **BACK_TO_EAST, **MODIFICATIONS)


def document(*rules: dict[str, Any]) -> bytes:
    return json.dumps({"Rules": list(rules)}).encode()


class World:
    """Two stacks in opposite directions: east is the source of prod, west of back."""

    def __init__(self, ours: StackFacts = PROD, theirs: StackFacts = BACK) -> None:
        self.ours, self.files, self.account = ours, MemoryPeerFiles(), MemoryAccount()
        self.account.add("east", region="us-east-1", versioning="Enabled")
        self.account.add("west", region="us-west-2", versioning="Enabled")
        self.account.configurations["west"] = sending(theirs)
        self.account.stacks[theirs.change_queue_arn] = theirs
        both = (*ours.writers, *theirs.writers)
        self.account.filters = {each.change_queue_arn: criteria(both) for each in (ours, theirs)}

    def theirs(self, *rules: dict[str, Any], stack: StackFacts = BACK) -> None:
        self.files.documents[stack.control_bucket, "west"] = document(*rules)

    def commands(self) -> StackRules:
        peers = Peers(self.ours, self.account, self.account, lambda _: None)
        both_ways = BothWays(self.ours, self.files)
        return StackRules(self.ours, self.account, self.account, shape_problems, peers, None, both_ways)

    def put(self, *rules: dict[str, Any]) -> RulesResult:
        return self.commands().put("east", document(*rules))

    def check(self, *rules: dict[str, Any]) -> RulesResult:
        self.account.documents["east"] = document(*rules)
        self.account.configurations["east"] = sending(self.ours)
        return self.commands().check("east")

    def queues(self, stack: StackFacts, bucket: str) -> Any:
        return json.loads(self.files.records[stack.control_bucket, bucket])["queues"]


def sending(stack: StackFacts) -> Any:
    return attach({}, stack.change_queue_arn, stack.name, event_bridge=False).wanted


def found(result: RulesResult, severity: Severity) -> list[str]:
    return [str(each) for each in result.findings if each.severity is severity]


def test_put_records_on_both_sides_where_changes_at_replicas_are_forwarded() -> None:
    world = World()
    world.theirs(MODIFYING_BACK)
    result = world.put(MODIFYING)
    assert result.findings == []
    assert world.queues(PROD, "east") == {"west": BACK.change_queue_arn}
    assert world.queues(BACK, "west") == {"east": PROD.change_queue_arn}
    assert result.done[-2:] == [
        "prod in us-east-1 knows where to forward changes at replicas in east",
        "back in us-west-2 knows where to forward changes at replicas in west",
    ]
    assert world.check(MODIFYING).findings == []


def test_put_again_writes_no_record() -> None:
    world = World()
    world.theirs(MODIFYING_BACK)
    world.put(MODIFYING)
    assert [each for each in world.put(MODIFYING).done if "forward" in each] == []
    assert world.files.writes == 2


def test_the_other_sides_record_keeps_its_other_queues_and_ours_those_that_cannot_be_seen() -> None:
    world = World()
    world.theirs(PLAIN_BACK)
    world.files.records[BACK.control_bucket, "west"] = b'{"queues": {"south": "https://south"}}'
    world.files.records[PROD.control_bucket, "east"] = b'{"queues": {"gone": "https://gone", "west": "https://old"}}'
    world.put(PLAIN)
    assert world.queues(BACK, "west") == {"south": "https://south", "east": PROD.change_queue_arn}
    assert world.queues(PROD, "east") == {"west": BACK.change_queue_arn}
    world.account.failing["notifications"] = "AccessDenied"
    world.put(PLAIN)
    assert world.queues(PROD, "east") == {"west": BACK.change_queue_arn}


def test_a_stack_that_serves_both_buckets_records_its_own_queue() -> None:
    one = replace(PROD, source_buckets=frozenset({"east", "west"}))
    world = World(one, one)
    world.theirs(MODIFYING_BACK, stack=one)
    assert world.put(MODIFYING).findings == []
    assert world.queues(one, "east") == {"west": one.change_queue_arn}
    assert world.queues(one, "west") == {"east": one.change_queue_arn}


def test_a_one_way_destination_has_no_record() -> None:
    world = World()
    world.account.configurations["west"] = {}
    assert world.put(PLAIN).findings == []
    assert world.files.records == {}


def test_another_sides_rules_to_somewhere_else_need_no_record_there() -> None:
    world = World()
    world.theirs(newer(ID="back", **to(Bucket="arn:aws:s3:::south")))
    world.put(PLAIN)
    assert world.files.records.keys() == {(PROD.control_bucket, "east")}


def test_delete_removes_the_record() -> None:
    world = World()
    world.put(PLAIN)
    assert world.commands().delete("east").ok
    assert world.files.records == {}


@pytest.mark.parametrize(
    ("rule", "severity"), [(PLAIN, Severity.WARNING), (MODIFYING, Severity.ERROR)], ids=["one way", "both ways"]
)
def test_check_finds_records_that_are_missing_or_wrong(rule: dict[str, Any], severity: Severity) -> None:
    world = World()
    world.theirs(MODIFYING_BACK if rule is MODIFYING else PLAIN_BACK)
    world.files.records[PROD.control_bucket, "east"] = b'{"queues": {"west": "https://old"}}'
    assert [each.removeprefix(f"{severity}: ") for each in found(world.check(rule), severity)] == [
        "bucket east: the record of stack prod names another queue to which changes at replicas of west are forwarded; "
        "run `rules put` again",
        "bucket west: the record of stack back does not name the queue to which changes at replicas of east are "
        "forwarded; run `rules put` again",
    ]
    world.files.records[PROD.control_bucket, "east"] = b"{"
    assert len(found(world.check(rule), severity)) == 2


def test_a_record_that_may_not_be_kept_is_a_warning() -> None:
    world = World()
    world.theirs(MODIFYING_BACK)
    world.files.denied = {(BACK.control_bucket, "s3:PutObject")}
    result = world.put(MODIFYING)
    assert (result.ok, found(result, Severity.WARNING)) == (True, [
        "warning: stack back in us-west-2: the record of where changes at replicas in west are forwarded to cannot be "
        "kept: s3:PutObject failed with AccessDenied; allow your credentials s3:PutObject on bucket back-control"
    ])  # fmt: skip


ONE_SIDED = (
    "enables ReplicaModifications, but no rule from {0} to {1} does for the same keys; as in S3, changes at replicas "
    "are replicated only if both do: enable it there too, or disable it here"
)
OURS_ALONE = "warning: rule there: " + ONE_SIDED.format("west", "east")
THEIRS_ALONE = "warning: rule back of west: " + ONE_SIDED.format("east", "west")
ELSEWHERE = {"Filter": {"Prefix": "other/"}}
SIDES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[str]]] = {
    "both": (MODIFYING, [MODIFYING_BACK], []),
    "neither": (PLAIN, [PLAIN_BACK], []),
    "only ours": (MODIFYING, [PLAIN_BACK], [OURS_ALONE]),
    "only theirs": (PLAIN, [MODIFYING_BACK], [THEIRS_ALONE]),
    "no rules there": (MODIFYING, [], [OURS_ALONE]),
    "theirs is disabled": (MODIFYING, [MODIFYING_BACK | {"Status": "Disabled"}], [OURS_ALONE]),
    "for other keys": (MODIFYING | {"Filter": {"Prefix": "a/"}}, [MODIFYING_BACK | ELSEWHERE],
                       [OURS_ALONE, THEIRS_ALONE]),
    "for some of the keys": (MODIFYING, [MODIFYING_BACK | ELSEWHERE], []),
}  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "expected"), SIDES.values(), ids=SIDES)
def test_a_pair_in_which_only_one_side_replicates_modifications_is_found(
    ours: dict[str, Any], theirs: list[dict[str, Any]], expected: list[str]
) -> None:
    world = World()
    world.theirs(*theirs)
    if not theirs:
        world.files.documents.clear()
    put = world.put(ours)
    assert (put.ok, found(put, Severity.WARNING)) == (True, expected)
    assert found(world.check(ours), Severity.WARNING) == expected


def test_the_default_rule_of_the_other_side_counts_and_replicates_no_modifications() -> None:
    theirs = replace(BACK, default_source="west", default_destination="east")
    world = World(theirs=theirs)
    assert found(world.put(MODIFYING), Severity.WARNING) == [OURS_ALONE]
    assert world.queues(theirs, "west") == {"east": PROD.change_queue_arn}


def test_another_stack_that_may_not_forward_is_found() -> None:
    world = World(theirs=replace(BACK, replica_modifications=False))
    world.theirs(MODIFYING_BACK)
    assert found(world.put(MODIFYING), Severity.WARNING) == [
        "warning: stack back in us-west-2: may not forward changes at replicas in west, nor change versions there: "
        "deploy it with ReplicaModifications=true"
    ]


def test_a_destination_that_nobody_replicates_back_is_found() -> None:
    world = World()
    world.account.configurations["west"] = {}
    assert found(world.put(MODIFYING), Severity.WARNING) == [
        "warning: bucket west: no stack of this account replicates it, so nobody forwards changes at its replicas to "
        "their source: put rules for it, to east and with ReplicaModifications, or disable ReplicaModifications"
    ]


@pytest.mark.parametrize("what", ["the rules", "the notification", "a document that does not parse"])
def test_what_cannot_be_seen_of_the_other_side_is_a_warning(what: str) -> None:
    world = World()
    world.theirs(MODIFYING_BACK)
    if what == "the rules":
        world.files.denied = {(BACK.control_bucket, "s3:GetObject")}
    elif what == "the notification":
        world.account.configurations["west"] = sending(replace(BACK, change_queue_arn="arn:aws:sqs:us-west-2:999:q"))
    else:
        world.files.documents[BACK.control_bucket, "west"] = b"{"
    unseen = "bucket west: it cannot be seen whether rules from it to east enable ReplicaModifications as well"
    assert [each for each in found(world.put(MODIFYING), Severity.WARNING) if unseen in each] != []


@pytest.mark.parametrize("parameter", ["ReplicaModifications", "AnnotationDeletions"])
def test_what_the_stacks_functions_may_not_do_is_an_error_and_nothing_is_stored(parameter: str) -> None:
    field = "replica_modifications" if parameter == "ReplicaModifications" else "annotation_deletions"
    lacking: Any = {field: False}
    world = World(replace(PROD, **lacking))
    world.theirs(MODIFYING_BACK)
    rule = MODIFYING | {"ReplicatorOptions": {"AnnotationDeletions": "Enabled"}}
    result = world.put(rule)
    assert found(result, Severity.ERROR) == [
        f"error: rule there: enables {parameter}, which the stack's functions may not do: deploy prod with "
        f"{parameter}=true"
    ]
    assert (world.account.writes, world.files.writes) == ([], 0)
    assert world.put(rule | {"Status": "Disabled"}).ok


def test_with_owner_override_it_is_said_that_acls_are_left_alone() -> None:
    world = World()
    world.theirs(MODIFYING_BACK)
    override = to(Account=ACCOUNT, AccessControlTranslation={"Owner": "Destination"})
    assert found(world.put(MODIFYING | override), Severity.WARNING) == [
        "warning: rule there: replicas belong to the destination's account, so ACLs that are changed later are left "
        "alone"
    ]
