"""The journal is read consistently: a memory from before the last change would lead the next one astray.

No emulator can tell the difference, so the request itself is looked at.
"""

from typing import Any

from replicator.aws.journal import DynamoJournal
from replicator.core.journal import Memory

from tests.unit.values import PAIR


class Table:
    """Has nothing in it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        return {}


def test_every_read_is_consistent() -> None:
    table = Table()
    client: Any = table
    journal = DynamoJournal(client, "journal")
    assert journal.read(PAIR) == Memory()
    assert journal.earlier(PAIR, "v1") is None
    assert [asked["ConsistentRead"] for asked in table.asked] == [True, True]
