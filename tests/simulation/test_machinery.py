"""The simulation itself: one seed is one history, a killed handler stops, and a history made small still fails."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from replicator.flows.change.synchronise import Synchroniser

from tests.fakes.points import Call
from tests.fakes.s3 import MemoryS3
from tests.simulation.campaign import of_seed, shrunk
from tests.simulation.choices import Choices
from tests.simulation.mutations import MUTATIONS, hunt
from tests.simulation.scheduler import play
from tests.simulation.settings import BY_NAME
from tests.simulation.shrink import Played, kinds_of, shrink
from tests.simulation.turns import Handler, Task, Turns

TWO_WAY = BY_NAME["two-way"]


class Nobody:
    """Sees nothing."""

    def called(self, handler: Handler, call: Call, result: object) -> None: ...


def may_go_on(handler: Handler) -> list[Task]:
    return [task for task in handler.tasks if not task.waiting]


def test_a_seed_is_one_history() -> None:
    for seed in range(20):
        first, second = (play(TWO_WAY, of_seed(TWO_WAY, seed), told=True) for _ in range(2))
        assert first == second, seed


def test_the_decisions_of_a_history_play_it_again() -> None:
    for seed in range(20):
        first = play(TWO_WAY, of_seed(TWO_WAY, seed), told=True)
        assert play(TWO_WAY, Choices(replay=first.choices), told=True) == first, seed


def test_a_history_is_the_same_whether_its_story_is_written_or_not() -> None:
    told, untold = (play(TWO_WAY, of_seed(TWO_WAY, 7), told=told) for told in (True, False))
    assert untold == replace(told, lines=())


def test_an_empty_list_of_decisions_is_a_history_where_nothing_goes_wrong() -> None:
    ended = play(TWO_WAY, Choices(replay=()), told=True)
    assert not ended.violations
    assert ended.lines[0].endswith("user         writes east/k: h1 (body 1)")


def test_a_flow_that_swallows_its_kill_is_found() -> None:
    attempt = Synchroniser._attempt

    def undying(self: Synchroniser, facts: Any) -> Any:
        try:
            return attempt(self, facts)
        except BaseException as error:
            if isinstance(error, Exception):
                raise
            return self._settle(facts.memory, facts.memory)

    with patch.object(Synchroniser, "_attempt", undying):
        found = (violation for seed in range(200) for violation in play(TWO_WAY, of_seed(TWO_WAY, seed)).violations)
        assert any("went on after it was killed" in violation for violation in found)


def test_a_lost_message_is_found() -> None:
    with patch.object(MemoryS3, "_tell", lambda *_: None):
        found = (violation for seed in range(5) for violation in play(TWO_WAY, of_seed(TWO_WAY, seed)).violations)
        assert any("is missing in" in violation for violation in found)


def test_a_history_that_is_made_small_fails_in_the_same_way() -> None:
    mutation = next(one for one in MUTATIONS if one.name == "replicas are taken for native versions")
    caught = hunt(mutation)
    assert caught is not None
    with mutation.applied():
        decisions, small = shrunk(caught.setting, caught.ended)
    assert 0 < len(decisions) < len(caught.ended.choices)
    assert kinds_of(small.violations) & kinds_of(caught.ended.violations)
    assert small.lines


def test_making_small_cuts_moves_and_lowers_decisions() -> None:
    def sums_up(choices: Sequence[int]) -> Played:
        wrong = ["too much"] if sum(choices) >= 10 and 7 in choices else []
        return Played(wrong, tuple(choices), range(0, len(choices), 2))

    assert sum(shrink((1, 2, 3, 9, 7, 1, 0, 5, 8, 8), sums_up)) == 10


def test_tasks_side_by_side_take_turns_and_give_their_results_in_order() -> None:
    turns = Turns(Nobody())
    log: list[str] = []
    handler = Handler(1, "east", 0.0)

    def note(name: str) -> str:
        log.append(name)
        return name

    def work(name: str) -> str:
        return turns.call(Call("HEAD", "source", "east", name), lambda: note(name))

    main = turns.start(handler, lambda: turns.side_by_side([lambda: work("a"), lambda: work("b")]))
    main.switch(None)
    first, second = may_go_on(handler)
    for task in (first, second, second, first):
        if not task.dead:
            task.switch(None)
        handler.forget(task)
    assert may_go_on(handler) == [main]
    main.switch(None)
    assert log == ["b", "a"]
    assert main.result == ["a", "b"]


def test_a_killed_task_runs_no_further() -> None:
    turns = Turns(Nobody())
    log: list[str] = []
    handler = Handler(1, "east", 0.0)

    def work() -> None:
        turns.call(Call("HEAD", "source", "east", "k"), lambda: log.append("first"))
        turns.call(Call("COPY", "destination", "west", "k"), lambda: log.append("second"))

    task: Task = turns.start(handler, work)
    task.switch(None)
    task.switch(None)
    assert handler.kill()
    assert log == ["first"]
