"""S3's event delivery: asynchronous, at least once and unordered; how much of that a test can set.

Events leave by a thread of their own, so that a write never waits for a queue, as in S3.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from emulator.calls.lineage import lineages

_log = logging.getLogger(__name__)
# How long a shuffled event may wait for others to change places with.
_WINDOW_SECONDS = 0.05


@dataclass(frozen=True)
class DeliverySettings:
    """`duplicate`: the probability that an event comes twice; `shuffle`: whether the order is lost; both by `seed`."""

    duplicate: float = 0.0
    shuffle: bool = False
    seed: int | None = None


class Delivery:
    """Events on their way to queues and event buses. Everything that is sent arrives in the end."""

    def __init__(self) -> None:
        self.delivered = 0
        self._settings = DeliverySettings()
        self._random = random.Random()  # noqa: S311 - reproducible, not secret
        self._waiting: list[tuple[float, Callable[[], None]]] = []
        self._delivering = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    @property
    def settings(self) -> DeliverySettings:
        """Return how events are delivered now."""
        return self._settings

    def configure(self, settings: DeliverySettings) -> None:
        """Deliver like this from now on; what is on its way already is not duplicated any more, but may be shuffled."""
        with self._changed:
            self._settings = settings
            self._random = random.Random(settings.seed)  # noqa: S311

    def send(self, deliver: Callable[[], None]) -> None:
        """Have `deliver` called soon by the delivery thread, perhaps twice. Its errors are logged, never raised."""
        deliver = lineages.carry(deliver)
        with self._changed:
            copies = 2 if self._random.random() < self._settings.duplicate else 1
            self._waiting += [(time.monotonic(), deliver)] * copies
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="emulator-delivery", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def idle(self) -> bool:
        """Return whether every event that happened has arrived."""
        with self._changed:
            return not self._waiting and not self._delivering

    def stop(self) -> None:
        """Deliver nothing any more; what is on its way is lost."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (deliver := self._next()) is not None:
            try:
                deliver()
            except Exception:
                _log.exception("An event could not be delivered")
            with self._changed:
                self.delivered += 1
                self._delivering -= 1

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            if self._settings.shuffle and not self._stopped:
                until = self._waiting[0][0] + _WINDOW_SECONDS
                while (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
            if self._stopped:
                return None
            self._delivering += 1
            place = self._random.randrange(len(self._waiting)) if self._settings.shuffle else 0
            return self._waiting.pop(place)[1]
