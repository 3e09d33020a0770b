"""Hundreds of overwrites of one key within seconds are replicated: no retry storm, nothing in the dead-letter queue."""

from dataclasses import replace

import pytest

from tests.simulation.campaign import of_seed
from tests.simulation.scheduler import play
from tests.simulation.settings import BY_NAME, WRITES

OVERWRITES = 200
CALLS = 40
"""The most requests for one overwrite, with retries and listings. It would be 4 if overwrites came one at a time."""
RECEIVES = 12


@pytest.mark.parametrize("world", ["one-way", "two-way", "two-way, nothing known of who wrote"])
def test_many_overwrites_of_one_key_settle_with_a_bounded_number_of_requests(world: str) -> None:
    setting = replace(
        BY_NAME[world], acts=WRITES, writes=OVERWRITES, least=OVERWRITES, hurried=True, batch=10, concurrency=10
    )
    ended = play(setting, of_seed(setting, 1))
    assert not ended.violations
    assert ended.calls < CALLS * OVERWRITES
    assert ended.receives < RECEIVES
