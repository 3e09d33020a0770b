"""The mood of one history: how many acts, how time passes, who is in a hurry, what goes wrong.

Separate and drawn anew for each history, because one way of choosing finds one kind of trouble: some faults show only
if a handler stands still while others run to their end, some only if many things happen within a second.
"""

from dataclasses import dataclass

from tests.simulation.choices import Choices
from tests.simulation.faults import Misfortune, draw_misfortune
from tests.simulation.setting import Setting

PACES = (
    (0.0, 0.0, 0.0, 0.05, 0.3),
    (0.0, 0.3, 1.0, 5.0),
    (0.0, 0.0, 0.3, 60.0, 1200.0),
)
"""Seconds that may pass between two moves."""
OUTAGE_PACES = (
    (0.0, 0.0, 0.3, 2.0),
    (0.0, 0.0, 1.0, 5.0, 20.0),
    (0.0, 0.0, 0.0, 60.0),
)
"""The same where a destination fails for a while: minutes should not pass before anything has happened in them."""


@dataclass(frozen=True, slots=True)
class Mood:
    """How one history goes.

    acts: how many acts of users. pace: seconds that may pass between two moves. patient: messages stay hidden as long
    as they should; where one destination fails for a while, they always do. twins: how many messages SQS hands out
    twice, each to be deleted by itself. steps, delivers, eager: how likely a handler, a message or a user moves next.
    sticky: percent of steps that go on with the same task. duplicates: percent of events that come once more. waits:
    how likely nothing moves before something hidden is due.
    """

    acts: int
    pace: tuple[float, ...]
    patient: bool
    twins: int
    steps: int
    delivers: int
    eager: int
    sticky: int
    duplicates: int
    misfortune: Misfortune
    waits: int = 0


def draw_mood(setting: Setting, choices: Choices) -> Mood:
    """Choose the mood of one history."""
    return Mood(
        acts=setting.least + choices.below(setting.writes - setting.least + 1),
        pace=choices.one_of(OUTAGE_PACES if setting.outage else PACES),
        patient=choices.chance(50) or bool(setting.outage),
        twins=choices.one_of((0, 0, 1, 3)),
        steps=choices.one_of((4, 1, 12)),
        delivers=choices.one_of((2, 1, 6)),
        eager=6 if setting.hurried else choices.one_of((1, 3, 10)),
        sticky=choices.one_of((0, 0, 60, 90)),
        duplicates=choices.one_of((0, 0, 10, 30)),
        misfortune=draw_misfortune(choices),
        waits=choices.one_of((1, 3, 0)) if setting.outage else 0,
    )
