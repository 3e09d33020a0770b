"""Settings -> adapters, once per container.

The only module that connects adapters and flows. Each handler calls one `make_` function. Clients are made on first
use, and modules that only the monitor or a rare setting needs are imported where they are used, to keep cold starts
short.
"""

import os
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from replicator.aws.buckets import S3Buckets
from replicator.aws.clients import Clients
from replicator.aws.forwarding import SqsForwarding
from replicator.aws.gates import DynamoGates
from replicator.aws.journal import DynamoJournal
from replicator.aws.log import OutcomeLog, make_logger
from replicator.aws.measures import EmbeddedMetrics
from replicator.aws.notices import EventBridge
from replicator.aws.part_queue import SqsPartQueue
from replicator.aws.peer_queues import PeerQueues
from replicator.aws.queue import SqsQueue
from replicator.aws.rule_store import RuleStore
from replicator.aws.upload_journal import DynamoUploadJournal
from replicator.core.deciding.eligibility import Limits
from replicator.core.rules.matching import RuleSet
from replicator.flows.change.conclude import Closing
from replicator.flows.change.consume import Consumer
from replicator.flows.change.gatekeeper import Gatekeeper
from replicator.flows.change.record import Recorder
from replicator.flows.change.replicate import Services
from replicator.flows.change.shares import Shares
from replicator.flows.change.status_tag import StatusTags, Tagging
from replicator.flows.large.ports import Multipart
from replicator.flows.ports import Journal
from replicator.flows.reading import Marks
from replicator.settings import Settings
from replicator.threads import FreeThreads, side_by_side

__all__ = [
    "Settings",
    "make_batch",
    "make_consumer",
    "make_monitor",
    "make_parts_consumer",
    "make_release",
    "make_services",
    "make_verify",
    "now",
    "trace_header",
]

if TYPE_CHECKING:
    from replicator.core.outcomes.threshold import Route
    from replicator.flows.release import ReleaseServices
    from replicator.flows.verify.scheduled import ScheduledServices
    from replicator.flows.watch.monitor import MonitorServices
    from replicator.flows.watch.recovery import FailedIndex, RecoveryWatch
    from replicator.flows.watch.stale_uploads import UploadCleanup


def now() -> int:
    """Return the time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def trace_header() -> str:
    """Return the trace header of the invocation, empty if there is none. Lambda's runtime sets it each time."""
    return os.environ.get("_X_AMZN_TRACE_ID", "")


def make_multipart(settings: Settings, clients: Clients, buckets: S3Buckets) -> Multipart:
    """Build what copying in parts needs."""
    return Multipart(
        model=settings.cost,
        source=buckets.large_objects,
        uploads=buckets.uploads,
        journal=DynamoUploadJournal(clients.dynamodb(), settings.journal_table),
        queue=SqsPartQueue(clients.sqs, settings.part_queue_url, side_by_side),
        is_ours=settings.is_ours,
        warn=OutcomeLog(make_logger()).incomplete,
    )


def make_rules(settings: Settings, clients: Clients) -> Callable[[str], RuleSet]:
    """Return the function that reads a bucket's rules, cached."""
    return RuleStore(clients.reader(clients.region), settings.control_bucket, defaults=settings.default_rule).rules


def make_services(settings: Settings, clients: Clients, *, checks_sight: bool = True) -> Services:
    """Build what replicating needs. checks_sight: fail if a HEAD leaves out tags or locks."""
    buckets = S3Buckets(clients, side_by_side, warn=OutcomeLog(make_logger()).incomplete, checks_sight=checks_sight)
    gatekeeper = Gatekeeper(DynamoGates(clients.dynamodb(), settings.journal_table), now, OutcomeLog(make_logger()))
    return Services(
        buckets=buckets,
        rules=make_rules(settings, clients),
        journal=DynamoJournal(clients.dynamodb(), settings.journal_table),
        marks=Marks(),
        limits=Limits(settings.cost.single_copy),
        side_by_side=side_by_side,
        threads=FreeThreads(now),
        now=now,
        own_principals=settings.own_principals,
        multipart=make_multipart(settings, clients, buckets),
        threshold_ms=settings.threshold_ms,
        gatekeeper=gatekeeper,
        shares=Shares(settings.fair_after_ms, now) if settings.fair_after_ms else None,
        enlist=gatekeeper.enlist,
        forwarding=_make_forwarding(settings, clients),
        warn=OutcomeLog(make_logger()).incomplete,
    )


def _make_forwarding(settings: Settings, clients: Clients) -> SqsForwarding:
    """Build what sends changes of replicas to the stacks that own their versions."""
    peers = PeerQueues(clients.reader(clients.region), settings.control_bucket)
    return SqsForwarding(clients.sqs, settings.change_queue_url, peers.queue_of)


def make_consumer(settings: Settings) -> Callable[[str], Consumer]:
    """Return the function that makes a consumer: a new one per batch, with its own metrics.

    It takes the name of the queue that the batch came from: that of changes or that of existing objects.
    """
    return _make_consumer(settings, settings.change_queue_url, settings.backfill_queue_url)


def make_parts_consumer(settings: Settings) -> Callable[[str], Consumer]:
    """Return the function that makes a consumer of the part queue: a new one per batch."""
    return _make_consumer(settings, settings.part_queue_url)


def _make_consumer(settings: Settings, *urls: str) -> Callable[[str], Consumer]:
    """Return the function that makes a consumer of these queues. The first is that of batches without a name."""
    clients = Clients(accounts=settings.accounts)
    services = make_services(settings, clients)
    queue, *others = (SqsQueue(clients.sqs(), url, settings.dead_letter_queue_url) for url in urls)
    named = {url.rpartition("/")[2]: each for url, each in zip(urls, (queue, *others), strict=True)}
    jitter, gatekeeper = random.SystemRandom().random, services.gatekeeper
    recorder = _make_recorder(clients, services.journal, queue)
    recorder = replace(recorder, jitter=jitter, enlist=gatekeeper.enlist if gatekeeper else recorder.enlist)
    log = OutcomeLog(make_logger())
    metrics = _make_metrics(settings)
    tags = StatusTags(_make_tagging(clients), services, log.incomplete) if settings.status_tags else None

    def make(name: str) -> Consumer:
        closing = Closing(recorder, metrics(), log, services.multipart, tags)
        return Consumer(services, named.get(name, queue), closing, jitter)

    return make


def make_batch(settings: Settings) -> tuple[Services, OutcomeLog]:
    """Build what tasks of S3 Batch Operations need: they have neither a queue nor metrics."""
    return make_services(settings, Clients(accounts=settings.accounts)), OutcomeLog(make_logger())


def make_release(settings: Settings) -> "ReleaseServices":
    """Build what sends parked changes to their queues again."""
    from replicator.aws.outbox import SqsOutbox  # noqa: PLC0415 - only this function needs them
    from replicator.aws.parked import DynamoParking  # noqa: PLC0415
    from replicator.flows.release import ReleaseServices  # noqa: PLC0415

    clients = Clients(accounts=settings.accounts)
    parking = DynamoParking(clients.dynamodb(), settings.journal_table, settings.threshold_ms)
    outbox = SqsOutbox(clients.sqs(), settings.change_queue_url, settings.part_queue_url, settings.backfill_queue_url)
    return ReleaseServices(parking, outbox, side_by_side, now, OutcomeLog(make_logger()))


def make_verify(settings: Settings) -> "ScheduledServices":
    """Build what verifying on a schedule needs: all its requests are bounded together."""
    from replicator.aws.control_documents import (  # noqa: PLC0415 - here and below: only this function
        ControlDocuments,
        CoverageProofs,
        ScheduledStates,
    )
    from replicator.aws.coverage_store import CoverageRecords  # noqa: PLC0415
    from replicator.aws.pace import Pace, PacedClients  # noqa: PLC0415
    from replicator.aws.queue_depths import QueueDepths, Traffic  # noqa: PLC0415
    from replicator.core.verifying.notice import DETAIL_TYPE, verification_detail  # noqa: PLC0415
    from replicator.flows.verify.scheduled import Completed, ScheduledServices  # noqa: PLC0415

    clients = PacedClients(Pace(settings.verify_pace), settings.accounts)
    control, default = settings.control_bucket, settings.default_rule or ("", "")
    buckets = S3Buckets(clients, side_by_side, checks_sight=False)
    documents = ControlDocuments(clients.quick_writer(clients.region), control)
    depths = QueueDepths(
        clients.sqs(),
        settings.change_queue_url,
        settings.part_queue_url,
        settings.dead_letter_queue_url,
        settings.backfill_queue_url,
    )
    events = EventBridge(clients.events, clients.region, now)

    def announce(done: Completed) -> None:
        detail = verification_detail(done.bucket, done.begun, done.ended, done.totals, done.noted)
        events.announce(DETAIL_TYPE, detail)

    return ScheduledServices(
        services=make_services(settings, clients),
        listing=buckets.listing(),
        sources=CoverageRecords(clients.reader(clients.region), control, defaults=settings.default_rule).buckets,
        states=ScheduledStates(documents),
        records=CoverageProofs(documents),
        announce=announce,
        log=OutcomeLog(make_logger()),
        is_busy=Traffic(depths).is_busy,
        wait=lambda milliseconds: time.sleep(milliseconds / 1000),
        run=lambda: uuid.uuid4().hex[:12],
        created=default if default[0] == settings.created_source else ("", ""),
    )


def make_monitor(settings: Settings) -> "tuple[Callable[[], MonitorServices], UploadCleanup]":
    """Return the function that makes the monitor's services for one run, and what cleans up uploads."""
    from replicator.aws.journal_index import JournalIndex  # noqa: PLC0415 - here and below: only the monitor needs them
    from replicator.aws.outbox import SqsOrders  # noqa: PLC0415
    from replicator.aws.parked import DynamoParking  # noqa: PLC0415
    from replicator.aws.queue_depths import QueueDepths  # noqa: PLC0415
    from replicator.flows.watch.monitor import MonitorServices  # noqa: PLC0415
    from replicator.flows.watch.parked import ParkedServices  # noqa: PLC0415
    from replicator.flows.watch.stale_uploads import UploadCleanup  # noqa: PLC0415

    clients = Clients(accounts=settings.accounts)
    sqs, dynamodb, table = clients.sqs(), clients.dynamodb(), settings.journal_table
    changes, parts, dead_letters = settings.change_queue_url, settings.part_queue_url, settings.dead_letter_queue_url
    backfill = settings.backfill_queue_url
    journal = DynamoJournal(dynamodb, table)
    recorder = _make_recorder(clients, journal, SqsQueue(sqs, changes, dead_letters))
    index = JournalIndex(dynamodb, table, settings.threshold_ms)
    queues = QueueDepths(sqs, changes, parts, dead_letters, backfill)
    rules = make_rules(settings, clients)
    metrics = _make_metrics(settings)
    parked = ParkedServices(
        DynamoGates(dynamodb, table),
        DynamoParking(dynamodb, table, settings.threshold_ms),
        SqsOrders(clients.sqs, settings.release_queue_url),
        settings.releases,
    )
    log = OutcomeLog(make_logger())
    published: set[Route] = set()
    recovery = _make_recovery(settings, clients, index, rules, log)

    def services() -> MonitorServices:
        return MonitorServices(
            index=index,
            queues=queues,
            recorder=recorder,
            rules=rules,
            gauges=metrics(),
            log=log,
            side_by_side=side_by_side,
            stack=settings.stack_name,
            claimant=f"monitor {uuid.uuid4()}",
            threshold_ms=settings.threshold_ms,
            parked=parked,
            published=published,
            recovery=recovery,
        )

    uploads = S3Buckets(clients, side_by_side).uploads
    return services, UploadCleanup(journal, DynamoUploadJournal(dynamodb, table), uploads, now)


def _make_recovery(
    settings: Settings,
    clients: Clients,
    index: "FailedIndex",
    rules: Callable[[str], RuleSet],
    log: OutcomeLog,
) -> "RecoveryWatch":
    """Build what publishes recovery points. Kept by the container: it remembers when the queue was last empty."""
    from replicator.aws.coverage_store import CoverageRecords  # noqa: PLC0415 - here and below: as in make_monitor
    from replicator.aws.destination_metrics import DestinationMetrics  # noqa: PLC0415
    from replicator.aws.queue_age import ChangeQueueAge  # noqa: PLC0415
    from replicator.aws.queue_depths import queue_account  # noqa: PLC0415
    from replicator.core.outcomes.rule_kinds import Home  # noqa: PLC0415
    from replicator.flows.watch.recovery import RecoveryWatch  # noqa: PLC0415

    control, namespace = settings.control_bucket, settings.metrics_namespace
    created, defaults, url = settings.created_source, settings.default_rule, settings.change_queue_url
    records = CoverageRecords(clients.reader(clients.region), control, created=created, defaults=defaults)
    return RecoveryWatch(
        index=index,
        sources=records,
        rules=rules,
        coverage=records,
        queue_age=ChangeQueueAge(clients, namespace, settings.stack_name, url),
        regions=DestinationMetrics(clients, namespace),
        log=log,
        side_by_side=side_by_side,
        now=now,
        home=Home(clients.region, settings.accounts.source or queue_account(url)),
    )


def _make_recorder(clients: Clients, journal: Journal, queue: SqsQueue) -> Recorder:
    """Build what records results. EventBridge's client is made with the first event."""
    notices = EventBridge(clients.events, clients.region, now)
    return Recorder(journal, queue, notices, now)


def _make_metrics(settings: Settings) -> Callable[[], EmbeddedMetrics]:
    return partial(EmbeddedMetrics, settings.metrics_namespace, settings.stack_name)


def _make_tagging(clients: Clients) -> Tagging:
    """Build what reads and replaces tags of source versions. Most stacks never need it."""
    from replicator.aws.tagging import SourceTagging  # noqa: PLC0415 - would add a millisecond to every cold start

    return SourceTagging(clients.writer(clients.region), clients.accounts.source)
