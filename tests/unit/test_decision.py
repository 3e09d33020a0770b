"""Facts -> decision, a sentence each: what is refused, what must be read first, what is copied straight on top."""

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

from tests.unit.values import EAST, KEY, NOON, WEST, created, deleted, facts, head, origin_of, replica, rule, version

RULE = rule()
TOO_LARGE = Refusal(Status.FAILED, Reason.TOO_LARGE, "big")
ONE_BELOW = Memory(1, replica("w1", origin_of("v1")), "0A", ("v1",))
THEIRS_ON_TOP = Memory(1, replica("w9", origin_of("w9", where=WEST)), "0A", ("v1",))
MARKER_ON_TOP = Memory(1, None, "0A", ("v1",))
FROM_A_LISTING = Memory(1, replica("w1", origin_of("v1")), "", ("v1",))
LATER = created("v2", "0B")


def judged(change: Change, verdict: Verdict = RULE, mark: Origin | None = None, **fields: object) -> Facts:
    """Return the facts of a change whose own version was read."""
    ref = Ref(EAST, change.version_id)
    return facts(change, verdicts={change.version_id: verdict}, marks={ref: mark}, **fields)


def finish(status: Status, reason: Reason) -> Finish:
    return Finish(status, reason)


def fast(version_id: str, etag: str = "") -> FastCopy:
    return FastCopy(CopyVersion(version_id, RULE, ""), Guard(etag))


def other(kind: ChangeKind) -> Change:
    return Change(kind, EAST, KEY, "v1", time=NOON * 1000)


ALREADY = Finish(Status.COMPLETED)
LIST = Need(histories=True)

DECISIONS: dict[str, tuple[Facts, Decision]] = {
    "a settled version is done before anything is read": (facts(created("v1"), memory=ONE_BELOW), ALREADY),
    "a settled delete marker is done before anything is read": (facts(deleted("v1"), memory=ONE_BELOW), ALREADY),
    "the version itself is read first": (facts(created("v1")), Need(verdicts=frozenset({"v1"}))),
    "a version whose mark is not read is read again":
        (facts(created("v1"), verdicts={"v1": RULE}), Need(verdicts=frozenset({"v1"}))),
    "a version that is gone is skipped":
        (judged(created("v1"), ABSENT), finish(Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)),
    "a replica is skipped":
        (judged(created("v1"), mark=origin_of("w1", where=WEST)), finish(Status.SKIPPED, Reason.REPLICA)),
    "a replica is skipped even if it could not be copied":
        (judged(created("v1"), TOO_LARGE, origin_of("w1")), finish(Status.SKIPPED, Reason.REPLICA)),
    "a version that is refused ends with the refusal":
        (judged(created("v1"), TOO_LARGE), finish(Status.FAILED, Reason.TOO_LARGE)),
    "the first version of a key is copied onto nothing": (judged(created("v1")), fast("v1")),
    "the first version of a key needs no sequencer": (judged(created("v1", "")), fast("v1")),
    "the next version is copied onto the last replica": (judged(LATER, memory=ONE_BELOW), fast("v2", '"w1"')),
    "an older version needs the histories": (judged(created("v0", "09"), memory=ONE_BELOW), LIST),
    "a version of unknown order needs the histories": (judged(created("v2", ""), memory=ONE_BELOW), LIST),
    "the next version after a listing needs the histories": (judged(LATER, memory=FROM_A_LISTING), LIST),
    "onto a native version of the destination it needs the histories": (judged(LATER, memory=THEIRS_ON_TOP), LIST),
    "onto a delete marker it needs the histories: no guard can name one": (judged(LATER, memory=MARKER_ON_TOP), LIST),
    "a redelivery needs the histories": (judged(created("v1"), repeated=True), LIST),
    "a redelivery needs them even if it is settled: another handler may have left a plan half done":
        (judged(created("v1"), memory=ONE_BELOW, repeated=True), LIST),
    "a restored version needs the histories: it may be old": (judged(other(ChangeKind.RESTORED)), LIST),
    "two-way, the top of the destination is read too": (judged(created("v1"), two_way=True), Need(top=True)),
    "two-way, nothing there: it is copied onto nothing": (judged(created("v1"), two_way=True, top=ABSENT), fast("v1")),
    "two-way, an unknown version there needs the histories":
        (judged(created("v1"), two_way=True, top=head("w9")), LIST),
    "two-way, our last replica there: it is copied onto that":
        (judged(LATER, memory=ONE_BELOW, two_way=True, top=head("w1")), fast("v2", '"w1"')),
    "two-way, another version there needs the histories":
        (judged(LATER, memory=ONE_BELOW, two_way=True, top=head("w2")), LIST),
    "two-way, a delete marker there needs the histories":
        (judged(LATER, memory=ONE_BELOW, two_way=True, top=MarkerHead("d1")), LIST),
    "two-way, nothing there any more needs the histories":
        (judged(LATER, memory=ONE_BELOW, two_way=True, top=ABSENT), LIST),
    "a delete marker is skipped unless the rule replicates them":
        (facts(deleted("d1")), finish(Status.SKIPPED, Reason.MARKERS_NOT_SELECTED)),
    "a delete marker that is replicated needs the histories": (facts(deleted("d1"), markers=True), LIST),
    "a delete marker of lifecycle is skipped":
        (facts(other(ChangeKind.EXPIRED), markers=True), finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)),
    "a permanent deletion is skipped":
        (facts(other(ChangeKind.REMOVED), markers=True), finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)),
    "an unknown kind of change is skipped":
        (facts(other(ChangeKind.UNKNOWN), markers=True), finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)),
    "a delete marker fails where the destination keeps no versions":
        (facts(deleted("d1"), markers=True, versioned=False), finish(Status.FAILED, Reason.DST_UNVERSIONED)),
    "a null version needs the histories: a newer one may have its id": (judged(created("null")), LIST),
}  # fmt: skip


def essence(decision: Decision) -> object:
    """Return what a decision is, without its texts for people."""
    if isinstance(decision, Finish):
        return decision.status, decision.reason
    if isinstance(decision, FastCopy):
        return decision.copy.version_id, decision.copy.rule, decision.guard
    return decision


@pytest.mark.parametrize(("given", "expected"), DECISIONS.values(), ids=DECISIONS)
def test_facts_determine_the_decision(given: Facts, expected: Decision) -> None:
    assert essence(decide(given)) == essence(expected)


def test_every_refusal_has_a_detail_beside_its_reason_code() -> None:
    decisions = {sentence: decide(given) for sentence, (given, _) in DECISIONS.items()}
    finished = {sentence: each for sentence, each in decisions.items() if isinstance(each, Finish)}
    refusals = {sentence: each for sentence, each in finished.items() if each.reason is not None}
    assert [sentence for sentence, each in refusals.items() if not each.detail] == []


def test_a_conflict_ends_the_fast_path_for_this_change() -> None:
    """After it the histories are read, and with histories there is a plan, whatever the journal says."""
    seen = judged(created("v1"), histories=Histories((), (version("v1"),)))
    assert not isinstance(decide(seen), FastCopy)
