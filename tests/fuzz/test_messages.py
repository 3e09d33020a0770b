"""Mutated messages through the real flows: no crash, nothing lost, nothing that comes back for ever."""

import json
import random
from collections import Counter
from typing import Any

from hypothesis import given
from replicator.core.outcomes.batch import ResultCode, read_tasks, response
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.events import Record, Unreadable, parse
from replicator.flows.batch import process_tasks

from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, OURS, WEST, Stage
from tests.functions.cases import cases
from tests.fuzz.mutated import fuzz, mutated, mutated_texts

BODIES = [
    json.loads(record["body"])
    for case in cases("ReplicateFunction")
    for record in case.event["Records"]
    if "not-json" not in case.name
]
INVOCATIONS = [case.event for case in cases("BatchFunction")]
NAMED = [
    record.change
    for body in BODIES
    for record in parse(json.dumps(body))
    if isinstance(record, Record) and record.change.kind is ChangeKind.CREATED and record.change.bucket == EAST
]
"""The versions that the examples name."""
GOOD = "photos/good.jpg"


def prepared() -> Stage:
    """Return a stage with a good version whose message waits, and with every version that the examples name."""
    stage = Stage([rule(WEST, delete_markers=True)])
    for change in NAMED:
        write(stage, change)
    stage.queue.messages.clear()
    stage.put(GOOD)
    return stage


def write(stage: Stage, change: Change) -> None:
    """Write the version that a change names."""
    if stage.s3.buckets[EAST].find(change.key, change.version_id):
        return
    stage.s3.buckets[EAST].versioning = "Suspended" if change.version_id == "null" else "Enabled"
    new_id, stage.s3.new_id = stage.s3.new_id, lambda: change.version_id
    stage.put(change.key)
    stage.s3.new_id, stage.s3.buckets[EAST].versioning = new_id, "Enabled"


def lost(stage: Stage, body: str) -> list[Change]:
    """Return the changes of a message whose versions exist, and which no copy and no failure stands for."""
    named = [record.change for record in parse(body) if isinstance(record, Record)]
    if stage.queue.dead:
        return []
    return [
        change
        for change in named
        if change.kind is ChangeKind.CREATED
        and change.bucket == EAST
        and change.principal != OURS
        and stage.s3.buckets[EAST].find(change.key, change.version_id)
        and change.version_id not in stage.replicas(change.key)
    ]


@fuzz
@given(mutated_texts(BODIES))
def test_a_mutated_event_ends_and_nothing_that_it_names_is_lost(body: str) -> None:
    stage = prepared()
    stage.queue.send(body)
    stage.deliver_all()
    malformed = [read for read in parse(body) if isinstance(read, Unreadable)]
    assert stage.log.errors == []
    assert [dead.outcome.reason for dead in stage.queue.dead].count(Reason.MALFORMED) == len(malformed)
    assert lost(stage, body) == []
    assert len(stage.replicas(GOOD)) == 1
    assert {status for status, _ in stage.waiting().values()} <= {Status.FAILED}


def parts_messages() -> list[Any]:
    """Return the messages of the parts of one large version."""
    stage = LargeStage([rule(WEST)])
    stage.put_large()
    stage.deliver()
    return [json.loads(letter.body) for letter in stage.part_queue.messages.values()]


@fuzz
@given(mutated_texts(parts_messages()))
def test_a_mutated_message_of_parts_ends_and_the_object_arrives_whole_or_fails(body: str) -> None:
    stage = LargeStage([rule(WEST)])
    stage.s3.new_id = iter(["v1", *(f"w{number}" for number in range(99))]).__next__
    stage.put_large()
    stage.deliver()
    stage.part_queue.send(body)
    stage.run_worker(*stage.part_queue.visible()[::-1])
    stage.deliver_all()
    assert stage.log.errors == []
    assert stage.body() == b"seven77" or stage.queue.dead != []
    assert {status for status, _ in stage.waiting().values()} <= {Status.FAILED}


@fuzz
@given(mutated(INVOCATIONS))
def test_a_mutated_invocation_gets_one_final_result_for_each_task_or_is_refused(invocation: Any) -> None:
    stage = prepared()
    stage.queue.messages.clear()
    try:
        tasks = read_tasks(invocation)
    except ValueError:
        return
    results = process_tasks(tasks, stage.services, stage.log)
    assert stage.log.errors == []
    assert [result.task_id for result in results] == [task["taskId"] for task in invocation["tasks"]]
    assert [result for result in results if result.code is ResultCode.TEMPORARY] == []
    json.dumps(response(invocation, results))


def malformed_bodies(number: int) -> list[str]:
    """Return so many messages that are none, all different: cut short, emptied, or with a field of the wrong kind."""
    chance = random.Random(0)  # noqa: S311
    bodies: list[str] = []
    while len(bodies) < number:
        text = json.dumps(chance.choice(BODIES))
        body = chance.choice([
            text[: chance.randrange(1, len(text))],
            text.replace('"key"', f'"key{len(bodies)}"'),
            text.replace('"bucket"', f'"bucket{len(bodies)}"'),
            json.dumps({"Records": len(bodies)}),
            f"{len(bodies)} {text}",
        ])  # fmt: skip
        read = parse(body)
        if len(read) == 1 and isinstance(read[0], Unreadable):
            bodies.append(body)
    return bodies


def test_ten_thousand_malformed_messages_end_in_the_dead_letter_queue_while_good_ones_pass() -> None:
    """Each at its first receive, as it came; in batches of ten, most of which bring a good one as well."""
    stage = Stage([rule(WEST)])
    bodies = malformed_bodies(10_000)
    for number, body in enumerate(bodies):
        stage.queue.send(body)
        if number % 10 == 0:
            stage.put(f"photos/{number}")
    messages = stage.queue.visible()
    for first in range(0, len(messages), 10):
        assert stage.deliver(*messages[first : first + 10]) == []
    assert stage.queue.messages == {}
    assert Counter(dead.body for dead in stage.queue.dead) == Counter(bodies)
    assert {dead.outcome.reason for dead in stage.queue.dead} == {Reason.MALFORMED}
    assert sum(len(stage.replicas(f"photos/{number}")) for number in range(0, 10_000, 10)) == 1_000
    assert stage.log.errors == []
