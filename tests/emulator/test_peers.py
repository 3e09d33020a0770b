"""What the benchmark of peers finds of the product: it keeps every field. Without any peer, it measures the product."""

import pytest

from benchmarks._fidelity import losses
from benchmarks.peers import EXISTING, NAMES, NEW, Found, Work, measure


@pytest.fixture(scope="module")
def special() -> dict[str, Found]:
    """Copy two keys of each special kind, without any peer."""
    return {each.spent.name: each for each in measure(Work(special=2), 20, {})}


def test_resync_keeps_versions_their_order_markers_and_every_field(special: dict[str, Found]) -> None:
    assert list(losses(special[NAMES[EXISTING]].kept)) == []


def test_events_keep_all_but_markers_that_were_hidden_before_their_event_came(special: dict[str, Found]) -> None:
    kept = special[NAMES[NEW]].kept
    assert set(losses(kept)) <= {"delete markers", "whole history in order"}
    assert kept.kept["delete markers"] >= 2, "those on top"
