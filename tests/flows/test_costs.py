"""The cost model (`benchmarks/costs.py`) counts the requests that the flows make when nothing goes wrong."""

from collections import Counter

import pytest

from benchmarks import costs
from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, WEST

PUTS = ("COPY", "START", "COPY PART", "COMPLETE", "ANNOTATE", "LIST", "LIST PARTS", "LIST UPLOADS", "LIST ANNOTATIONS")
GETS = ("HEAD", "GET ANNOTATION")
WRITES = ("OPENED", "WAIT", "SENT", "SETTLE", "CLOSE", "ENDED")
READS = ("READ", "FIND UPLOAD", "FIND UPLOADS")


@pytest.mark.parametrize("annotations", [0, 3])
@pytest.mark.parametrize(
    ("body", "parts", "messages"),
    [(b"fives", 5, 0), (b"seven77", 7, 4), (b"twelve345678", 12, 6)],
    ids=["one function", "four messages", "six messages"],
)
def test_the_model_counts_the_requests_of_a_large_object(
    body: bytes, parts: int, messages: int, annotations: int
) -> None:
    stage = LargeStage([rule(WEST)])
    version = stage.put_large(body)
    stage.uploads.annotations[EAST, "k", version.version_id] = {str(number): b"1" for number in range(annotations)}
    stage.deliver_all()
    made = Counter(call.operation for call in stage.points.calls)
    counted = [sum(made[name] for name in names) for names in (PUTS, GETS, WRITES, READS)]
    expected = costs.requests(parts, messages, annotations)
    assert counted == [expected.puts, expected.gets, expected.writes, expected.reads]


def test_the_model_counts_the_requests_of_a_small_object() -> None:
    stage = LargeStage([rule(WEST)])
    stage.put_large(b"one")
    stage.deliver_all()
    made = Counter(call.operation for call in stage.points.calls)
    assert made == {"READ GATES": 1, "HEAD": 1, "COPY": 1, "READ": 1, "SETTLE": 1}, "gates: once in ten seconds"
    assert costs.requests(0, 0, 0) == costs.Requests(puts=1, gets=1, writes=1, reads=1)
