"""Every example event through the real handler, with in-memory buckets behind it; `.expected.json` says what comes."""

import importlib
import itertools
from types import ModuleType
from typing import Any

import pytest
from replicator.core.rules.document import parse
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import MARK, Origin, Site, encode_mark

from tests.fakes.stored import Content, Stored
from tests.flows.stage import FUNCTION_MS, Stage
from tests.functions.cases import EVENTS, MARKER, NULL, Case, cases, ground

ENVIRONMENT = {
    "CONTROL_BUCKET": "control",
    "JOURNAL_TABLE": "journal",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a handler's module as Lambda does, with the variables that the template gives."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return importlib.import_module


class Context:
    """What the handler asks Lambda's context object for."""

    def get_remaining_time_in_millis(self) -> int:
        return FUNCTION_MS


def rules() -> tuple[Rule, ...]:
    return parse("east", ground()["rules"]["east"]).rules


def set_up(case: Case) -> Stage:
    """Return a stage with the objects of a case; no event announces them."""
    stage = Stage(rules())
    for given in case.expected["objects"]:
        put(stage, given)
    stage.queue.messages.clear()
    return stage


def put(stage: Stage, given: dict[str, Any]) -> Stored:
    bucket, key = given["bucket"], given["key"]
    stage.s3.clock.advance(1)
    stage.s3.new_id = lambda: str(given["version_id"])
    stage.s3.buckets[bucket].versioning = "Suspended" if given["version_id"] == NULL else "Enabled"
    try:
        if given.get("delete_marker"):
            marker = stage.s3.delete(bucket, key)
            assert marker
            return marker
        content = Content(given["body"].encode(), mark(given, stage), tags=given.get("tags", {}))
        stored = stage.s3.put(bucket, key, content)
        if given.get("deleted_for_good"):
            stage.s3.destroy(bucket, key, stored.version_id)
        return stored
    finally:
        stage.s3.buckets[bucket].versioning = "Enabled"
        numbers = itertools.count(1)
        stage.s3.new_id = lambda: f"replica {next(numbers)}"


def mark(given: dict[str, Any], stage: Stage) -> dict[str, str]:
    """Return the metadata of what a replicator of the other side wrote."""
    if "replica_of" not in given:
        return {}
    bucket, _, version_id = given["replica_of"].partition("/")
    now = int(stage.s3.clock.now)
    return {MARK: encode_mark(Origin(bucket, version_id, now), Site(given["bucket"], given["key"], now))}


def stands_for(stage: Stage, bucket: str, key: str) -> list[str]:
    history = stage.s3.buckets[bucket].history(key)
    origins = stage.replicas(key, bucket)
    return [origin if stored.is_version else MARKER for stored, origin in zip(history, origins, strict=True)]


def check_histories(stage: Stage, case: Case) -> None:
    for wanted in case.expected["histories"]:
        assert stands_for(stage, wanted["bucket"], wanted["key"]) == wanted["stands_for"]
    written = {(name, key) for name in ("west", "north") for key, history in
               stage.s3.buckets[name].histories.items() if history}  # fmt: skip
    assert written == {(wanted["bucket"], wanted["key"]) for wanted in case.expected["histories"]}


REPLICATE, BATCH = cases("ReplicateFunction"), cases("BatchFunction")


@pytest.mark.parametrize("case", REPLICATE, ids=[case.name for case in REPLICATE])
def test_the_replicate_function_does_with_an_example_event_what_is_expected(
    case: Case, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = set_up(case)
    app: ModuleType = load("replicate.app")
    monkeypatch.setattr(app, "_consumer", lambda _queue: stage.consumer)
    assert app.handler(case.event, Context()) == case.expected["answer"]
    assert outcomes(stage) == sorted(case.expected["outcomes"], key=str)
    assert [dead_letter(case, dead) for dead in stage.queue.dead] == case.expected["dead_letters"]
    check_histories(stage, case)


def outcomes(stage: Stage) -> list[dict[str, Any]]:
    rows = [
        {
            "version_id": outcome.origin.version_id if outcome.origin else None,
            "destination": outcome.destination,
            "status": outcome.status,
            "reason": outcome.reason,
        }
        for outcome in stage.outcomes
    ]
    return sorted(rows, key=str)


def dead_letter(case: Case, dead: Any) -> dict[str, Any]:
    """Return what a case expects of a message in the dead-letter queue; its body only where the case says it."""
    origin = dead.outcome.origin
    row = {
        "reason": dead.outcome.reason,
        "destination": dead.outcome.destination,
        "version_id": origin.version_id if origin else None,
    }
    return row | ({"body": dead.body} if any("body" in wanted for wanted in case.expected["dead_letters"]) else {})


@pytest.mark.parametrize("case", BATCH, ids=[case.name for case in BATCH])
def test_the_batch_function_does_with_an_example_event_what_is_expected(
    case: Case, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = set_up(case)
    app: ModuleType = load("batch.app")
    monkeypatch.setattr(app, "_services", stage.services)
    monkeypatch.setattr(app, "_log", stage.log)
    assert app.handler(case.event, Context()) == case.expected["answer"]
    assert stage.queue.dead == []
    check_histories(stage, case)


def test_every_example_event_has_an_expectation_beside_it() -> None:
    shapes = {path for path in EVENTS.glob("*/*.json") if not path.name.endswith(".expected.json")}
    without = {path for path in shapes if not path.with_name(f"{path.stem}.expected.json").exists()}
    assert without == set()


def test_every_expectation_says_in_a_sentence_what_it_shows() -> None:
    assert [str(case) for case in (*REPLICATE, *BATCH) if not case.expected["says"].endswith(".")] == []
