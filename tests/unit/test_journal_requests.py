"""What no emulator can show of the journal's requests: that reads are consistent, and how a refusal is recognised.

A memory from before the last change would lead the next one astray.
"""

from typing import Any

from botocore.exceptions import ClientError
from replicator.aws.journal import DynamoJournal
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Status
from replicator.flows.ports import Earlier

from tests.unit.values import NOON, PAIR


class Table:
    """Has nothing in it, and keeps what it was asked. Its refusals are of a class that no other thread knows."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        return {}

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        refusal: Any = {
            "Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"},
            "Item": {"status": {"S": "COMPLETED"}},
        }
        raise type("ConditionalCheckFailedException", (ClientError,), {})(refusal, "UpdateItem")


def over(table: Table) -> DynamoJournal:
    client: Any = table
    return DynamoJournal(client, "journal")


def test_every_read_is_consistent() -> None:
    table = Table()
    assert over(table).read(PAIR) == Memory()
    assert over(table).earlier(PAIR, "v1") is None
    assert [asked["ConsistentRead"] for asked in table.asked] == [True, True]


def test_a_refusal_is_known_by_its_code() -> None:
    journal = over(Table())
    assert journal.claim_failure(PAIR, "v1", NOON, "one") == Earlier(Status.COMPLETED)
    assert not journal.claim_missed(PAIR, "v1", NOON, "one")
    assert journal.close(PAIR, "v1", NOON) is None
