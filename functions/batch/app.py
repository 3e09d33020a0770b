"""BatchFunction: tasks of an S3 Batch Operations job -> flows.batch. Decides nothing."""

from collections.abc import Mapping
from typing import Any

from replicator.core.outcomes.batch import read_tasks, response
from replicator.flows.batch import process_tasks
from replicator.runtime import Settings, make_batch

_services, _log = make_batch(Settings.read())


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Process the tasks of one invocation; S3 repeats those that are answered with TemporaryFailure."""
    return response(event, process_tasks(read_tasks(event), _services, _log))
