"""What no emulator can show of requests to the journal table: consistent reads, refusals, and what is stored as what.

With an eventually consistent read, a handler could decide on the memory from before the last change.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from botocore.exceptions import ClientError
from replicator.aws.journal import DynamoJournal
from replicator.aws.journal_index import JournalIndex
from replicator.aws.table import SHARDS, bucket_and_key, object_of
from replicator.aws.upload_journal import DynamoUploadJournal
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.parts.parts import cut_evenly
from replicator.core.parts.uploads import CopySource, Failure, Upload
from replicator.flows.ports import Earlier, Note, Waiting

from tests.unit.values import NOON, PAIR, origin_of, replica


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


class WillingTable(Table):
    """Takes every write, and has its items on two pages."""

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        return {}

    def query(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        return {"Items": []} if "ExclusiveStartKey" in arguments else {"Items": [], "LastEvaluatedKey": {"page": 1}}


def over(table: Table) -> DynamoJournal:
    client: Any = table
    return DynamoJournal(client, "journal")


def test_every_read_is_consistent() -> None:
    table = Table()
    assert over(table).read(PAIR) == Memory()
    assert over(table).earlier(PAIR, "v1") is None
    assert [asked["ConsistentRead"] for asked in table.asked] == [True, True]


class BusyTable(Table):
    """Has an entry for every tenth key, and leaves every seventh one unprocessed."""

    def batch_get_item(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        keys = arguments["RequestItems"]["journal"]["Keys"]
        left = [key for key in keys if int(key["object"]["S"].rpartition("/")[2]) % 7 == 0]
        found = [{**key, "generation": {"N": "1"}} for key in keys if key not in left and key["object"]["S"][-1] == "0"]
        unprocessed = {"UnprocessedKeys": {"journal": {"Keys": left}}} if left else {}
        return {"Responses": {"journal": found}, **unprocessed}


def test_entries_are_read_a_hundred_at_a_time_and_those_left_unprocessed_are_not_taken_for_new_ones() -> None:
    table = BusyTable()
    pairs = [Pair("east", "west", str(number)) for number in range(250)]
    read = over(table).read_all(pairs)
    requests = [asked["RequestItems"]["journal"] for asked in table.asked]
    assert [len(request["Keys"]) for request in requests] == [100, 100, 50]
    assert all(request["ConsistentRead"] for request in requests)
    assert {int(pair.key): memory.generation for pair, memory in read.items()} == {
        number: int(number % 10 == 0) for number in range(250) if number % 7
    }


def test_a_refusal_is_known_by_its_code() -> None:
    journal = over(Table())
    assert journal.claim_failure(PAIR, "v1", NOON, "one") == Earlier(Status.COMPLETED)
    assert not journal.claim_missed(PAIR, "v1", NOON, "one")
    assert journal.close(PAIR, "v1", NOON) is None


def uploads_over(table: Table) -> DynamoUploadJournal:
    client: Any = table
    return DynamoUploadJournal(client, "journal")


def stored(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what an update sets, by the names of the attributes."""
    names, values = asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"]
    sets = asked["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")[0].partition(" ADD ")[0]
    pairs = (each.split(" = ") for each in sets.split(", "))
    return {names[name]: values[value] for name, value in pairs}


def key(target: str) -> dict[str, Any]:
    return {"object": {"S": "east/photos/1.jpg"}, "target": {"S": target}}


def test_a_memory_is_stored_under_its_destination() -> None:
    table = WillingTable()
    after = Memory(4, replica("w1", origin_of("v1")), "0A", ("v1",))
    assert over(table).settle(PAIR, Memory(3), after, Note("rule", 7, NOON, 1, NOON * 1000))
    assert table.asked[0]["Key"] == key("west")
    assert table.asked[0]["ConditionExpression"] == "generation = :seen"
    assert stored(table.asked[0]) == {
        "generation": {"N": "4"},
        "top": {"M": {"version_id": {"S": "w1"}, "etag": {"S": '"w1"'}, "origin": {"M": {
            "bucket": {"S": "east"}, "version_id": {"S": "v1"}, "modified": {"N": str(NOON)}}}}},
        "sequencer": {"S": "0A"},
        "settled": {"L": [{"S": "v1"}]},
        "rule": {"S": "rule"},
        "size": {"N": "7"},
        "first_seen": {"N": str(NOON)},
        "attempts": {"N": "1"},
        "status": {"S": "COMPLETED"},
        "completed": {"N": str(NOON * 1000)},
        "expires_at": {"N": str(NOON + 45 * 24 * 3600)},
    }  # fmt: skip


def test_a_version_that_waits_is_stored_in_the_index() -> None:
    table = WillingTable()
    note = Note("rule", 7, NOON, 2)
    over(table).wait(PAIR, Waiting(Status.PENDING, Reason.THROTTLED, "why", "v1", note, 900_000, NOON, receives=2))
    assert table.asked[0]["Key"] == key("west#v1")
    assert stored(table.asked[0]) == {
        "status": {"S": "PENDING"},
        "waiting": {"S": "PENDING#5"},
        "reason": {"S": "Throttled"},
        "detail": {"S": "why"},
        "version_id": {"S": "v1"},
        "marker": {"BOOL": False},
        "destination": {"S": "west"},
        "rule": {"S": "rule"},
        "size": {"N": "7"},
        "first_seen": {"N": str(NOON)},
        "threshold": {"N": "900000"},
        "attempts": {"N": "2"},
        "due": {"N": str(NOON)},
        "begun": {"N": "0"},
        "finished": {"N": "2"},
    }


UPLOAD = Upload("u1", CopySource("east", "photos/1.jpg", "v1", '"e"'), "acc", cut_evenly(20_000_000, 3), 16, "v1",
                "rule", NOON * 1000, NOON)  # fmt: skip


def test_an_upload_is_stored_with_all_that_its_parts_need() -> None:
    table = WillingTable()
    assert uploads_over(table).open(PAIR, UPLOAD) == UPLOAD
    assert table.asked[0]["Key"] == key("west#upload#v1/east/v1")
    assert table.asked[0]["ConditionExpression"] == "attribute_not_exists(upload)"
    assert table.asked[0]["UpdateExpression"].endswith(" REMOVE failed_by, reason, detail")
    assert stored(table.asked[0]) == {
        "upload": {"S": "u1"},
        "waiting": {"S": "UPLOAD"},
        "first_seen": {"N": str(NOON * 1000)},
        "expires_at": {"N": str(NOON + 45 * 24 * 3600)},
        "destination": {"S": "west"},
        "source_bucket": {"S": "east"},
        "version_id": {"S": "v1"},
        "etag": {"S": '"e"'},
        "account": {"S": "acc"},
        "cut": {"S": str(UPLOAD.cut)},
        "per_message": {"N": "16"},
        "change_id": {"S": "v1"},
        "rule": {"S": "rule"},
        "begun": {"N": str(NOON)},
        "onto": {"S": ""},
        "sent": {"BOOL": False},
    }


def test_an_upload_is_changed_only_as_long_as_it_is_the_one_that_counts() -> None:
    table = WillingTable()
    journal = uploads_over(table)
    journal.sent(PAIR, UPLOAD.ref)
    journal.fail(PAIR, UPLOAD.ref, Failure(Reason.CHECKSUM, "why", "message"))
    journal.retire(PAIR, UPLOAD.ref)
    journal.end(PAIR, UPLOAD.ref)
    sent, failed, retired, ended = table.asked
    assert {asked["ConditionExpression"].partition(" AND ")[0] for asked in table.asked} == {"upload = :upload"}
    assert all(asked["ExpressionAttributeValues"][":upload"] == {"S": "u1"} for asked in table.asked)
    assert stored(sent) == {"sent": {"BOOL": True}}
    assert stored(failed) == {
        "failed_by": {"S": "message"},
        "reason": {"S": "ChecksumMismatch"},
        "detail": {"S": "why"},
    }
    assert (retired["UpdateExpression"], ended["UpdateExpression"]) == ("REMOVE waiting", "REMOVE upload, waiting")
    assert "ExpressionAttributeNames" not in ended, "DynamoDB takes no empty map"


def partitions(table: Table) -> Iterator[str]:
    """Yield the partitions that were read; each must have been read to its second page."""
    for first, second in pairwise(table.asked):
        if "ExclusiveStartKey" not in first:
            assert second == {**first, "ExclusiveStartKey": {"page": 1}}
            yield first["ExpressionAttributeValues"][":partition"]["S"]


def test_the_index_is_read_partition_by_partition_to_the_last_page() -> None:
    table = WillingTable()
    client: Any = table
    for read in JournalIndex(client, "journal", 0).shards(Status.FAILED):
        assert list(read()) == []
    assert list(uploads_over(table).under_way()) == []
    assert list(partitions(table)) == [*(f"FAILED#{number}" for number in range(SHARDS)), "UPLOAD"]
    assert {asked["IndexName"] for asked in table.asked} == {"ByAge"}


def test_all_uploads_of_a_pair_are_read_consistently() -> None:
    table = WillingTable()
    assert uploads_over(table).of(PAIR) == []
    asked = table.asked[0]
    assert asked["ConsistentRead"]
    assert asked["ExpressionAttributeValues"] == {
        ":object": {"S": "east/photos/1.jpg"},
        ":target": {"S": "west#upload#"},
    }


def test_a_partition_key_names_its_bucket_and_key_whatever_is_in_the_key() -> None:
    assert bucket_and_key(object_of(PAIR)) == (PAIR.source, PAIR.key)
    assert bucket_and_key("east//a/#") == ("east", "/a/#")
