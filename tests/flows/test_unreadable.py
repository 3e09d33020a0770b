"""Answers that cannot be read end a change as FAILED after a few attempts, and leave no upload behind."""

import pytest
from replicator.core.outcomes.backoff import UNREADABLE_RECEIVES
from replicator.core.outcomes.outcome import Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import WEST

UNREADABLE = Temporary(Reason.UNREADABLE, "CreateMultipartUpload (destination): no UploadId")
BODIES = {"in one function": b"fives", "over many functions": b"seven77"}


@pytest.mark.parametrize("operation", ["START", "LIST PARTS", "COPY PART", "COMPLETE", "HEAD", "COPY"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_change_whose_answers_cannot_be_read_fails_and_leaves_no_upload(operation: str, body: bytes) -> None:
    stage = LargeStage([rule(WEST)])
    if operation == "COPY":
        stage.put()
    else:
        stage.put_large(body)
    stage.fail(operation, UNREADABLE, times=1000, after=operation == "START")
    stage.deliver_all()
    assert stage.uploads.begun == {}
    assert len(stage.calls(operation)) <= 40, "a bounded number of requests"
    if stage.calls(operation):
        assert stage.counted[-1] == (Status.FAILED, Reason.UNREADABLE)
        assert sum(status is Status.FAILED for status, _ in stage.counted) == 1


def test_an_answer_that_could_not_be_read_once_fails_nothing() -> None:
    stage = LargeStage([rule(WEST)])
    stage.put()
    stage.fail("COPY", UNREADABLE, times=UNREADABLE_RECEIVES - 1)
    stage.deliver_all()
    assert stage.counted[-1] == (Status.COMPLETED, None)
