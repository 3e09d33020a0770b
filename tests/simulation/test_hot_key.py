"""Hundreds of overwrites of one key within seconds get through: no retry storm, nothing in the dead-letter queue."""

from dataclasses import replace

import pytest

from tests.simulation.campaign import of_seed
from tests.simulation.scheduler import play
from tests.simulation.settings import BY_NAME, WRITES

OVERWRITES = 200
CALLS = 40
"""Requests for one overwrite at most, all retries and listings included; it would be 4 if they came one by one."""
RECEIVES = 12


@pytest.mark.parametrize("world", ["one-way", "two-way", "two-way, nothing known of who wrote"])
def test_a_hot_key_settles_in_bounded_requests(world: str) -> None:
    setting = replace(
        BY_NAME[world], acts=WRITES, writes=OVERWRITES, least=OVERWRITES, hurried=True, batch=10, concurrency=10
    )
    ended = play(setting, of_seed(setting, 1))
    assert not ended.violations
    assert ended.calls < CALLS * OVERWRITES
    assert ended.receives < RECEIVES
