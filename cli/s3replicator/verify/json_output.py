"""A verification as one JSON document."""

from collections.abc import Mapping, Sequence
from typing import Any

from replicator.core.verifying.run_state import Scope
from replicator.core.verifying.totals import Totals


def verification_document(
    bucket: str, scope: Scope, totals: Mapping[str, Totals], notes: Sequence[str], unproven: int = 0
) -> dict[str, Any]:
    """Return a verification as JSON output has it. Counts are in versions and delete markers of the source."""
    return {
        "bucket": bucket,
        "equal": not unproven and not any(each.differences.total() for each in totals.values()),
        "deep": scope.deep,
        "prefix": scope.prefix,
        "destinations": {name: each.document() for name, each in totals.items()},
        "notes": list(notes),
    }
