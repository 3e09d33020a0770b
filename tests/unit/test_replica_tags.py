"""All tags of a replica: those of its version, its mark if that is a tag, and its status."""

from collections.abc import Mapping

import pytest
from replicator.core.deciding.replica_tags import replica_tags
from replicator.core.outcomes.outcome import Permanent, Reason
from replicator.core.versions.origin import MARK, STATUS_TAG, TAG_LIMIT

NINE = {f"t{number}": "1" for number in range(TAG_LIMIT - 1)}
TEN = {**NINE, "last": "1"}
THEIRS = {STATUS_TAG: "approved"}
OURS = {STATUS_TAG: "REPLICA"}
MARKED = {MARK: "mark"}
CASES: dict[str, tuple[Mapping[str, str], bool, str, Mapping[str, str]]] = {
    "the status comes on top": ({"a": "1"}, True, "", {"a": "1", **OURS}),
    "unless the rule asks for none": ({"a": "1"}, False, "", {"a": "1"}),
    "a user's status stays if the rule asks for none": ({"a": "1", **THEIRS}, False, "", {"a": "1", **THEIRS}),
    "a user's status is replaced by ours": ({**NINE, **THEIRS}, True, "", {**NINE, **OURS}),
    "a status of the source is not replicated": ({"a": "1", STATUS_TAG: "FAILED"}, False, "", {"a": "1"}),
    "where ten tags leave no room there is no status": (TEN, True, "", TEN),
    "the mark comes before our status": (NINE, True, "mark", {**NINE, **MARKED}),
    "the mark comes before a user's status": ({**NINE, **THEIRS}, False, "mark", {**NINE, **MARKED}),
    "a user's tag with the mark's name is replaced by it": ({MARK: "scanner"}, False, "mark", MARKED),
    "and goes over if the mark is no tag": ({MARK: "scanner"}, False, "", {MARK: "scanner"}),
}


@pytest.mark.parametrize(("tags", "status_tag", "mark", "expected"), CASES.values(), ids=CASES)
def test_a_replica_has_these_tags(
    tags: Mapping[str, str], *, status_tag: bool, mark: str, expected: Mapping[str, str]
) -> None:
    assert replica_tags(tags, status_tag=status_tag, mark=mark) == expected


def test_a_mark_without_room_fails_the_change() -> None:
    with pytest.raises(Permanent) as raised:
        replica_tags(TEN, status_tag=True, mark="mark")
    assert raised.value.reason is Reason.NO_ROOM
