"""An attempt: one change, as one delivery brought it, for one destination. What travels together is one value.

Separate from the facts, which grow while an attempt is decided: this much is known before anything is read.
"""

from dataclasses import dataclass, field

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.target import Target
from replicator.core.versions.change import Change
from replicator.core.versions.origin import Origin


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a change came here: by which message, at which receive of it, and whether from the dead-letter queue.

    `alone`: nothing else is processed at the same time. `carried`: by a message of its parts. `body`: the message that
    would bring just this change again.
    """

    attempts: int = 1
    redriven: bool = False
    message: str = ""
    alone: bool = False
    carried: bool = False
    body: str = field(default="", repr=False)

    @property
    def repeated(self) -> bool:
        """Return whether it, or a part of its work, may have been done before."""
        return self.came_back or self.carried

    @property
    def came_back(self) -> bool:
        """Return whether its own message was processed before, and may have been left in the middle of a plan."""
        return self.attempts > 1 or self.redriven


@dataclass(frozen=True, slots=True)
class Attempt:
    """One change at one destination. The target's bucket is empty where no rule was reached.

    `threshold_ms`: how long it may take by the stack's own setting, for rules that name no time.
    """

    change: Change
    delivery: Delivery
    target: Target
    threshold_ms: int = 0

    @property
    def pair(self) -> Pair:
        """Name the journal's entry that it is about."""
        return Pair(self.change.bucket, self.target.bucket, self.change.key)

    @property
    def origin(self) -> Origin:
        """Name its version as the event does; a HEAD may tell another time."""
        return Origin(self.change.bucket, self.change.version_id, self.change.time // 1000)
