"""List failures, or redrive them: receive -> send to the change queue -> delete, a few at a time.

Nothing is kept between the two steps. An operator can interrupt a redrive at any point and run it again: a message that
was sent but not deleted is sent twice, and its second copy finds the object already at the destination.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from s3replicator.failures.failed_messages import FailedMessage, Selection
from s3replicator.failures.queue_scan import QueueScan

SECOND_MS = 1000


@dataclass(slots=True)
class RedriveResult:
    """How far a redrive has come: messages sent, left because they were not selected, and refused by SQS.

    `duplicates`: messages about a failure that was already sent; they were deleted with it.
    """

    sent: list[FailedMessage] = field(default_factory=list)
    left: int = 0
    refused: int = 0
    duplicates: int = 0

    @property
    def seen(self) -> int:
        """Count the messages that were received."""
        return len(self.sent) + self.left + self.refused + self.duplicates


def list_failures(selection: Selection, scan: QueueScan) -> Iterator[FailedMessage]:
    """Yield one message for every selected failure, and leave all messages where they are. Raises CallFailed."""
    seen: set[tuple[object, ...]] = set()
    with closing(scan.batches()) as batches:
        for batch in batches:
            for message in batch:
                if selection.selects(message) and message.failure not in seen:
                    seen.add(message.failure)
                    yield message


def redrive(selection: Selection, scan: QueueScan, progress: Callable[[RedriveResult], None]) -> RedriveResult:
    """Send every selected failure to the change queue again. Raises CallFailed.

    A change that fails again comes back as a new message, younger than this redrive, and is left alone. So is a message
    that cannot be parsed, unless its reason is selected: it would only come back.
    """
    queue, result = scan.queue, RedriveResult()
    scan.takes_all = selection == Selection()
    started, failures = queue.now(), set[tuple[object, ...]]()
    with closing(scan.batches()) as batches:
        for batch in batches:
            old = [message for message in batch if _is_older(message, started, failures)]
            selected = [message for message in old if _is_selected(message, selection)]
            fresh = {message.failure: message for message in selected if message.failure not in failures}
            sent = queue.send_back(list(fresh.values())) if fresh else []
            failures.update(message.failure for message in sent)
            gone = [message for message in selected if message.failure in failures]
            if gone:
                scan.remove(gone)
            result.sent += sent
            result.duplicates += len(gone) - len(sent)
            result.left += len(batch) - len(selected)
            result.refused += len(selected) - len(gone)
            progress(result)
    return result


def _is_older(message: FailedMessage, started: int, sent: Collection[tuple[object, ...]]) -> bool:
    """Return whether a message is older than the redrive. SQS shows whole seconds, and some changes fail that fast."""
    if started - message.sent >= SECOND_MS:
        return True
    return message.sent <= started and message.failure not in sent


def _is_selected(message: FailedMessage, selection: Selection) -> bool:
    return selection.selects(message) and bool(message.changes or selection.reason)
