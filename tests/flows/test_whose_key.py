"""A refused copy is the source's trouble if a HEAD of the source says so, and the destination's otherwise."""

from dataclasses import replace

import pytest
from replicator.core.deciding.facts import ABSENT, Absent
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.version import Head
from replicator.flows.change.whose_key import IN_DOUBT, name_side

FINE = Head("v", '"e"', 7, 1)
ANSWERS: dict[str, tuple[Head | Absent, Reason | None]] = {
    "fine": (FINE, None),
    "gone": (ABSENT, None),
    "a key in a bad state": (replace(FINE, key_invalid=True), Reason.SRC_KMS_STATE),
    "a key that is denied": (replace(FINE, key_denied=True), Reason.SRC_KMS_DENIED),
}


class Source:
    """A source that is only asked for HEADs, and counts them."""

    def __init__(self, answer: Head | Absent | Exception) -> None:
        self.answer, self.heads = answer, 0

    def head(self, _key: str, _version_id: str) -> Head | Absent:
        self.heads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def named(reason: Reason, source: Source) -> Permanent:
    return name_side(Permanent(reason, "CopyObject (destination): ..."), source, "k", "v")  # type: ignore[arg-type]


@pytest.mark.parametrize("case", ANSWERS)
def test_the_source_is_asked_once_whether_its_key_is_meant(case: str) -> None:
    answer, reason = ANSWERS[case]
    found = {doubtful: named(doubtful, Source(answer)).reason for doubtful in IN_DOUBT}
    assert found == {doubtful: reason or doubtful for doubtful in IN_DOUBT}


def test_the_detail_keeps_what_the_copy_was_answered() -> None:
    trouble = named(Reason.DST_KMS_STATE, Source(replace(FINE, key_invalid=True)))
    assert trouble.detail.endswith(": CopyObject (destination): ...")


def test_the_source_is_not_asked_about_trouble_that_is_certainly_the_destinations() -> None:
    source = Source(replace(FINE, key_invalid=True))
    assert named(Reason.DST_BUCKET_NOT_FOUND, source).reason is Reason.DST_BUCKET_NOT_FOUND
    assert source.heads == 0


@pytest.mark.parametrize("trouble", [Temporary(Reason.THROTTLED), Permanent(Reason.SRC_HEAD_DENIED)], ids=str)
def test_a_source_that_cannot_be_asked_has_trouble_of_its_own(trouble: Temporary | Permanent) -> None:
    with pytest.raises(type(trouble)) as raised:
        named(Reason.DST_KMS_STATE, Source(trouble))
    assert raised.value is trouble
