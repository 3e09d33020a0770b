"""Queries on Athena: waited for, read page by page, tried again when they are throttled, stopped when nobody waits."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from s3replicator.failed_calls import CallFailed
from s3replicator.verify.inventory.athena import TRIES, Athena
from s3replicator.verify.inventory.report import Unusable

COLUMNS = [{"Name": "key", "Type": "varchar"}, {"Name": "keys", "Type": "bigint"}]


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "operation")


class Service:
    """Athena's API: a query passes through some states, and has some pages. calls: those made, in order."""

    def __init__(self, *states: str, pages: tuple[list[list[str | None]], ...] = (), reason: str = "") -> None:
        self.states, self.pages, self.reason = iter(states), pages, reason
        self.calls = list[str]()
        self.trouble: Iterator[Exception] = iter(())
        self.started = dict[str, Any]()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if trouble := next(self.trouble, None):
            raise trouble

    def start_query_execution(self, **given: Any) -> dict[str, Any]:
        self._called("start")
        self.started = given
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        self._called("look")
        status = {"State": next(self.states), **({"StateChangeReason": self.reason} if self.reason else {})}
        return {"QueryExecution": {"Status": status}}

    def get_query_results(self, QueryExecutionId: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        self._called("read")
        number = int(NextToken)
        rows = [
            {"Data": [{"VarCharValue": each} if each is not None else {} for each in row]} for row in self.pages[number]
        ]
        more = {"NextToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": COLUMNS}}, **more}

    def stop_query_execution(self, QueryExecutionId: str) -> None:  # noqa: N803
        self._called("stop")


def athena(service: Service, wait: Callable[[int], None] | None = None) -> Athena:
    return Athena(service, "assurance", wait or (lambda _: None), lambda: 1_700_000_000_000)


def test_pages_are_read_without_the_names_of_columns_and_numbers_are_numbers() -> None:
    first: list[list[str | None]] = [["key", "keys"], ["1", "2"], [None, "3"]]
    last: list[list[str | None]] = [["", "4"]]
    pages = (first, last)
    service = Service("QUEUED", "RUNNING", "SUCCEEDED", pages=pages)
    waited = list[int]()
    assert list(athena(service, waited.append).ask("SELECT 1")) == [[["1", 2], [None, 3]], [["", 4]]]
    assert service.started == {"QueryString": "SELECT 1", "WorkGroup": "assurance"}
    assert (service.calls, waited) == (["start", "look", "look", "look", "read", "read"], [500, 1000])


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_query_that_does_not_succeed_says_why(state: str) -> None:
    with pytest.raises(Unusable, match=f"query q of workgroup assurance is {state}: no such table"):
        list(athena(Service(state, reason="no such table")).ask("SELECT 1"))


def test_a_request_that_is_throttled_is_made_again() -> None:
    service = Service("SUCCEEDED", pages=([["key", "keys"]],))
    service.trouble = iter([error("TooManyRequestsException")] * (TRIES - 1))
    waited = list[int]()
    assert list(athena(service, waited.append).ask("SELECT 1")) == [[]]
    assert (service.calls.count("start"), waited) == (TRIES, [500, 1000, 2000, 4000, 8000])


def test_a_request_that_stays_throttled_fails() -> None:
    service = Service()
    service.trouble = iter([error("TooManyRequestsException")] * TRIES)
    with pytest.raises(CallFailed, match="TooManyRequestsException"):
        list(athena(service).ask("SELECT 1"))
    assert service.calls == ["start"] * TRIES


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), CallFailed])
def test_a_query_that_nobody_waits_for_is_stopped(trouble: Any) -> None:
    service = Service("RUNNING", "RUNNING")

    def wait(_: int) -> None:
        if isinstance(trouble, KeyboardInterrupt):
            raise trouble
        service.trouble = iter([error("AccessDeniedException")])

    with pytest.raises((KeyboardInterrupt, CallFailed)):
        list(athena(service, wait).ask("SELECT 1"))
    assert service.calls[-1] == "stop"
    assert "read" not in service.calls


def test_a_table_is_named_as_sql_writes_it() -> None:
    live = '"s3tablescatalog/aws-s3"."b_east"."inventory"'
    for given, written in (("inv.east", '"inv"."east"'), (live, live)):
        service = Service("SUCCEEDED", pages=([["key", "keys"]],))
        table = athena(service).load("east", given)
        assert service.started["QueryString"].split()[3] == written
        assert (set(table.columns), table.taken, table.encoded) == ({"key"}, 1_700_000_000 - 3_600, False)
    for given in ("east", 'inv."east', "a@b@c"):
        with pytest.raises(Unusable):
            athena(Service("SUCCEEDED", pages=([["key", "keys"]],))).load("east", given)
