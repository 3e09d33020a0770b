"""ReleaseFunction: orders of the monitor -> flows.release. Decides nothing."""

from collections.abc import Mapping
from typing import Any

from replicator.core.outcomes.release import decode
from replicator.flows.release import release
from replicator.runtime import Settings, make_release

_services = make_release(Settings.read())


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Carry out the orders of one batch. An order that fails is not repeated: the monitor sends new ones."""
    return {"released": sum(release(decode(record["body"]), _services) for record in event.get("Records", ()))}
