"""What events cannot tell: whether a destination has the versions that are older than the events of its rules.

`s3replicator rules put` leaves a record for each source bucket, as `coverage/<source bucket>.json` in the control
bucket; the monitor reads it:

    {"destinations": {"west": {"since": "2026-11-28T10:00:00+00:00", "had_versions": false, "verified": null}}}

A destination whose source had no version when its rules were stored is complete by construction. For any other, a
proof that it was copied completely is noted in `verified`, and what the last verification of all keys came to in
`verification`. If that found differences, nothing counts as complete until another one finds none.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

FRESH_MS = 15 * 60_000
"""What is pending must be younger than this at a verification that proves a destination complete."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verification of all keys found at one destination, in versions and delete markers of the source.

    at: when it began, as ISO 8601. pending_since: when the oldest of what is pending was written, epoch seconds; 0 if
    nothing is. differences: by kind.
    """

    at: str
    checked: int = 0
    pending: int = 0
    pending_since: int = 0
    differences: Mapping[str, int] = field(default_factory=dict)

    @property
    def different(self) -> int:
        """Differences of all kinds together."""
        return sum(self.differences.values())


@dataclass(frozen=True, slots=True)
class Coverage:
    """Since when the events of a source reach a destination, and whether the source had versions before.

    since, verified: times as ISO 8601. verified: until when the destination was last proven to have all of them; empty
    if never. verification: the last one, whatever it found; None if there was none.
    """

    since: str
    had_versions: bool
    verified: str = ""
    verification: Checked | None = None

    @property
    def is_complete(self) -> bool:
        """Return whether nothing that the rules select is known to differ, or older than the events and unproven."""
        if self.verification and self.verification.different:
            return False
        return not self.had_versions or bool(self.verified)

    def with_verification(self, found: Checked) -> "Coverage":
        """Return the record after a verification. One that began before the events of the rules proves nothing."""
        earlier = self.verification.at if self.verification else self.since
        if _moment(found.at) < max(_moment(self.since), _moment(earlier)):
            return self
        return replace(self, verification=found, verified=found.at if self._is_proven_by(found) else self.verified)

    def _is_proven_by(self, found: Checked) -> bool:
        """Return whether nothing differs, and all that is pending has just been written, with its event on the way."""
        if found.different or not found.pending:
            return not found.different
        return found.pending_since >= max(_moment(self.since), _moment(found.at) - FRESH_MS / 1000)

    @property
    def proven_ms(self) -> int | None:
        """Until when all that was written was last proven to be there, epoch milliseconds; None if never."""
        return round(_moment(self.verified) * 1000) if self.verified else None

    @property
    def unproven_ms(self) -> int:
        """Since when completeness is unproven, epoch milliseconds: the last proof, or else the first moment for one."""
        if self.proven_ms is not None:
            return self.proven_ms
        return self.since_ms or (round(_moment(self.verification.at) * 1000) if self.verification else 0)

    @property
    def since_ms(self) -> int:
        """The time from which on events reach the destination, epoch milliseconds."""
        return round(_moment(self.since) * 1000)


Record = Mapping[str, Coverage]
"""Coverage by destination bucket."""
FROM_THE_START = Coverage("1970-01-01T00:00:00+00:00", had_versions=False)
"""Of a bucket that the stack created: its events and its default rule are as old as the bucket."""


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def record_text(record: Record) -> bytes:
    """Return a record as it is stored."""
    return (
        json.dumps({"destinations": {name: _stored(each) for name, each in record.items()}}, indent=2) + "\n"
    ).encode()


def _stored(entry: Coverage) -> dict[str, Any]:
    verification = {"verification": asdict(entry.verification)} if entry.verification else {}
    known = {"since": entry.since, "had_versions": entry.had_versions, "verified": entry.verified or None}
    return known | verification


def read_record(text: bytes) -> Record:
    """Read a stored record. What cannot be read counts as not recorded: then the destination is not complete."""
    try:
        stored = json.loads(text)["destinations"].items()
        return {destination: _coverage(each) for destination, each in stored}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _coverage(stored: Mapping[str, Any]) -> Coverage:
    """Read one destination. Raises ValueError for a time that is none."""
    since = datetime.fromisoformat(str(stored["since"])).isoformat()
    verified = str(stored.get("verified") or "")
    if verified:
        verified = datetime.fromisoformat(verified).isoformat()
    return Coverage(since, stored["had_versions"] is not False, verified, _checked(stored.get("verification")))


def _checked(stored: Mapping[str, Any] | None) -> Checked | None:
    if stored is None:
        return None
    differences = {str(kind): int(count) for kind, count in stored["differences"].items()}
    at = datetime.fromisoformat(stored["at"]).isoformat()
    return Checked(at, int(stored["checked"]), int(stored["pending"]), int(stored["pending_since"]), differences)
