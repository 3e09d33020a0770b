"""Two stacks that replicate each other's buckets under load: nothing is lost, nothing refused, no echo invokes."""

import pytest

from benchmarks.two_way import Counts, Load, run
from emulator.calls.lineage import LIMIT


@pytest.fixture(scope="module")
def counts() -> Counts:
    """Offer a load whose batches hold several messages. Without known peers, it reaches the limit within 40 seconds."""
    return run(Load(writes=24, seconds=8, latency_ms=100, concurrency=2))


def test_every_write_is_on_the_other_side(counts: Counts) -> None:
    assert counts.written > 2 * LIMIT
    assert (counts.at_rest, counts.missing, counts.waiting) == (True, 0, 0)


def test_no_batch_is_refused_and_no_message_given_up(counts: Counts) -> None:
    assert (counts.refused, counts.dead_letters) == (0, 0)


def test_no_echo_invokes_a_function(counts: Counts) -> None:
    """A message may come back after a conflict; with their echoes, there would be two for each write."""
    assert counts.written <= counts.delivered < 1.5 * counts.written


def test_without_known_peers_each_echo_does() -> None:
    """Few enough for no chain to reach the limit: what happens then is not what this test is about."""
    counts = run(Load(writes=1000.0, seconds=20 / 1000, known_peers=False))
    assert (counts.missing, counts.refused, counts.dead_letters) == (0, 0, 0)
    assert counts.delivered >= 2 * counts.written
