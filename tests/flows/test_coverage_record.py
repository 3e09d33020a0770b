"""What `rules put` and `rules delete` record of versions that are older than the events, and in which order."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from replicator.aws.rule_shape import shape_problems
from replicator.core.rules.coverage import Coverage, Record, read_record, record_text
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.findings import Severity
from s3replicator.rules.coverage import CoverageKeeper
from s3replicator.rules.peers import Peers
from s3replicator.rules.stack_rules import StackRules
from s3replicator.stack_facts import StackFacts

from tests.fakes.account import MemoryAccount
from tests.unit.rule_documents import newer

NOON = "2026-11-01T12:00:00+00:00"
STACK = StackFacts(
    name="prod",
    region="us-east-1",
    account="111122223333",
    control_bucket="control",
    change_queue_url="https://queue",
    change_queue_arn="arn:aws:sqs:us-east-1:111122223333:changes",
    source_buckets=frozenset({"east"}),
    destination_buckets=frozenset({"west", "north"}),
)
DEFAULTS = replace(STACK, default_source="east", default_destination="west")
WEST, NORTH = {"Bucket": "arn:aws:s3:::west"}, {"Bucket": "arn:aws:s3:::north"}
EMPTY, HAD = Coverage(NOON, had_versions=False), Coverage(NOON, had_versions=True)


@dataclass
class Records:
    """The records in memory. order: each call, with those of the account. failing: the calls that are denied."""

    account: MemoryAccount
    texts: dict[str, bytes] = field(default_factory=dict)
    versions: bool = False
    failing: set[str] = field(default_factory=set)

    def read(self, bucket: str) -> bytes | None:
        self._call("read record")
        return self.texts.get(bucket)

    def write(self, bucket: str, text: bytes) -> None:
        self._call("write record")
        self.texts[bucket] = text

    def remove(self, bucket: str) -> None:
        self._call("remove record")
        del self.texts[bucket]

    def has_versions(self, bucket: str) -> bool:
        self._call("list versions")
        return self.versions

    def _call(self, name: str) -> None:
        self.account.calls.append(name)
        if name in self.failing:
            raise CallFailed(FailedCall("s3:Something", "AccessDenied"))


@dataclass
class Place:
    """A stack's rules with its records."""

    account: MemoryAccount
    records: Records
    created: tuple[str, str] = ("", "")
    defaults: bool = False

    def rules(self) -> StackRules:
        keeper = CoverageKeeper(self.records, self.records.has_versions, lambda: NOON, self.created)
        stack = DEFAULTS if self.defaults else STACK
        peers = Peers(stack, self.account, self.account, lambda _: None)
        return StackRules(stack, self.account, self.account, shape_problems, peers, keeper)

    def put(self, *rules: dict[str, Any]) -> list[str]:
        """Put rules; return the warnings about what was recorded."""
        document = json.dumps({"Role": "r", "Rules": list(rules)}).encode()
        result = self.rules().put("east", document, force=True)
        found = [each.message for each in result.findings if each.severity is Severity.WARNING]
        return [each for each in found if "versions" in each]

    @property
    def record(self) -> Record:
        return read_record(self.records.texts["east"])


@pytest.fixture
def place() -> Place:
    account = MemoryAccount()
    account.add("east", region="us-east-1", versioning="Enabled")
    for name in ("west", "north"):
        account.add(name, region="us-west-2", versioning="Enabled")
    account.queue_takes = True
    return Place(account, Records(account))


def one(name: str, priority: int, prefix: str = "", to: dict[str, Any] = WEST, **fields: Any) -> dict[str, Any]:
    return newer(ID=name, Priority=priority, Filter={"Prefix": prefix}, Destination=to, **fields)


def test_destinations_of_a_source_without_versions_are_complete(place: Place) -> None:
    assert place.put(one("a", 1)) == []
    assert place.record == {"west": EMPTY}


def test_a_source_that_has_versions_is_a_warning_and_a_record(place: Place) -> None:
    place.records.versions = True
    [warned] = place.put(one("a", 1))
    assert "west may lack" in warned
    assert place.record == {"west": HAD}


def test_versions_are_looked_for_after_the_events_are_attached(place: Place) -> None:
    """The other way round, what is written in between would have neither an event nor a place in the record."""
    place.put(one("a", 1))
    calls = place.account.calls
    assert calls.index("set") < calls.index("list versions") < calls.index("write record")


def test_putting_the_same_rules_again_changes_no_record(place: Place) -> None:
    place.put(one("a", 1))
    place.records.versions = True
    assert place.put(one("a", 1)) == []
    assert place.account.calls.count("write record") == 1


def test_what_was_verified_stays_verified(place: Place) -> None:
    place.put(one("a", 1))
    verified = {"west": Coverage(NOON, had_versions=True, verified=NOON)}
    place.records.texts["east"] = record_text(verified)
    assert place.put(one("a", 1), one("b", 2, to=NORTH)) == []
    assert place.record == verified | {"north": EMPTY}


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [([one("a", 1, "x/")], [one("a", 1, "x/y/")], True),
     ([one("a", 1, "x/")], [one("a", 1)], False),
     ([one("a", 1)], [one("a", 1), one("b", 2, "logs/")], True),
     ([one("a", 1, "x/")], [one("a", 1, "x/"), one("b", 2, "y/")], False),
     ([one("a", 1, "x/", Status="Disabled"), one("b", 2, "y/")], [one("a", 1, "x/"), one("b", 2, "y/")], False),
     ([one("a", 1)], [one("a", 1, DeleteMarkerReplication={"Status": "Enabled"})], False),
     ([one("a", 1), one("b", 2, "x/", DeleteMarkerReplication={"Status": "Enabled"})], [one("a", 1)], False)],
    ids=["a longer prefix", "a shorter prefix", "a rule within another", "one more prefix", "a rule that was disabled",
         "delete markers too", "the rule that hid another one is gone"],
)  # fmt: skip
def test_rules_that_select_more_begin_a_new_record(
    place: Place, before: list[dict[str, Any]], after: list[dict[str, Any]], kept: bool
) -> None:
    place.put(*before)
    place.records.versions = True
    place.put(*after)
    assert place.record == {"west": EMPTY if kept else HAD}


def test_what_new_rules_select_in_addition_is_struck_before_they_are_stored(place: Place) -> None:
    place.put(one("a", 1, "x/"))
    place.account.calls.clear()
    place.put(one("a", 1))
    calls = place.account.calls
    assert calls.index("write record") < calls.index("write")


def test_rules_are_not_stored_if_the_record_would_prove_too_much(place: Place) -> None:
    place.put(one("a", 1, "x/"))
    stored = place.account.documents["east"]
    place.records.failing = {"write record"}
    place.put(one("a", 1))
    assert place.account.documents["east"] == stored


def test_a_record_that_cannot_be_made_is_a_warning(place: Place) -> None:
    place.records.failing = {"list versions"}
    [warned] = place.put(one("a", 1))
    assert "failover check" in warned
    assert place.records.texts == {}


def test_a_disabled_rule_has_no_record(place: Place) -> None:
    place.put(one("a", 1, Status="Disabled"))
    assert place.records.texts == {}


def test_deleting_rules_removes_the_record_before_events_stop(place: Place) -> None:
    place.put(one("a", 1))
    place.account.calls.clear()
    place.rules().delete("east")
    assert place.records.texts == {}
    assert place.account.calls.index("remove record") < place.account.calls.index("set")


def test_rules_of_a_bucket_that_the_stack_created_keep_what_its_default_rule_covered(place: Place) -> None:
    place.created, place.defaults = ("east", "west"), True
    place.records.versions = True
    place.put(one("a", 1), one("b", 2, to=NORTH))
    assert {name: each.is_complete for name, each in place.record.items()} == {"west": True, "north": False}
