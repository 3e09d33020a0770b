"""Delivery of S3's events: asynchronous, at least once, in no order. Tests set how many are duplicated and reordered.

A separate thread delivers them, so that a write never waits for a queue, as on S3.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
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
# How long a shuffled event waits for others to be reordered with; seconds.
_WINDOW_SECONDS = 0.05


@dataclass(frozen=True)
class DeliverySettings:
    """`duplicate`: the probability that an event is delivered twice; `shuffle`: random order; `seed`: of both.

    `unequal_sequencers`: half of the sequencers are without their leading zeros, so that they cannot all be compared.

    `version_ids`: events of later changes (tags, ACL, retention, annotations) name the version. AWS documents the field
    for versioned buckets, and shows no such event of one.
    """

    duplicate: float = 0.0
    shuffle: bool = False
    seed: int | None = None
    unequal_sequencers: bool = False
    version_ids: bool = True


class Delivery:
    """Events in flight to queues and event buses. Everything that is sent is delivered in the end."""

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
        """Return the current settings."""
        return self._settings

    def configure(self, settings: DeliverySettings) -> None:
        """Replace the settings. Events in flight are not duplicated by the new settings, but may be reordered."""
        with self._changed:
            self._settings = settings
            self._random = random.Random(settings.seed)  # noqa: S311

    def sequencer(self, sequence: int) -> str:
        """Return the sequencer of an event in S3's own format: 18 digits in capitals, two of them leading zeros."""
        with self._changed:
            short = self._settings.unequal_sequencers and self._random.random() < 0.5
        return f"{sequence:X}" if short else f"{sequence:018X}"

    def send(self, deliver: Callable[[], None]) -> None:
        """Call `deliver` soon from the delivery thread, perhaps twice. Errors are logged, never raised."""
        deliver = lineages.carry(deliver)
        with self._changed:
            copies = 2 if self._random.random() < self._settings.duplicate else 1
            self._waiting += [(time.monotonic(), deliver)] * copies
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="emulator-delivery", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def idle(self) -> bool:
        """Return whether every event has been delivered."""
        with self._changed:
            return not self._waiting and not self._delivering

    def stop(self) -> None:
        """Stop delivering; events in flight are lost."""
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
