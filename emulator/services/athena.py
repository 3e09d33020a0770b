"""Athena: queries are executed, by DuckDB, where moto answers what a test has prepared.

A query is executed when it starts, and RUNNING when it is looked at for the first time; so it can be stopped. A text
that DuckDB does not understand fails. What Athena alone refuses is not refused here: that a text is answered shows what
it means, not that every word of it is Athena's.
https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecutionStatus.html
https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from moto.athena.models import AthenaBackend
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError

from emulator.patching import patch
from emulator.services import athena_tables

MOST_ROWS = 1_000
_TYPES = {"VARCHAR": "varchar", "BIGINT": "bigint", "HUGEINT": "bigint", "INTEGER": "integer", "BOOLEAN": "boolean"}
_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)


@dataclass
class _Answer:
    """What a query came to. reason: why it failed; empty if it did not. state: as it was last described."""

    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: Sequence[Sequence[Any]] = ()
    reason: str = ""
    state: str = "QUEUED"

    def look(self) -> str:
        """Return the state, one further than at the last look."""
        following = {"QUEUED": "RUNNING", "RUNNING": "FAILED" if self.reason else "SUCCEEDED"}
        self.state = following.get(self.state, self.state)
        return self.state


@patch(AthenaBackend, "start_query_execution")
def _start(  # noqa: PLR0913, PLR0917 - as moto's
    original: Any,
    backend: AthenaBackend,
    query: str,
    context: Any,
    config: Any,
    workgroup: str,
    execution_parameters: Any,
) -> str:
    group = backend.work_groups[workgroup or "primary"]
    usual = group.configuration.get("ResultConfiguration") or {}
    if not (config or {}).get("OutputLocation") and not usual.get("OutputLocation"):
        raise JsonRESTError("InvalidRequestException", _NO_OUTPUT)
    made: str = original(backend, query, context, config or dict(usual), workgroup or "primary", execution_parameters)
    backend.executions[made].__dict__["answer"] = _execute(query, backend.account_id, backend.region_name)
    return made


def _execute(query: str, account: str, region: str) -> _Answer:
    try:
        import duckdb  # noqa: PLC0415 - optional
    except ImportError:
        return _Answer(reason="GENERIC_INTERNAL_ERROR: the emulator answers queries with DuckDB: pip install duckdb")
    try:
        with (
            TemporaryDirectory() as folder,
            duckdb.connect(config={"autoinstall_known_extensions": False}) as connection,
        ):
            connection.execute("SET TimeZone = 'UTC'")
            athena_tables.load(connection, account, region, Path(folder))
            found = connection.sql(query)
            columns = [
                (name, _TYPES.get(str(kind), str(kind).lower()))
                for name, kind in zip(found.columns, found.types, strict=True)
            ]
            return _Answer(columns, found.fetchall())
    except (duckdb.Error, OSError) as error:
        return _Answer(reason=f"SYNTAX_ERROR: {error}")


@patch(AthenaResponse, "get_query_execution")
def _describe(original: Any, response: AthenaResponse) -> str:
    answer = _of(response)
    document = json.loads(original(response))
    status = document["QueryExecution"]["Status"]
    status["State"] = answer.look()
    if answer.state == "FAILED":
        status["StateChangeReason"] = answer.reason
    return json.dumps(document)


@patch(AthenaBackend, "stop_query_execution")
def _stop(_original: Any, backend: AthenaBackend, exec_id: str) -> None:
    answer = _named(backend, exec_id)
    if answer.state in {"QUEUED", "RUNNING"}:
        answer.state = "CANCELLED"


@patch(AthenaResponse, "get_query_results")
def _results(_original: Any, response: AthenaResponse) -> str:
    """Return a page of rows; the first row of the first page has the names of the columns."""
    answer, most = _of(response), int(response._get_param("MaxResults") or MOST_ROWS)  # noqa: SLF001
    if answer.state != "SUCCEEDED":
        raise JsonRESTError(
            "InvalidRequestException", f"Query did not finish successfully. Final query state: {answer.state}"
        )
    first = int(response._get_param("NextToken") or 0)  # noqa: SLF001
    rows = [[name for name, _ in answer.columns], *answer.rows]
    columns = [{"Name": name, "Label": name, "Type": kind} for name, kind in answer.columns]
    document: dict[str, Any] = {
        "ResultSet": {
            "Rows": [{"Data": [_cell(each) for each in row]} for row in rows[first : first + most]],
            "ResultSetMetadata": {"ColumnInfo": columns},
        }
    }
    if first + most < len(rows):
        document["NextToken"] = str(first + most)
    return json.dumps(document)


def _cell(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    return {"VarCharValue": str(value).lower() if isinstance(value, bool) else str(value)}


def _of(response: AthenaResponse) -> _Answer:
    return _named(response.athena_backend, response._get_param("QueryExecutionId"))  # noqa: SLF001


def _named(backend: AthenaBackend, exec_id: str) -> _Answer:
    if exec_id not in backend.executions:
        raise JsonRESTError("InvalidRequestException", f"QueryExecution {exec_id} was not found")
    answer: _Answer = backend.executions[exec_id].__dict__["answer"]
    return answer
