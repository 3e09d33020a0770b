"""What functions have parked in a table, to send it to a queue again later: while there is any, nothing is idle.

The only place where the emulator knows something of the stack beyond its template: which index holds what is parked.
"""

from __future__ import annotations

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

_INDEX = "ByRelease"


def anything_parked() -> bool:
    """Return whether a table has an item in the index of what is parked."""
    return any(
        _is_held(table)
        for account in dynamodb_backends.values()
        for backend in list(account.values())
        for table in list(backend.tables.values())
    )


def _is_held(table: Table) -> bool:
    schemas = [index.schema for index in table.global_indexes if index.name == _INDEX]
    names = [key["AttributeName"] for schema in schemas for key in schema if key["KeyType"] == "HASH"]
    items = [item for ranges in list(table.items.values()) for item in list(ranges.values())] if names else []
    return any(name in item.attrs for name in names for item in items)
