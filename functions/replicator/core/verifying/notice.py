"""The event of a verification that completed, beside S3's own events: S3 has none.

Separate from core/outcomes/notices.py, whose events have the format of S3's and are about one version each.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from replicator.core.rules.coverage import Record
from replicator.core.verifying.totals import Totals

DETAIL_TYPE = "VerificationCompleted"


def verification_detail(
    bucket: str, begun: int, ended: int, totals: Mapping[str, Totals], noted: Record
) -> dict[str, Any]:
    """Return the event's detail. begun, ended: epoch milliseconds. noted: the coverage record of each destination."""
    return {
        "bucket": {"name": bucket},
        "begun": _iso(begun),
        "ended": _iso(ended),
        "equal": not any(each.differences.total() for each in totals.values()),
        "destinations": {name: _destination(each, name, noted) for name, each in totals.items()},
    }


def _destination(totals: Totals, name: str, noted: Record) -> dict[str, Any]:
    counts = totals.document()
    shown = {each: counts[each] for each in ("checked", "equal", "pending", "only_there", "differences")}
    return {**shown, "proven_complete_until": (noted[name].verified if name in noted else "") or None}


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat()
