"""BatchFunction: tasks of an S3 Batch Operations job -> flows.batch. Decides nothing."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from replicator.aws.clients import Clients
from replicator.aws.log import OutcomeLog
from replicator.core.outcomes.batch import answer, read_tasks
from replicator.flows.batch import process_tasks
from replicator.runtime import Settings, make_services

_services = make_services(Settings.read(), Clients())
_log = OutcomeLog(Logger())


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Work off the tasks of one invocation; S3 repeats those that are answered with TemporaryFailure."""
    return answer(event, process_tasks(read_tasks(event), _services, _log))
