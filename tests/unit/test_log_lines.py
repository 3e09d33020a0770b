"""One call of a log is one line of it, whatever is in keys, details, rules and errors: nobody can forge a line."""

import json
import logging
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

import pytest
from replicator.aws.log import OutcomeLog, make_logger
from replicator.aws.printable import json_line, printable
from replicator.core.outcomes.outcome import Outcome, Reason, Status
from replicator.core.versions.change import Change

from tests.unit.values import created

EVIL = '\r\n{"level":"ERROR","message":"forged"}\n\x1b[31m\x85\x9b\u2028\u202e\ufeff'


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Any:
    """Return a log whose stream takes only what UTF-8 can encode, as that of a function, and its lines."""
    stream = TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)
    log = OutcomeLog(make_logger(service=request.node.name, stream=stream))

    def lines() -> list[dict[str, Any]]:
        text = stream.buffer.getvalue().decode()
        assert text.endswith("\n")
        assert text.replace("\n", "").isprintable()
        return [json.loads(line) for line in text.splitlines()]

    return log, lines


def evil() -> Change:
    return replace(created(), key=EVIL)


def test_an_outcome_is_one_line_with_the_exact_key(written: Any) -> None:
    log, lines = written
    log.outcome(evil(), Outcome(Status.FAILED, Reason.UNKNOWN, detail=EVIL, rule_id=EVIL, destination=EVIL))
    [line] = lines()
    assert (line["key"], line["detail"], line["rule"], line["destination"]) == (EVIL,) * 4


def test_an_unexpected_error_is_one_line_with_its_trace(written: Any) -> None:
    log, lines = written
    log.unexpected(evil(), ValueError(EVIL))
    log.incomplete(EVIL)
    first, second = lines()
    assert first["key"] == EVIL
    assert second["message"] == EVIL


def test_what_modules_log_by_themselves_is_one_line() -> None:
    stream = StringIO()
    logging.StreamHandler(stream).emit(logging.makeLogRecord({"msg": "%s", "args": (printable(EVIL),)}))
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue()[:-1].isprintable()


def test_what_prints_stays_readable(written: Any) -> None:
    log, lines = written
    log.incomplete("photos/猫 ü.jpg")
    assert lines()[0]["message"] == "photos/猫 ü.jpg"
    assert printable("photos/猫 ü.jpg") == "photos/猫 ü.jpg"


def test_a_lone_surrogate_can_be_written_too() -> None:
    """JSON of EventBridge's can name one, and no encoding has it: the line would be lost."""
    assert json.loads(json_line({"key": "\ud800"}).encode()) == {"key": "\ud800"}
    assert printable("\ud800").encode() == rb"\ud800"
