"""The simulation catches bugs: it finds a history for every fault that is put into the algorithm on purpose."""

import pytest

from tests.simulation.campaign import of_seed
from tests.simulation.mutations import MUTATIONS, Mutation, hunt
from tests.simulation.scheduler import play


@pytest.mark.parametrize("mutation", [one for one in MUTATIONS if not one.rare], ids=lambda one: one.name)
def test_the_simulation_finds_a_fault_put_into_the_algorithm(mutation: Mutation) -> None:
    caught = hunt(mutation)
    assert caught is not None
    assert not play(caught.setting, of_seed(caught.setting, caught.seed)).violations, "found without the fault as well"
