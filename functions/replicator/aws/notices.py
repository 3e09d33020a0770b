"""The port `Notices` on EventBridge: events go to the default bus, ten per request; refused ones are sent again."""

import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking, required
from replicator.aws.errors import Side
from replicator.aws.printable import printable
from replicator.core.outcomes.notices import SOURCE, Notice, detail
from replicator.core.outcomes.outcome import Reason, Temporary

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

ENTRIES = 10
"""Entries of one request (EventBridge API reference, PutEvents)."""
ATTEMPTS = 3
"""Requests for entries that EventBridge refused in a successful response; botocore retries only whole requests."""

logger = logging.getLogger(__name__)


class EventBridge:
    """The default event bus of the stack's Region."""

    def __init__(self, client: Callable[[], "EventBridgeClient"], region: str, now: Callable[[], int]) -> None:
        """Take a function that returns the client, because most containers never need it. `now`: epoch milliseconds."""
        self._client = client
        self._region = region
        self._now = now

    def announce(self, detail_type: str, detail: dict[str, Any]) -> None:
        """Send one event that is none of S3's. Raises as `publish` does."""
        self._send_all([{"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}])

    def publish(self, notices: Sequence[Notice]) -> None:
        """Send events. Raises Temporary if it may succeed later. Without permission, they are logged and dropped."""
        for start in range(0, len(notices), ENTRIES):
            self._send_all([self._entry(notice) for notice in notices[start : start + ENTRIES]])

    def _send_all(self, entries: list[dict[str, Any]]) -> None:
        for _ in range(ATTEMPTS):
            entries = self._send(entries)
            if not entries:
                return
        raise Temporary(Reason.SERVICE, f"PutEvents: {len(entries)} events were refused")

    def _entry(self, notice: Notice) -> dict[str, Any]:
        text = json.dumps(detail(notice, self._region, self._now()), ensure_ascii=False)
        return {"Source": SOURCE, "DetailType": str(notice.kind), "Detail": text}

    def _send(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make one request; return the entries to send again."""
        try:
            with asking("PutEvents", Side.EVENTS):
                answer = self._client().put_events(Entries=entries)  # type: ignore[arg-type] # built above
                results = required(answer, "Entries")
        except Temporary as trouble:
            if trouble.reason is not Reason.JOURNAL_DENIED:
                raise
            # Replication must not wait for a permission that only events need.
            logger.error("events are not sent: %s", printable(str(trouble)))  # noqa: TRY400 - no traceback
            return []
        return [entry for entry, result in zip(entries, results, strict=True) if result.get("ErrorCode")]
