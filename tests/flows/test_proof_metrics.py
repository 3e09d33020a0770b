"""What the monitor publishes of verifications: how old the last proof is, and what the last one found."""

from dataclasses import replace

from replicator.core.outcomes.metrics import METRICS, Metric
from replicator.core.rules.coverage import FROM_THE_START, Checked, Coverage, Record
from replicator.flows.watch.proofs import publish_proofs

from tests.fakes.monitoring import MemoryGauges

MORNING, NOON = "2026-11-01T08:00:00+00:00", "2026-11-01T12:00:00+00:00"
HOUR = 3600
HAD = Coverage(MORNING, had_versions=True)
NOON_MS = replace(HAD, since=NOON).since_ms
PROVEN = HAD.with_verification(Checked(NOON, checked=7))


def published(record: Record, hours: float) -> MemoryGauges:
    """Return what is published of a pair of buckets so many hours after noon."""
    gauges = MemoryGauges()
    publish_proofs(
        [("east", "west")], {"east": record}.__getitem__, gauges.add, "stack", NOON_MS + int(hours * HOUR * 1000)
    )
    return gauges


def test_nothing_is_published_before_the_first_verification() -> None:
    assert published({}, 1).values == []
    assert published({"west": HAD}, 1).values == []


def test_the_age_of_a_proof_grows_until_the_next_one() -> None:
    assert published({"west": PROVEN}, 1).of(Metric.PROOF_AGE) == [HOUR]
    assert published({"west": PROVEN}, 30).of(Metric.PROOF_AGE) == [30 * HOUR]


def test_a_verification_that_finds_differences_leaves_the_age_of_the_last_proof() -> None:
    later = Checked("2026-11-01T13:00:00+00:00", checked=8, pending=2, differences={"missing": 3, "tags": 1})
    found = published({"west": PROVEN.with_verification(later)}, 2)
    assert found.of(Metric.PROOF_AGE) == [2 * HOUR]
    assert found.of(Metric.VERIFIED) == [8]
    assert found.of(Metric.VERIFIED_PENDING) == [2]
    assert found.of(Metric.VERIFIED_DIFFERENT, SourceBucket="east", DestinationBucket="west", Stack="stack") == [4]


def test_what_was_never_proven_is_as_old_as_its_rules_or_its_first_verification() -> None:
    wrong = Checked(NOON, differences={"missing": 1})
    assert published({"west": HAD.with_verification(wrong)}, 1).of(Metric.PROOF_AGE) == [5 * HOUR]
    assert published({"west": FROM_THE_START.with_verification(wrong)}, 1).of(Metric.PROOF_AGE) == [HOUR]


def test_the_worst_destination_of_a_stack_is_a_maximum() -> None:
    """Age and differences are published by stack as well, a value for each pair: alarms take the greatest."""
    for metric in (Metric.PROOF_AGE, Metric.VERIFIED_DIFFERENT):
        assert METRICS[metric].sets == (("SourceBucket", "DestinationBucket"), ("Stack",))
