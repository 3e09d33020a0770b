"""Event source mappings: invoking functions with the messages of SQS queues, as Lambda's pollers do.

Batches, visibility, receive counts, throttling, redrive, partial batch responses and filters are as on AWS, but a new
message is noticed at once. With `crash_visibility`, the messages of a failed invocation become visible after so many
seconds instead of the queue's visibility timeout (unless the function has changed it).
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import EventSourceMapping, LambdaFunction, lambda_backends
from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue

from emulator.calls.lineage import LIMIT, lineage_of
from emulator.functions.deployed import allowed, deployed, every_backend
from emulator.functions.invoking import Functions
from emulator.functions.pools import Pool
from emulator.functions.processes import Answer, FunctionProcess
from emulator.services import cloudwatch, sqs
from emulator.services.event_filters import passes
from emulator.services.event_sources import may_delete, may_poll
from emulator.threads import Worker

LOG = logging.getLogger(__name__)
# How often queues are checked while messages wait; seconds.
_TICK = 0.025
# A backlog that lasts this long starts another process; a shorter one is a burst. Seconds.
_BACKLOG = 0.1
# So many batches of a mapping wait while its function is throttled: the concurrency with which Lambda starts to poll.
_THROTTLED = 5


@dataclass
class Source:
    """One event source mapping with its queue and function, and since when messages wait for it."""

    mapping: EventSourceMapping
    queue: Queue
    function: LambdaFunction
    waiting_since: float | None = None
    backlog_since: float | None = None
    throttled: int = 0

    @property
    def limit(self) -> int:
        """Return how many invocations the mapping allows at once."""
        return allowed(self.mapping) or 1000


class Poller:
    """Polls every queue with an event source mapping. One thread polls; each invocation has a thread of its own."""

    def __init__(self, functions: Functions, *, crash_visibility: float | None = None) -> None:
        self._functions = functions
        self._crash_visibility = crash_visibility
        self._sources: dict[str, Source] = {}
        self._busy: dict[str, int] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._worker = Worker(self._work, "poller")

    def start(self) -> None:
        """Start polling."""
        sqs.wakeups.listen(self._wake.set)
        self._functions.on_free = self._wake.set
        self._worker.start()

    def stop(self) -> None:
        """Stop polling. Running invocations end when the functions are stopped."""
        sqs.wakeups.forget(self._wake.set)
        self._stopping = True
        self._worker.end(self._wake.set)

    def idle(self) -> bool:
        """Return whether the queues with a mapping are empty: no message is visible, delayed or in flight."""
        return not any(sqs.length(source.queue) for source in self._find_sources().values())

    def _work(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self._sources = self._find_sources()
            self._functions.sweep()
            for source in self._sources.values():
                try:
                    self._serve(source)
                except Exception:
                    LOG.exception("Cannot poll the queue of %s", source.function.function_name)
            # While messages wait, the passing of time alone may make one visible.
            waiting = any(sqs.length(source.queue) for source in self._sources.values())
            self._wake.wait(_TICK if waiting else 1.0)

    def _find_sources(self) -> dict[str, Source]:
        found = (self._source(mapping) for mapping in _mappings() if mapping.enabled)
        return {source.mapping.uuid: source for source in found if source is not None}

    def _source(self, mapping: EventSourceMapping) -> Source | None:
        """Return a mapping's source, the known one if it is unchanged; None if its queue or function is deleted."""
        queue = sqs.queue_of(mapping.event_source_arn)
        function = deployed(mapping.function_arn)
        if queue is None or function is None:
            return None
        known = self._sources.get(mapping.uuid)
        if known is None or known.queue is not queue or known.function is not function:
            return Source(mapping, queue, function)
        return known

    def _serve(self, source: Source) -> None:
        """Start invocations while batches are due and processes are free."""
        if sqs.count_visible(source.queue) and not may_poll(source.function, source.queue):
            return
        pool = self._functions.pool(source.function)
        while sqs.count_visible(source.queue) and self._is_due(source):
            process = self._process_for(source, pool)
            if process is None:
                if self._is_throttled(source, pool):
                    self._throttle(source)
                return
            messages = sqs.take(source.queue, source.mapping.batch_size)
            if not messages:
                pool.give_back(process, usable=True)
                self._ended(source)
                return
            source.waiting_since = None
            arguments = (source, pool, process, messages)
            threading.Thread(target=self._run, args=arguments, name=f"invoke {pool.spec.name}", daemon=True).start()
        source.backlog_since = None

    def _is_due(self, source: Source) -> bool:
        """Return whether a batch is full or its batch window has passed."""
        window = source.mapping.max_batch_window or 0
        if not window:
            return True
        source.waiting_since = source.waiting_since or time.monotonic()
        full = sqs.count_visible(source.queue, source.mapping.batch_size) == source.mapping.batch_size
        return full or time.monotonic() - source.waiting_since >= window

    def _process_for(self, source: Source, pool: Pool) -> FunctionProcess | None:
        """Return a free process, or start another if the backlog lasts: a start costs more than a short wait."""
        most = self._share(source, pool)
        with self._lock:
            if self._busy.get(source.mapping.uuid, 0) >= most:
                return None
            self._busy[source.mapping.uuid] = self._busy.get(source.mapping.uuid, 0) + 1
        now = time.monotonic()
        lasting = source.backlog_since is not None and now - source.backlog_since >= _BACKLOG
        process = pool.take(start_another=lasting)
        if process is None:
            self._ended(source)
        if lasting or source.backlog_since is None:
            source.backlog_since = now
        return process

    def _share(self, source: Source, pool: Pool) -> int:
        """Return how many processes a mapping may hold: if its function has others and too few for all, its share.

        Lambda has room for them all. Here, one mapping would keep the others waiting. Lambda's least limit is two.
        """
        limits = [each.limit for each in self._sources.values() if each.function is source.function]
        if len(limits) < 2 or sum(limits) <= pool.spec.limit:
            return source.limit
        return min(source.limit, max(2, round(pool.spec.limit * source.limit / sum(limits))))

    def _is_throttled(self, source: Source, pool: Pool) -> bool:
        """Return whether the function's reserved concurrency, which pollers do not know, leaves no invocation."""
        reserved = source.function.reserved_concurrency
        exhausted = reserved is not None and int(reserved) <= pool.spec.limit and pool.full
        return exhausted and self._busy.get(source.mapping.uuid, 0) < source.limit and source.throttled < _THROTTLED

    def _throttle(self, source: Source) -> None:
        """Take a batch that cannot be processed now, as Lambda does: its messages have been received."""
        messages = sqs.take(source.queue, source.mapping.batch_size)
        if not messages:
            return
        source.waiting_since = None
        if self._crash_visibility is not None:
            self._hide(source, messages)
        with self._lock:
            self._busy[source.mapping.uuid] = self._busy.get(source.mapping.uuid, 0) + 1
            source.throttled += 1
        name = f"throttled {source.function.function_name}"
        threading.Thread(target=self._retry, args=(source, messages), name=name, daemon=True).start()

    def _retry(self, source: Source, messages: list[Message]) -> None:
        """Invoke with a throttled batch as soon as the function may run, unless its messages are visible before."""
        end, process = min(message.visible_at for message in messages), None
        while process is None and unix_time_millis() < end and not self._stopping:
            time.sleep(_TICK)
            if deployed(source.mapping.function_arn) is not None:
                pool = self._functions.pool(source.function)
                process = pool.take(start_another=True)
        with self._lock:
            source.throttled -= 1
        if process is None:
            self._ended(source)
            self._wake.set()
        else:
            self._run(source, pool, process, messages)

    def _hide(self, source: Source, messages: list[Message]) -> None:
        for message in messages:
            sqs.hide(source.queue, message, self._crash_visibility or 0.0)

    def _ended(self, source: Source) -> None:
        with self._lock:
            self._busy[source.mapping.uuid] -= 1

    def _run(self, source: Source, pool: Pool, process: FunctionProcess, messages: list[Message]) -> None:
        try:
            with self._functions.running():
                self._invoke(source, pool, process, messages)
        except Exception:
            LOG.exception("An invocation of %s failed in the emulator", pool.spec.name)
        finally:
            self._ended(source)
            self._wake.set()

    def _invoke(self, source: Source, pool: Pool, process: FunctionProcess, messages: list[Message]) -> None:
        wanted = [message for message in messages if self._is_wanted(source, message)]
        if not wanted or self._is_loop(source, wanted):
            pool.give_back(process, usable=True)
            return
        hidden = {message.id: message.visible_at for message in wanted}
        event = {"Records": [record(source, message) for message in wanted]}
        answer = self._functions.run(pool, process, event, wanted)
        self._settle(source, wanted, answer, hidden)

    def _is_wanted(self, source: Source, message: Message) -> bool:
        """Remove a message that a filter drops; return False for it."""
        if not passes(source.mapping.filter_criteria, record(source, message)):
            sqs.discard(source.queue, message)
            self._functions.count_filtered(source.function.function_name)
            return False
        return True

    def _is_loop(self, source: Source, batch: list[Message]) -> bool:
        """Refuse a batch with a message of a recursive loop: as a whole, because it has one trace.

        Its messages, innocent ones too, come back as after a crash, until they have been received too often.
        """
        arn = source.function.function_arn
        if all(lineage_of(message).counts.get(arn, 0) < LIMIT for message in batch):
            return False
        LOG.warning("Recursive loop: %s has invoked itself %d times; stopped", source.function.function_name, LIMIT)
        cloudwatch.count("AWS/Lambda", "RecursiveInvocationsDropped", arn, FunctionName=source.function.function_name)
        if self._crash_visibility is not None:
            self._hide(source, batch)
        return True

    def _settle(self, source: Source, messages: list[Message], answer: Answer, hidden: Mapping[str, float]) -> None:
        """Delete the messages that succeeded; leave the others on the queue.

        With `crash_visibility`, that decides after a crash when they become visible, even if the function had changed
        their visibility before it died. After an error it decides only if the function had not.
        """
        failed = failed_ids(answer, [message.id for message in messages], source.mapping.function_response_types or [])
        for message in messages:
            if failed is not None and message.id not in failed:
                if may_delete(source.function, source.queue):
                    sqs.discard(source.queue, message)
                continue
            as_it_was = answer.crashed or message.visible_at == hidden[message.id]
            if failed is None and self._crash_visibility is not None and as_it_was:
                self._hide(source, [message])


def _mappings() -> Iterator[EventSourceMapping]:
    for _, backend in every_backend(lambda_backends):
        for mapping in list(backend._event_source_mappings.values()):  # noqa: SLF001 - moto lists one Region only
            if ":sqs:" in mapping.event_source_arn:
                yield mapping


def failed_ids(answer: Answer, ids: list[str], response_types: list[str]) -> set[str] | None:
    """Return the ids of the messages that failed; None if the whole batch failed.

    As in Lambda, an empty partial batch response means success; a malformed one or an unknown id fails the batch.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if answer.error is not None:
        return None
    if "ReportBatchItemFailures" not in response_types or answer.value is None:
        return set()
    if not isinstance(answer.value, dict):
        return None
    failures = answer.value.get("batchItemFailures") or []
    if not isinstance(failures, list):
        return None
    failed = {str(failure.get("itemIdentifier")) if isinstance(failure, dict) else "" for failure in failures}
    return failed if failed <= set(ids) else None


def record(source: Source, message: Message) -> dict[str, Any]:
    """Return a message as a record of the event that Lambda passes to a function."""
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_timestamp),
        **({"AWSTraceHeader": lineage.header()} if (lineage := lineage_of(message)).counts else {}),
        **{name: value["StringValue"] for name, value in message.system_attributes.items() if "StringValue" in value},
    }
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        **({"md5OfMessageAttributes": message.attribute_md5} if message.message_attributes else {}),
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": source.queue.queue_arn,
        "awsRegion": source.queue.region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    texts = {"stringValue": value["StringValue"]} if "StringValue" in value else {}
    binary = value.get("BinaryValue")
    blobs = {"binaryValue": binary.decode() if isinstance(binary, bytes) else binary} if binary is not None else {}
    return {**texts, **blobs, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
