"""BatchFunction: tasks of an S3 Batch Operations job -> flows.batch. Decides nothing."""

import time
from collections.abc import Mapping
from typing import Any

from replicator.core.outcomes.batch import read_tasks, response
from replicator.flows.batch import Patience, process_tasks
from replicator.runtime import Settings, make_batch

_settings = Settings.read()
_services, _log = make_batch(_settings)
LEEWAY_MS = 30_000
"""What a last look at a large object may take before the invocation times out."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Process the tasks of one invocation; S3 repeats those that are answered with TemporaryFailure."""
    left = min(context.get_remaining_time_in_millis() - LEEWAY_MS, _settings.task_wait * 1000)
    patience = Patience(_services.now() + left, time.sleep)
    return response(event, process_tasks(read_tasks(event), _services, _log, patience))
