"""What events cannot tell: whether a destination has the versions that are older than the events of its rules.

`s3replicator rules put` leaves a record for each source bucket, as `coverage/<source bucket>.json` in the control
bucket; the monitor reads it:

    {"destinations": {"west": {"since": "2026-11-28T10:00:00+00:00", "had_versions": false, "verified": null}}}

A destination whose source had no version when its rules were stored is complete by construction. For any other, a
proof that it was copied completely is noted in `verified`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Coverage:
    """Since when the events of a source reach a destination, and whether the source had versions before.

    since, verified: times as ISO 8601. verified: when the destination was proven to have all of them; empty if never.
    """

    since: str
    had_versions: bool
    verified: str = ""

    @property
    def is_complete(self) -> bool:
        """Return whether nothing that the rules select can be missing because it is older than the events."""
        return not self.had_versions or bool(self.verified)

    @property
    def since_ms(self) -> int:
        """The time from which on events reach the destination, epoch milliseconds."""
        return round(datetime.fromisoformat(self.since).timestamp() * 1000)


Record = Mapping[str, Coverage]
"""Coverage by destination bucket."""


def read_record(text: bytes) -> Record:
    """Read a stored record. What cannot be read counts as not recorded: then the destination is not complete."""
    try:
        stored = json.loads(text)["destinations"].items()
        return {destination: _coverage(each) for destination, each in stored}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _coverage(stored: Mapping[str, object]) -> Coverage:
    """Read one destination. Raises ValueError for a time that is none."""
    since = datetime.fromisoformat(str(stored["since"])).isoformat()
    return Coverage(since, stored["had_versions"] is not False, str(stored.get("verified") or ""))
