"""Athena answers the questions: inventories, and live inventory tables of S3 Metadata, as tables of its catalogs.

Nothing but answers comes to this machine. A query that nobody waits for any more is stopped, since it costs money.
https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecutionStatus.html
https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.verify.inventory.questions import COLUMNS, LAG_SECONDS, Table
from s3replicator.verify.inventory.report import Unusable

T = TypeVar("T")
FIRST_WAIT_MS, LONGEST_WAIT_MS = 500, 5_000
TRIES = 6
"""How often a request is made that Athena throttles, beside the retries of boto3."""
THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException"})
PARTITION = "dt"
DAY = "%Y-%m-%d-%H-%M"
_NUMBERS = frozenset({"tinyint", "smallint", "integer", "int", "bigint"})
_NAME = re.compile(r'[^"@]+|"[^"]+"(?:\."[^"]+")*')

Rows = list[list[Any]]
Columns = Mapping[str, str]
"""The type of each column of an answer."""


@dataclass(frozen=True, slots=True)
class Athena:
    """Queries in one workgroup, whose settings say where results are stored. wait: returns after some milliseconds."""

    client: Any
    workgroup: str
    wait: Callable[[int], None]
    now: Callable[[], int]

    def load(self, bucket: str, text: str) -> Table:
        """Return a table as it is named, DATABASE.TABLE, with @DT for the report of a day. Raises Unusable, CallFailed.

        Keys are taken for encoded if LastModified is text: so it is in tables over CSV, as AWS creates them.
        """
        named, _, day = text.partition("@")
        name = _quoted(named)
        columns, _ = next(self._answer(f"SELECT * FROM {name} LIMIT 0"))  # noqa: S608 - no row, of what the operator names
        if PARTITION in columns and not day:
            raise Unusable(f"{named} has reports of many days; name one: {bucket}={named}@2026-11-27-01-00")
        if day:
            name = f"(SELECT * FROM {name} WHERE {PARTITION} = '{_checked(day)}') AS report"  # noqa: S608
        known = frozenset(column for column in COLUMNS if column in columns)
        if "key" not in known:
            raise Unusable(f"{named} has no column key, so it is no inventory")
        live = self.now() / 1000 - LAG_SECONDS
        taken = datetime.strptime(day, DAY).replace(tzinfo=UTC).timestamp() if day else live
        return Table(bucket, name, known, columns.get("last_modified_date") == "varchar", int(taken))

    def ask(self, question: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield the rows of the answer, a page at a time. Raises Unusable or CallFailed."""
        return (rows for _, rows in self._answer(question))

    def _answer(self, question: str) -> Iterator[tuple[Columns, Rows]]:
        start = partial(self.client.start_query_execution, QueryString=question, WorkGroup=self.workgroup)
        execution = self._asked("athena:StartQueryExecution", start)["QueryExecutionId"]
        self._wait_for(execution)
        token, is_first = "", True
        while is_first or token:
            more = {"NextToken": token} if token else {}
            get = partial(self.client.get_query_results, QueryExecutionId=execution, **more)
            page = self._asked("athena:GetQueryResults", get)
            columns, rows = _read(page["ResultSet"])
            yield columns, rows[1:] if is_first else rows  # the first row has the names of the columns
            token, is_first = page.get("NextToken", ""), False

    def _wait_for(self, execution: str) -> None:
        """Wait until a query has succeeded. Raises Unusable if it has not; whatever else is raised stops it."""
        get, wait = partial(self.client.get_query_execution, QueryExecutionId=execution), FIRST_WAIT_MS
        try:
            while True:
                status = self._asked("athena:GetQueryExecution", get)["QueryExecution"]["Status"]
                if status["State"] not in {"QUEUED", "RUNNING"}:
                    break
                self.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT_MS)
        except BaseException:
            with suppress(CallFailed), calling("athena:StopQueryExecution"):
                self.client.stop_query_execution(QueryExecutionId=execution)
            raise
        if status["State"] != "SUCCEEDED":
            why = status.get("StateChangeReason", "Athena does not say why")
            raise Unusable(f"query {execution} of workgroup {self.workgroup} is {status['State']}: {why}")

    def _asked(self, action: str, request: Callable[[], T]) -> T:
        """Make a request, again after a while if Athena throttles it. Raises CallFailed."""
        for wait in (FIRST_WAIT_MS * 2**tried for tried in range(TRIES - 1)):
            try:
                with calling(action):
                    return request()
            except CallFailed as failed:
                if failed.call.code not in THROTTLED:
                    raise
            self.wait(wait)
        with calling(action):
            return request()


def _quoted(name: str) -> str:
    """Return a table as SQL writes it: names with quotation marks are taken as they are. Raises Unusable."""
    if not _NAME.fullmatch(name) or "." not in name:
        raise Unusable(f"'{name}' is no table of Athena; write DATABASE.TABLE")
    return name if name.startswith('"') else ".".join(f'"{part}"' for part in name.split("."))


def _checked(day: str) -> str:
    try:
        datetime.strptime(day, DAY).replace(tzinfo=UTC)
    except ValueError:
        raise Unusable(f"'{day}' is no partition of an inventory; they are such as 2026-11-27-01-00") from None
    return day


def _read(found: Mapping[str, Any]) -> tuple[Columns, Rows]:
    """Return the columns and the rows of a page, with numbers as numbers, and None for what is NULL."""
    columns = {each["Name"]: each["Type"] for each in found["ResultSetMetadata"]["ColumnInfo"]}
    kinds = list(columns.values())
    cells = ([cell.get("VarCharValue") for cell in row["Data"]] for row in found["Rows"])
    return columns, [[_value(text, kind) for text, kind in zip(row, kinds, strict=True)] for row in cells]


def _value(text: str | None, kind: str) -> str | int | None:
    """Return a value; a number of the row with the names of the columns stays text."""
    is_number = text is not None and kind in _NUMBERS and re.fullmatch(r"-?\d+", text)
    return int(text) if text is not None and is_number else text
