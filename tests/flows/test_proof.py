"""What a verification proves, and what of it the coverage record takes over."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
from replicator.core.rules.coverage import Checked, Coverage, read_record, record_text
from replicator.core.verifying.totals import Totals
from replicator.flows.verify.proof import checked_of, note_verification

MORNING, NOON, EVENING = (f"2026-11-01T{hour}:00:00+00:00" for hour in ("08", "12", "18"))
HAD = Coverage(MORNING, had_versions=True)
CLEAN = Checked(NOON, checked=3)
DIFFERENT = Checked(EVENING, checked=3, differences={"missing": 1})


def seconds(text: str) -> int:
    return Coverage(text, had_versions=True).since_ms // 1000


@dataclass
class Records:
    """One record in memory. rivals: texts that somebody else writes between a read and the write after it."""

    text: bytes = b""
    version: int = 0
    rivals: list[bytes] = field(default_factory=list)

    def read(self, bucket: str) -> tuple[bytes, str] | None:
        found = (self.text, str(self.version)) if self.text else None
        if self.rivals:
            self.text, self.version = self.rivals.pop(), self.version + 1
        return found

    def write(self, bucket: str, text: bytes, etag: str) -> bool:
        if etag != (str(self.version) if self.text else ""):
            return False
        self.text, self.version = text, self.version + 1
        return True


def test_a_clean_verification_proves_what_is_older_than_the_rules() -> None:
    records = Records(record_text({"west": HAD, "north": HAD}))
    noted = note_verification(records, "east", {"west": CLEAN})
    assert noted["west"].is_complete
    stored = read_record(records.text)
    assert (stored["west"], stored["north"]) == (Coverage(MORNING, True, NOON, CLEAN), HAD)


def test_what_was_proven_counts_no_more_once_something_differs() -> None:
    entry = HAD.with_verification(CLEAN).with_verification(DIFFERENT)
    assert (entry.verified, entry.is_complete) == (NOON, False)
    assert not Coverage(MORNING, had_versions=False).with_verification(DIFFERENT).is_complete


def test_an_older_verification_that_ends_later_changes_nothing() -> None:
    entry = HAD.with_verification(DIFFERENT)
    assert entry.with_verification(CLEAN) == entry


def test_a_verification_that_began_before_the_rules_proves_nothing() -> None:
    later = Coverage(EVENING, had_versions=True)
    assert later.with_verification(CLEAN) == later


@pytest.mark.parametrize(
    ("since", "written", "proven"),
    [(MORNING, seconds(NOON) - 60, True), (MORNING, seconds(NOON) - 16 * 60, False), (NOON, seconds(NOON) - 60, False)],
    ids=["just written", "for longer than an event takes", "older than the rules"],
)  # fmt: skip
def test_only_what_was_just_written_may_be_pending(since: str, written: int, proven: bool) -> None:
    found = Checked(NOON, checked=3, pending=1, pending_since=written)
    assert Coverage(since, had_versions=True).with_verification(found).is_complete is proven


def test_nothing_is_noted_in_a_record_that_was_replaced_meanwhile() -> None:
    """Between the read and the write, `rules put` strikes what new rules select in addition."""
    records = Records(record_text({"west": HAD}), rivals=[record_text({})])
    assert note_verification(records, "east", {"west": CLEAN}) == {}
    assert read_record(records.text) == {}


def test_a_destination_without_a_record_is_not_added_unless_the_stack_created_its_source() -> None:
    records = Records()
    assert note_verification(records, "east", {"west": CLEAN}) == {}
    assert records.text == b""
    assert note_verification(records, "east", {"west": CLEAN}, ("east", "west"))["west"].verified == NOON
    assert read_record(records.text)["west"].is_complete


def test_the_counts_of_a_repair_are_those_that_are_left() -> None:
    totals = Totals(checked=5, differences=Counter({"missing": 0, "tags": 2}))
    totals.add_pending(1, 70)
    totals.add_pending(0, 0)
    totals.add_pending(1, 60)
    begun = seconds(NOON) * 1000
    assert checked_of(totals, begun) == Checked(NOON, 5, 2, 60, {"tags": 2})
