"""MonitorFunction: every minute, what waits and what is late -> flows.monitor. Decides nothing."""

import uuid
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from replicator.aws.buckets import S3Buckets
from replicator.aws.clients import Clients
from replicator.aws.journal import DynamoJournal
from replicator.aws.journal_index import JournalIndex
from replicator.aws.log import OutcomeLog
from replicator.aws.measures import EmbeddedMetrics
from replicator.aws.queue import SqsQueue
from replicator.aws.queue_depths import QueueDepths
from replicator.aws.upload_journal import DynamoUploadJournal
from replicator.core.outcomes.threshold import Route
from replicator.flows.change.record import Recorder
from replicator.flows.watch.monitor import MonitorServices, monitor
from replicator.flows.watch.stale_uploads import UploadWatch, abort_stale
from replicator.runtime import Settings, make_notices, make_rules, now, side_by_side

_settings, _clients = Settings.read(), Clients()
_queue = SqsQueue(_clients.sqs(), _settings.change_queue_url, _settings.dead_letter_queue_url)
_journal = DynamoJournal(_clients.dynamodb(), _settings.journal_table)
_books = Recorder(_journal, _queue, make_notices(_clients), now)
_rules = make_rules(_settings, _clients)
_uploads = UploadWatch(
    _journal,
    DynamoUploadJournal(_clients.dynamodb(), _settings.journal_table),
    S3Buckets(_clients, side_by_side).uploads,
    now,
)
_reported: set[Route] = set()


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Look once; the answer is for whoever runs it by hand."""
    tally = monitor(
        MonitorServices(
            index=JournalIndex(_clients.dynamodb(), _settings.journal_table, _settings.threshold_ms),
            queues=QueueDepths(
                _clients.sqs(), _settings.change_queue_url, _settings.part_queue_url, _settings.dead_letter_queue_url
            ),
            recorder=_books,
            rules=_rules,
            gauges=EmbeddedMetrics(_settings.metrics_namespace, _settings.stack_name),
            log=OutcomeLog(Logger()),
            side_by_side=side_by_side,
            stack=_settings.stack_name,
            threshold_ms=_settings.threshold_ms,
            claimant=f"monitor {uuid.uuid4()}",
            reported=_reported,
        )
    )
    aborted = abort_stale(_uploads)
    ages = dict(tally.ages())
    return {"pending": tally.all.operations, "bytes": tally.all.bytes, "ages": ages, "uploads_aborted": aborted}
