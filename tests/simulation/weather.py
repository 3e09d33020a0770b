"""The weather of one history: how one destination fails for a while, for everybody, and when it works again.

Separate from the faults of single calls (faults.py): those are few and anywhere, and here all requests to one bucket
fail in the same way for minutes or hours.
"""

from dataclasses import dataclass
from enum import StrEnum

from replicator.core.outcomes.outcome import Permanent, Reason, Side, Temporary
from replicator.core.rules.matching import RuleSet

from tests.fakes.points import Call
from tests.fakes.rules import MemoryRules
from tests.simulation.choices import Choices
from tests.simulation.faults import DENIED, Fail


class Sky(StrEnum):
    """How a destination fails."""

    DOWN = "answers 500 to everything"
    THROTTLED = "throttles two requests of three"
    FLAPPING = "is down, works, and is down again"
    DENIED = "denies every write"
    ONE_KEY = "is down, and one key fails for longer than that"
    NO_RULES = "has rules that cannot be read"


BEGINS = (0, 0, 30, 200)
LASTS = (300, 100, 600, 1200, 3600, 10_800)
LONGER = 3
"""How many times longer than its destination the one key of `Sky.ONE_KEY` fails."""
FLAPS = 90
"""Seconds for which a flapping destination is down, and then works."""
BLAMED = {Side.SOURCE: Side.SOURCE, Side.DESTINATION: Side.DESTINATION}


@dataclass(frozen=True, slots=True)
class Weather:
    """Trouble of one bucket. begins, ends: seconds on the clock. bad_key: of `Sky.ONE_KEY`, which fails until `clears`.

    source: the bucket whose rules cannot be read under `Sky.NO_RULES`.
    """

    sky: Sky
    bucket: str
    source: str
    begins: float
    ends: float
    bad_key: str

    @property
    def clears(self) -> float:
        """When nothing fails any more."""
        longer = LONGER if self.sky is Sky.ONE_KEY else 1
        return self.begins + longer * (self.ends - self.begins)

    def fault(self, call: Call, now: float, choices: Choices) -> Fail | None:
        """Return what goes wrong with a call at this moment; None if nothing does."""
        if call.bucket != self.bucket or call.side not in BLAMED or not self._is_bad(call, now):
            return None
        side = Side(call.side)
        if self.sky is Sky.DENIED:
            reason = DENIED.get((call.operation, call.side))
            return Fail(Permanent(reason, "AccessDenied", side)) if reason else None
        if self.sky is Sky.THROTTLED:
            slow = Temporary(Reason.THROTTLED, "503 SlowDown", side)
            return Fail(slow) if choices.below(3) else None
        return Fail(Temporary(Reason.SERVICE, "500 InternalError", side))

    def rules(self, bucket: str, stored: MemoryRules, now: float) -> RuleSet:
        """Return the rules of a bucket. Raises Temporary while they cannot be read."""
        if self.sky is Sky.NO_RULES and bucket == self.source and self.begins <= now < self.ends:
            raise Temporary(Reason.RULES_UNREADABLE, "AccessDenied", Side.RULES)
        return stored.of(bucket)

    def _is_bad(self, call: Call, now: float) -> bool:
        if self.sky is Sky.NO_RULES or not self.begins <= now < self.clears:
            return False
        if self.sky is Sky.FLAPPING:
            return (now - self.begins) // FLAPS % 2 == 0
        return now < self.ends or call.key == self.bad_key


def draw_weather(bucket: str, source: str, keys: tuple[str, ...], now: float, choices: Choices) -> Weather:
    """Choose the weather of one history. Long outages are rarer: they take long to play."""
    sky = choices.one_of((Sky.DOWN, Sky.DOWN, *Sky))
    begins = now + choices.one_of(BEGINS)
    return Weather(sky, bucket, source, begins, begins + choices.one_of(LASTS), choices.one_of(keys))
