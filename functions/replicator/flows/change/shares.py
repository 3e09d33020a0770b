"""Changes of a busy source bucket step aside, so that those of other buckets do not wait behind them.

A change that has waited on the queue for long, and whose bucket takes more than its share, is parked instead of copied:
that takes a fraction of the time. It is due at once, keeps its place in the order, and comes back as soon as the queue
has room. Separate from the gates, which are about destinations.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from replicator.core.deciding.attempt import Attempt
from replicator.core.deciding.result import Result, ended
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.outcomes.shares import LEAST, WINDOW, exceeds_share


@dataclass(slots=True)
class Shares:
    """What one container received of each bucket lately. Thread-safe. after_ms: how long others may be kept waiting."""

    after_ms: int
    now: Callable[[], int]
    least: int = LEAST
    _recent: deque[str] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _received: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, attempt: Attempt) -> Result | None:
        """Return the result of an attempt that steps aside; None if it goes on.

        What came back, or was asked for, goes on: it has waited elsewhere, or has a queue of its own.
        """
        change, delivery = attempt.change, attempt.delivery
        if change.wish or delivery.from_part_queue:
            return None
        is_busy = self._receive(change.bucket)
        is_new = delivery.is_first and not delivery.redriven and not delivery.alone
        waited = self.now() - change.time if change.time else 0
        if not (is_busy and is_new and waited > self.after_ms):
            return None
        why = f"{change.bucket} takes more than its share of the queue: changes of other buckets go first"
        return ended(attempt, Status.PENDING, Reason.OVER_SHARE, why).with_trail(held=True)

    def _receive(self, bucket: str) -> bool:
        """Count a change; return whether its bucket takes more than its share."""
        with self._lock:
            if len(self._recent) == WINDOW:
                self._received -= Counter([self._recent[0]])  # which also forgets a bucket that has none left
            self._recent.append(bucket)
            self._received[bucket] += 1
            return exceeds_share(bucket, self._received, self.least)
