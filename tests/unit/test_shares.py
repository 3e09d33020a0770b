"""Which source bucket takes more than its share of the change queue."""

from collections import Counter

import pytest
from replicator.core.outcomes.shares import LEAST, exceeds_share


@pytest.mark.parametrize(
    ("received", "over"),
    [
        ({"noisy": 95, "quiet": 5}, {"noisy"}),
        ({"noisy": 190, **dict.fromkeys("abcdefghij", 1)}, {"noisy"}),
        ({"noisy": 90, "other": 90, "quiet": 2, "silent": 1}, {"noisy", "other"}),
        (dict.fromkeys("abcde", 40), set()),
        ({"a": 100, "b": 100}, set()),
        ({"alone": 200}, {"alone"}),
        ({"noisy": LEAST - 1}, set()),
    ],
    ids=["one of two", "one of many", "two of four", "five alike", "two alike", "alone", "too few to tell"],
)
def test_a_bucket_takes_more_than_its_share(received: dict[str, int], over: set[str]) -> None:
    assert {bucket for bucket in received if exceeds_share(bucket, Counter(received))} == over


def test_a_bucket_without_changes_takes_nothing() -> None:
    assert not exceeds_share("silent", {"noisy": 200})
