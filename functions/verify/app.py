"""VerifyFunction: schedules -> flows.verify.scheduled. Decides nothing."""

from collections.abc import Mapping
from typing import Any

from replicator.flows.verify.scheduled import verify_for_a_while
from replicator.runtime import Settings, make_verify, now

_services = make_verify(Settings.read())
LEEWAY_MS = 45_000
"""What the keys that are being examined when the time is up may take."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Verify for a while. Only the schedule of the stack's owner begins verifications; the other one goes on."""
    over = now() + context.get_remaining_time_in_millis()
    completed = verify_for_a_while(_services, begin=not event.get("continue"), until=over - LEEWAY_MS, lease=over)
    return {"completed": completed}
