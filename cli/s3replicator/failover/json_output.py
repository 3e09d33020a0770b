"""The answer as one JSON document: the direction that was asked for at the top, and all directions in a list."""

from collections.abc import Sequence
from typing import Any

from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.recovery import Missing

from s3replicator.failover.check import Direction
from s3replicator.failover.lost_keys import LostKey, LostKeys
from s3replicator.formatting import utc_iso


def answer_document(directions: Sequence[Direction]) -> dict[str, Any]:
    """Return the document. Times are ISO 8601, null if unknown."""
    documents = [_document(each) for each in directions]
    return {**documents[0], "directions": documents}


def _document(found: Direction) -> dict[str, Any]:
    figures, answer = found.figures, found.answer
    missing = figures.missing if figures else _of_keys(found.keys)
    return {
        "answer": str(answer.verdict),
        "source": found.source,
        "destination": found.destination,
        "destination_region": found.region,
        "recovery_point": _time(figures.recovery_point if figures else None),
        "looked": _time(figures.looked if figures else None),
        "pending": {
            "operations": missing.operations if missing else None,
            "bytes": missing.bytes if missing else None,
            "oldest": _time(missing.oldest // 1000 if missing else None),
            "parked": missing.parked if figures and missing else None,
            "failed": missing.failed if missing else None,
            "gate": missing.gate.name.lower() if figures and missing else None,
            "unexplained": figures.unexplained if figures else None,
        },
        "unverified": figures.unverified if figures else None,
        "why": list(answer.why),
        "accepted": list(answer.waived),
        "keys": None if found.keys is None else [_key(each) for each in found.keys.keys],
        "keys_complete": found.keys is not None and found.keys.complete,
        "notes": list(found.notes),
    }


def _of_keys(lost: LostKeys | None) -> Missing | None:
    """Return what is missing as far as keys show it, where there are no figures; None if that is not known."""
    if lost is None or not lost.keys or not lost.complete:
        return None
    waiting = [each for each in lost.keys if each.status is Status.PENDING]
    oldest = min((each.written for each in lost.keys), default=0)
    return Missing(len(waiting), sum(each.size for each in waiting), len(lost.keys) - len(waiting), oldest)


def _key(lost: LostKey) -> dict[str, Any]:
    return {
        "key": lost.key,
        "version_id": lost.version_id,
        "status": str(lost.status),
        "written": _time(lost.written // 1000),
        "size": lost.size,
        "reason": lost.reason,
    }


def _time(seconds: int | None) -> str | None:
    return utc_iso(seconds) if seconds else None
