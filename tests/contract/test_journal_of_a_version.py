"""What is recorded of one version and its later changes, found by its id: in the fake and in the adapter."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from replicator.aws.journal import DynamoJournal
from replicator.core.aspects.base import Agreement, agreed
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.outcomes.parking import Parked
from replicator.core.versions.change import UNNAMED, Change, ChangeKind
from replicator.flows.ports import Journal, Note, Waiting

from tests.fakes.journal import MemoryJournal

NOON = 1_700_000_000_000
NOTE = Note("rule", 5, NOON, 1, NOON + 1000)
PAIR = Pair("east", "west", "")
ALIKE = (replace(PAIR, destination="west-2"), replace(PAIR, source="east-2"))
_numbers = count(1)


@pytest.fixture(scope="module")
def table(server: Any) -> DynamoJournal:
    plain, clients = server
    keys = (("object", "HASH"), ("target", "RANGE"))
    plain.client("dynamodb").create_table(
        TableName="of versions",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
    )
    return DynamoJournal(clients.dynamodb(), "of versions")


@pytest.fixture(params=["memory", "emulator"])
def journal(request: pytest.FixtureRequest) -> Journal:
    return MemoryJournal() if request.param == "memory" else request.getfixturevalue("table")


@pytest.fixture
def pair() -> Pair:
    return replace(PAIR, key=f"key {next(_numbers)} ü/#")


def item(kind: ChangeKind, version_id: str = "v1", **fields: Any) -> str:
    return Change(kind, "east", "k", version_id, NOON, **fields).item_id


def waits(journal: Journal, pair: Pair, item_id: str, status: Status = Status.PENDING, **fields: Any) -> None:
    reason = Reason.THROTTLED if status is Status.PENDING else Reason.DST_PUT_TAGS_DENIED
    journal.wait(pair, Waiting(status, reason, "why", item_id, NOTE, 900_000, **fields))


def test_a_version_and_its_later_changes_are_found_and_say_how_they_stand(journal: Journal, pair: Pair) -> None:
    content, tags, acl = item(ChangeKind.CREATED), item(ChangeKind.TAGS), item(ChangeKind.ACL, seen_at="west")
    waits(journal, pair, content)
    journal.close(pair, content, NOON)
    waits(journal, pair, tags, Status.FAILED)
    waits(journal, pair, acl, parked=Parked(NOON + 5000, "body", tried=True))
    found = journal.recorded(pair, "v1")
    assert {name: (each.status, each.reason, each.release_at) for name, each in found.items()} == {
        content: (Status.COMPLETED, None, 0),
        tags: (Status.FAILED, Reason.DST_PUT_TAGS_DENIED, 0),
        acl: (Status.PENDING, Reason.THROTTLED, NOON + 5000),
    }


def test_other_versions_pairs_and_items_are_not_found(journal: Journal, pair: Pair) -> None:
    for name in ("v10", "v2", "null"):
        waits(journal, pair, item(ChangeKind.TAGS, name))
    for other in ALIKE:
        waits(journal, replace(other, key=pair.key), item(ChangeKind.TAGS))
    journal.settle(pair, Memory(), Memory(1), NOTE)
    journal.keep_agreement(pair, "v1", Agreement({"tags": agreed("x")}))
    assert journal.recorded(pair, "v1") == {}


def test_changes_whose_events_named_no_version_are_found_by_themselves(journal: Journal, pair: Pair) -> None:
    unnamed = item(ChangeKind.TAGS, UNNAMED)
    waits(journal, pair, unnamed)
    waits(journal, pair, item(ChangeKind.TAGS))
    assert [*journal.recorded(pair, UNNAMED)] == [unnamed]


def test_a_null_version_is_found_whenever_it_was_written(journal: Journal, pair: Pair) -> None:
    written, tagged = item(ChangeKind.CREATED, "null"), item(ChangeKind.TAGS, "null")
    waits(journal, pair, written)
    waits(journal, pair, tagged)
    assert {*journal.recorded(pair, "null")} == {written, tagged}
