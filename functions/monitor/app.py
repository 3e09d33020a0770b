"""MonitorFunction: a schedule, every minute -> flows.watch. Decides nothing."""

from collections.abc import Mapping
from typing import Any

from replicator.flows.watch.monitor import monitor
from replicator.flows.watch.stale_uploads import abort_stale
from replicator.runtime import Settings, make_monitor

_services, _uploads = make_monitor(Settings.read())


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Run once. The response is for people who invoke the function by hand."""
    tally = monitor(_services())
    aborted = abort_stale(_uploads)
    ages = dict(tally.ages())
    return {"pending": tally.all.operations, "bytes": tally.all.bytes, "ages": ages, "uploads_aborted": aborted}
