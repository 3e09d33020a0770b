"""Facts -> decision, a sentence a row: what is refused, what is asked for, what goes straight on top."""

import pytest
from replicator.core.deciding.actions import CopyVersion, Decision, FastCopy, Finish, Need
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.decision import decide
from replicator.core.deciding.eligibility import Refusal
from replicator.core.deciding.facts import ABSENT, Facts, Histories, Ref, Verdict
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import MarkerHead

from tests.unit.values import EAST, KEY, NOON, WEST, created, deleted, facts, head, native, replica, rule, version

RULE = rule()
TOO_LARGE = Refusal(Status.FAILED, Reason.TOO_LARGE, "big")
ONE_BELOW = Memory(1, replica("w1", native("v1")), "0A", ("v1",))
THEIRS_ON_TOP = Memory(1, replica("w9", native("w9", where=WEST)), "0A", ("v1",))
MARKER_ON_TOP = Memory(1, None, "0A", ("v1",))
FROM_A_LISTING = Memory(1, replica("w1", native("v1")), "", ("v1",))
LATER = created("v2", "0B")


def judged(change: Change, verdict: Verdict = RULE, mark: Origin | None = None, **fields: object) -> Facts:
    """Return facts in which the change's own version was read."""
    ref = Ref(EAST, change.version_id)
    return facts(change, verdicts={change.version_id: verdict}, marks={ref: mark}, **fields)


def finish(status: Status, reason: Reason) -> Finish:
    return Finish(status, reason)


def fast(version_id: str, etag: str = "") -> FastCopy:
    return FastCopy(CopyVersion(version_id, RULE, ""), Guard(etag))


def other(kind: ChangeKind) -> Change:
    return Change(kind, EAST, KEY, "v1", time=NOON * 1000)


ALREADY = finish(Status.COMPLETED, Reason.ALREADY_THERE)
LOOK = Need(histories=True)

ROWS: list[tuple[int, str, Facts, Decision]] = [
    (1, "what was settled is done, before anything is read", facts(created("v1"), memory=ONE_BELOW), ALREADY),
    (2, "a delete marker that was settled too", facts(deleted("v1"), memory=ONE_BELOW), ALREADY),
    (3, "first the version itself is read", facts(created("v1")), Need(verdicts=frozenset({"v1"}))),
    (4, "a verdict without its mark is not enough", facts(created("v1"), verdicts={"v1": RULE}),
     Need(verdicts=frozenset({"v1"}))),
    (5, "a version that is gone is skipped", judged(created("v1"), ABSENT),
     finish(Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)),
    (6, "a replica ends here", judged(created("v1"), mark=native("w1", where=WEST)),
     finish(Status.SKIPPED, Reason.REPLICA)),
    (7, "a replica ends here even if it could not be copied", judged(created("v1"), TOO_LARGE, native("w1")),
     finish(Status.SKIPPED, Reason.REPLICA)),
    (8, "a refusal is the outcome", judged(created("v1"), TOO_LARGE), finish(Status.FAILED, Reason.TOO_LARGE)),
    (9, "the first version of a key goes onto nothing", judged(created("v1")), fast("v1")),
    (10, "without a sequencer as well", judged(created("v1", "")), fast("v1")),
    (11, "the next one goes onto the last replica", judged(LATER, memory=ONE_BELOW), fast("v2", '"w1"')),
    (12, "an older one must look", judged(created("v0", "09"), memory=ONE_BELOW), LOOK),
    (13, "one of unknown order must look", judged(created("v2", ""), memory=ONE_BELOW), LOOK),
    (14, "after a listing the next one must look", judged(LATER, memory=FROM_A_LISTING), LOOK),
    (15, "onto the other side's own write it must look", judged(LATER, memory=THEIRS_ON_TOP), LOOK),
    (16, "onto a delete marker it must look: no guard can name one", judged(LATER, memory=MARKER_ON_TOP), LOOK),
    (17, "a redelivery must look", judged(created("v1"), repeated=True), LOOK),
    (31, "even if the journal says it is settled: it may have been half done by another hand",
     judged(created("v1"), memory=ONE_BELOW, repeated=True), LOOK),
    (18, "a restored version must look: it may be old", judged(other(ChangeKind.RESTORED)), LOOK),
    (19, "two-way the top is read beside it", judged(created("v1"), two_way=True), Need(top=True)),
    (20, "two-way, nothing there: onto nothing", judged(created("v1"), two_way=True, top=ABSENT), fast("v1")),
    (21, "two-way, something there that we do not know", judged(created("v1"), two_way=True, top=head("w9")), LOOK),
    (22, "two-way, our last replica there", judged(LATER, memory=ONE_BELOW, two_way=True, top=head("w1")),
     fast("v2", '"w1"')),
    (23, "two-way, something else there", judged(LATER, memory=ONE_BELOW, two_way=True, top=head("w2")), LOOK),
    (24, "two-way, a delete marker there", judged(LATER, memory=ONE_BELOW, two_way=True, top=MarkerHead("d1")), LOOK),
    (25, "two-way, nothing there any more", judged(LATER, memory=ONE_BELOW, two_way=True, top=ABSENT), LOOK),
    (26, "a delete marker is skipped unless the rule wants it", facts(deleted("d1")),
     finish(Status.SKIPPED, Reason.MARKERS_NOT_SELECTED)),
    (27, "a wanted one must look", facts(deleted("d1"), markers=True), LOOK),
    (28, "lifecycle's is never wanted", facts(other(ChangeKind.EXPIRED), markers=True),
     finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)),
    (29, "nor is a permanent deletion", facts(other(ChangeKind.REMOVED), markers=True),
     finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)),
    (30, "nor what nobody knows", facts(other(ChangeKind.UNKNOWN), markers=True),
     finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)),
    (32, "a delete marker fails where no versions are kept", facts(deleted("d1"), markers=True, versioned=False),
     finish(Status.FAILED, Reason.DST_UNVERSIONED)),
    (33, "a null version must look: a younger one may stand under its id",
     judged(created("null")), LOOK),
]  # fmt: skip


def essence(decision: Decision) -> object:
    """Leave out the words for people."""
    if isinstance(decision, Finish):
        return decision.status, decision.reason
    if isinstance(decision, FastCopy):
        return decision.copy.version_id, decision.copy.rule, decision.guard
    return decision


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_facts_make_the_decision(row: tuple[int, str, Facts, Decision]) -> None:
    _, _, given, expected = row
    assert essence(decide(given)) == essence(expected)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if isinstance(row[3], Finish) and row[0] > 2], ids=lambda row: str(row[0])
)
def test_what_is_not_done_says_more_than_a_code(row: tuple[int, str, Facts, Decision]) -> None:
    decision = decide(row[2])
    assert isinstance(decision, Finish)
    assert decision.detail


def test_a_conflict_ends_the_fast_path_for_this_change() -> None:
    """After it the facts are marked as repeated, and with histories there is a plan, whatever the memory says."""
    seen = judged(created("v1"), histories=Histories((), (version("v1"),)))
    assert not isinstance(decide(seen), FastCopy)
