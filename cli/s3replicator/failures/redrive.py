"""Dead letters -> a list by reason, or back onto the change queue: send -> delete, a few at a time.

Nothing is kept between the two steps, so that an operator may interrupt it at any point and run it again: what was sent
but not deleted is sent twice, and its second message finds the object there.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from replicator.core.outcomes.threshold import Depth

from s3replicator.failures.failed_messages import FailedMessage, Selection

HOLD_SECONDS = 10
"""How long a letter is hidden from others while it is looked at. Two who hold the same one do no harm."""
LEEWAY_SECONDS = 2.0
"""So much longer than that, what is in other hands is waited for: what an interrupted command held is back by then."""


class DeadLetterQueue(Protocol):
    """The dead-letter queue and the way back. Every method raises CallFailed."""

    def now(self) -> int:
        """Return the last millisecond of SQS's own second."""

    def depth(self) -> Depth:
        """Count the letters."""

    def receive(self, hold_seconds: int) -> list[FailedMessage]:
        """Take a few letters into the hand, for so long; waits a moment for one."""

    def put_back(self, letters: Sequence[FailedMessage]) -> None:
        """Let others see letters again that were only looked at."""

    def send_back(self, letters: Sequence[FailedMessage]) -> list[FailedMessage]:
        """Put letters on the change queue again; give those that SQS took."""

    def remove(self, letters: Sequence[FailedMessage]) -> None:
        """Delete letters."""


SECOND_MS = 1000


@dataclass(slots=True)
class Redrive:
    """What a redrive has come to: letters sent, left because they were not meant, and refused by SQS.

    `doubled`: letters that said the same as one that was sent, and were deleted with it.
    """

    sent: list[FailedMessage] = field(default_factory=list)
    left: int = 0
    refused: int = 0
    doubled: int = 0

    @property
    def seen(self) -> int:
        """Count the letters that were looked at."""
        return len(self.sent) + self.left + self.refused + self.doubled


@dataclass(slots=True)
class Sweep:
    """Goes once through everything that lies in the box, whoever else may have a hand in it.

    `clock` gives seconds. `takes_all`: nothing will be held until the end. What is in other hands is waited for, for as
    long as we would hold it; `elsewhere` counts what still was then.
    """

    box: DeadLetterQueue
    clock: Callable[[], float]
    takes_all: bool = False
    held: list[FailedMessage] = field(default_factory=list)
    elsewhere: int = 0

    def letters(self) -> Iterator[list[FailedMessage]]:
        """Yield letters a few at a time, each once. What is not taken away with `forget` is put back at the end."""
        hold = HOLD_SECONDS if self.takes_all else HOLD_SECONDS + self.box.depth().all // 100
        seen: set[str] = set()
        last = self.clock()
        try:
            while True:
                fresh = [letter for letter in self.box.receive(hold) if letter.id not in seen]
                if fresh:
                    seen.update(letter.id for letter in fresh)
                    self.held += fresh
                    last = self.clock()
                    yield fresh
                elif self._is_empty() or self.clock() - last > hold + LEEWAY_SECONDS:
                    return
        finally:
            for start in range(0, len(self.held), 10):
                self.box.put_back(self.held[start : start + 10])

    def forget(self, letters: Sequence[FailedMessage]) -> None:
        """Forget letters that were removed."""
        gone = {letter.id for letter in letters}
        self.held = [letter for letter in self.held if letter.id not in gone]

    def _is_empty(self) -> bool:
        """Return whether nothing is left but what is in our own hands. SQS counts approximately, hence the patience."""
        depth = self.box.depth()
        self.elsewhere = max(0, depth.all - len(self.held))
        return self.elsewhere == 0


def look(selection: Selection, sweep: Sweep) -> Iterator[FailedMessage]:
    """Yield every failure that is meant, by one letter, and leave all letters where they are."""
    seen: set[tuple[object, ...]] = set()
    with closing(sweep.letters()) as batches:  # type: ignore[type-var] # a generator has close()
        for batch in batches:
            for letter in batch:
                if selection.selects(letter) and letter.about not in seen:
                    seen.add(letter.about)
                    yield letter


def redrive(selection: Selection, sweep: Sweep, progress: Callable[[Redrive], None]) -> Redrive:
    """Send every failure that is meant through the pipeline again. Raises CallFailed.

    A change that fails again comes back as a new letter, younger than this redrive, and is left alone. So is what
    cannot be read, unless its reason was asked for: it would only come back.
    """
    box, done = sweep.box, Redrive()
    sweep.takes_all = selection == Selection()
    started, abouts = box.now(), set[tuple[object, ...]]()
    with closing(sweep.letters()) as batches:  # type: ignore[type-var]
        for batch in batches:
            old = [letter for letter in batch if _is_older(letter, started, abouts)]
            meant = [letter for letter in old if _is_meant(letter, selection)]
            fresh = {letter.about: letter for letter in meant if letter.about not in abouts}
            sent = box.send_back(list(fresh.values())) if fresh else []
            abouts.update(letter.about for letter in sent)
            gone = [letter for letter in meant if letter.about in abouts]
            if gone:
                box.remove(gone)
                sweep.forget(gone)
            done.sent += sent
            done.doubled += len(gone) - len(sent)
            done.left += len(batch) - len(meant)
            done.refused += len(meant) - len(gone)
            progress(done)
    return done


def _is_older(letter: FailedMessage, started: int, sent: Collection[tuple[object, ...]]) -> bool:
    """Return whether a message was there before the redrive. SQS tells whole seconds, and some fail that fast."""
    if started - letter.sent >= SECOND_MS:
        return True
    return letter.sent <= started and letter.about not in sent


def _is_meant(letter: FailedMessage, selection: Selection) -> bool:
    return selection.selects(letter) and bool(letter.changes or selection.reason)
