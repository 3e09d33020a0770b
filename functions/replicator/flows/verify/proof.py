"""What a verification of all keys found -> the coverage record of its bucket, from which `failover check` is answered.

Separate from the verification, because others write the same record: `rules put` strikes from it what new rules select.
So a destination that is not in the record is not added, and every write names the record that was read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from replicator.core.rules.coverage import FROM_THE_START, Checked, Record, read_record, record_text
from replicator.core.verifying.totals import Totals

ATTEMPTS = 5


class ProofRecords(Protocol):
    """The coverage records. Every method raises Temporary or Permanent."""

    def read(self, bucket: str) -> tuple[bytes, str] | None:
        """Return the record of a source bucket and its ETag, or None."""

    def write(self, bucket: str, text: bytes, etag: str) -> bool:
        """Replace the record that has this ETag, none if it is empty; return False if there is another one by now."""


def checked_of(totals: Totals, begun: int) -> Checked:
    """Return what a verification found at one destination. begun: epoch milliseconds."""
    at = datetime.fromtimestamp(begun // 1000, UTC).isoformat()
    differences = {kind: count for kind, count in sorted(totals.differences.items()) if count > 0}
    return Checked(at, totals.checked, totals.pending, totals.pending_since, differences)


def note_verification(
    records: ProofRecords, bucket: str, found: Mapping[str, Checked], created: tuple[str, str] = ("", "")
) -> Record:
    """Note what was found at each destination, and return the record of those that it names.

    created: the bucket that the stack created, with the destination of its default rule: complete from the start, and
    without a record until rules are put. Raises Temporary or Permanent.
    """
    for _ in range(ATTEMPTS):
        text, etag = records.read(bucket) or (b"", "")
        default: Record = {created[1]: FROM_THE_START} if created[0] == bucket and created[1] else {}
        record = read_record(text) if text else default
        noted = {name: record[name].with_verification(each) for name, each in found.items() if name in record}
        if not noted or records.write(bucket, record_text({**record, **noted}), etag):
            return noted
    return {}
