"""The gate of a destination: each minute's step by what came of the last one, and what outcomes say of its bucket."""

from dataclasses import replace
from typing import Any

import pytest
from replicator.core.outcomes.gate import (
    DENIED,
    FIRST_RATE,
    GROWTH,
    OF_EVERYBODY,
    PROBE_EVERY_MS,
    SEVERAL,
    SHUT_AFTER_MS,
    Evidence,
    Gate,
    GateState,
    Seen,
    opening,
    seen_in,
    shut,
    step,
)
from replicator.core.outcomes.outcome import Outcome, Reason, Side, Status

NOW, MINUTE, FULL, MUCH = 1_700_000_000_000, 60_000, 60_000, 1_000_000
OPEN = Gate("west", since=NOW - MINUTE)
SHUT = shut(OPEN, Reason.SERVICE, "503", NOW - MINUTE)
FIRST = opening(SHUT, NOW - 1)
OPENING = replace(FIRST, rate=240, stepped=NOW - MINUTE)
LAST = replace(OPENING, rate=FULL // GROWTH)


def seen(succeeded: int, troubled: int, gate: Gate = OPENING) -> Gate:
    return replace(gate, succeeded=succeeded, troubled=troubled)


STEPS: dict[str, tuple[Gate, int, tuple[GateState, int, int, bool]]] = {  # gate, due, (state, rate, releases, probe)
    "open, nothing is due": (OPEN, 0, (GateState.OPEN, 0, 0, False)),
    "open, little is due": (OPEN, 7, (GateState.OPEN, 0, 7, False)),
    "open, much is due": (OPEN, MUCH, (GateState.OPEN, 0, FULL, False)),
    "shut": (SHUT, MUCH, (GateState.SHUT, 0, 1, True)),
    "shut, nothing is parked": (SHUT, 0, (GateState.SHUT, 0, 0, False)),
    "shut, probed a moment ago": (
        replace(SHUT, probed=NOW - PROBE_EVERY_MS + 1), MUCH, (GateState.SHUT, 0, 0, False),
    ),
    "shut, probed a minute ago": (replace(SHUT, probed=NOW - PROBE_EVERY_MS), MUCH, (GateState.SHUT, 0, 1, True)),
    "first minute": (FIRST, MUCH, (GateState.OPENING, FIRST_RATE, FIRST_RATE, False)),
    "first minute, the probe is counted": (
        seen(1, 0, FIRST), MUCH, (GateState.OPENING, FIRST_RATE, FIRST_RATE, False),
    ),
    "first minute, little is parked": (FIRST, FIRST_RATE, (GateState.OPEN, FIRST_RATE, FIRST_RATE, False)),
    "all succeeded": (seen(240, 0), MUCH, (GateState.OPENING, 240 * GROWTH, 240 * GROWTH, False)),
    "a tenth failed": (seen(90, 10), MUCH, (GateState.OPENING, 240 * GROWTH, 240 * GROWTH, False)),
    "more than a tenth failed": (seen(89, 11), MUCH, (GateState.OPENING, 120, 120, False)),
    "half failed": (seen(50, 50), MUCH, (GateState.OPENING, 120, 120, False)),
    "half failed at the lowest rate": (
        replace(seen(50, 50), rate=FIRST_RATE), MUCH, (GateState.OPENING, FIRST_RATE, FIRST_RATE, False),
    ),
    "most failed": (seen(49, 51), MUCH, (GateState.SHUT, 0, 1, True)),
    "most failed, nothing is parked": (seen(49, 51), 0, (GateState.SHUT, 0, 0, False)),
    "no answer yet": (OPENING, MUCH, (GateState.OPENING, 240, 240, False)),
    "nothing is left": (seen(240, 0), 0, (GateState.OPEN, 240 * GROWTH, 0, False)),
    "the full rate": (seen(LAST.rate, 0, LAST), MUCH, (GateState.OPEN, FULL, FULL, False)),
}  # fmt: skip


@pytest.mark.parametrize(("gate", "due", "expected"), STEPS.values(), ids=STEPS)
def test_a_step_follows_from_what_the_last_minute_has_shown(
    gate: Gate, due: int, expected: tuple[GateState, int, int, bool]
) -> None:
    taken = step(gate, NOW, due, FULL)
    assert (taken.gate.state, taken.gate.rate, taken.releases, taken.probe) == expected


def test_the_first_success_opens_a_gate_to_the_full_rate_in_seven_minutes() -> None:
    gate, sent = opening(SHUT, NOW), list[int]()
    for minute in range(1, 20):
        taken = step(gate, NOW + minute * MINUTE, MUCH, FULL)
        sent.append(taken.releases)
        gate = replace(taken.gate, succeeded=taken.releases) if taken.gate.state is GateState.OPENING else taken.gate
    assert sent[:7] == [60, 240, 960, 3840, 15_360, FULL, FULL]
    assert gate.state is GateState.OPEN


def test_counts_belong_to_one_minute() -> None:
    assert {(each.succeeded, each.troubled) for each in (step(seen(9, 0), NOW, MUCH, FULL).gate,)} == {(0, 0)}
    assert step(seen(1, 9), NOW, MUCH, FULL).gate.troubled == 0


def test_a_gate_that_is_shut_keeps_what_is_denied_and_forgets_the_rest() -> None:
    denied = replace(OPENING, denied=7, denied_reason="why", quiet=9, probed=8)
    assert shut(denied, "r", "d", NOW) == Gate(
        "west", GateState.SHUT, since=NOW, reason="r", detail="d", denied=7, denied_reason="why"
    )


ADMITTED = {
    GateState.OPEN: (True, True, True),
    GateState.OPENING: (False, True, True),
    GateState.SHUT: (False, False, True),
}


@pytest.mark.parametrize(("state", "admitted"), ADMITTED.items())
def test_a_shut_gate_admits_probes_and_one_that_opens_what_was_parked(
    state: GateState, admitted: tuple[bool, bool, bool]
) -> None:
    gate = Gate("west", state)
    kinds = ({"parked": False, "probe": False}, {"parked": True, "probe": False}, {"parked": False, "probe": True})
    assert tuple(gate.admits(**kind) for kind in kinds) == admitted


# What outcomes say of a destination

SAID: dict[str, tuple[Outcome, Seen]] = {
    "a replica": (Outcome(Status.COMPLETED), Seen.SUCCESS),
    "down": (Outcome(Status.PENDING, Reason.SERVICE, side=Side.DESTINATION), Seen.TROUBLE),
    "throttled": (Outcome(Status.PENDING, Reason.THROTTLED, side=Side.DESTINATION), Seen.TROUBLE),
    "too slow": (Outcome(Status.PENDING, Reason.TIMED_OUT, side=Side.DESTINATION), Seen.TROUBLE),
    "the source is down": (Outcome(Status.PENDING, Reason.SERVICE, side=Side.SOURCE), Seen.NOTHING),
    "the journal is down": (Outcome(Status.PENDING, Reason.SERVICE, side=Side.JOURNAL), Seen.NOTHING),
    "nobody knows whose trouble it is": (Outcome(Status.PENDING, Reason.SERVICE), Seen.NOTHING),
    "parts under way": (
        Outcome(Status.PENDING, Reason.PARTS_UNDER_WAY, side=Side.DESTINATION), Seen.NOTHING,
    ),
    "denied": (Outcome(Status.FAILED, Reason.DST_PUT_DENIED, side=Side.DESTINATION), Seen.DENIAL),
    "refused for its own reason": (Outcome(Status.FAILED, Reason.NO_ROOM, side=Side.DESTINATION), Seen.ANSWER),
    "the source is lost": (Outcome(Status.FAILED, Reason.SRC_VERSION_NOT_FOUND, side=Side.SOURCE), Seen.NOTHING),
    "skipped": (Outcome(Status.SKIPPED), Seen.NOTHING),
}  # fmt: skip


@pytest.mark.parametrize(("outcome", "said"), SAID.values(), ids=SAID)
def test_an_outcome_says_whether_the_destination_works(outcome: Outcome, said: Seen) -> None:
    assert seen_in(outcome) is said


def test_no_reason_is_both_trouble_of_everybody_and_a_denial() -> None:
    assert not OF_EVERYBODY & DENIED


def evidence(*shown: tuple[Seen, str], now: int = NOW) -> Evidence:
    found = Evidence()
    for each, key in shown:
        found.add(each, key, now)
    return found


TROUBLED: Any = [(Seen.TROUBLE, str(number)) for number in range(SEVERAL)]
REFUSALS: Any = [(Seen.DENIAL, str(number)) for number in range(SEVERAL)]


def test_a_destination_is_down_once_several_keys_failed_for_long_enough() -> None:
    found = evidence(*TROUBLED)
    assert not found.is_down(NOW + SHUT_AFTER_MS - 1, opening=False)
    assert found.is_down(NOW + SHUT_AFTER_MS, opening=False)
    assert found.is_down(NOW, opening=True)


def test_time_counts_from_the_first_trouble() -> None:
    found = evidence(*TROUBLED)
    found.add(Seen.TROUBLE, "more", NOW + SHUT_AFTER_MS)
    assert found.is_down(NOW + SHUT_AFTER_MS, opening=False)


def test_trouble_of_fewer_keys_is_theirs_however_often_they_fail() -> None:
    found = evidence(*TROUBLED[1:], *TROUBLED[1:])
    assert not found.is_down(NOW + 10 * SHUT_AFTER_MS, opening=False)


@pytest.mark.parametrize("answer", [Seen.SUCCESS, Seen.ANSWER, Seen.DENIAL])
def test_any_answer_ends_the_evidence_of_trouble(answer: Seen) -> None:
    found = evidence(*TROUBLED, (answer, "k"), (Seen.TROUBLE, "k"))
    assert not found.is_down(NOW + 10 * SHUT_AFTER_MS, opening=False)
    assert found.since == NOW


def test_a_destination_denies_everything_once_several_keys_were_denied_and_none_succeeded() -> None:
    assert evidence(*REFUSALS).denies_all
    assert evidence(*REFUSALS, (Seen.ANSWER, "k"), (Seen.TROUBLE, "k")).denies_all
    assert not evidence(*REFUSALS[1:], *REFUSALS[1:]).denies_all
    assert not evidence(*REFUSALS, (Seen.SUCCESS, "k")).denies_all


def test_a_container_remembers_no_more_keys_than_it_needs() -> None:
    found = evidence(*((kind, str(number)) for number in range(100) for kind in (Seen.TROUBLE,)))
    denials = evidence(*((Seen.DENIAL, str(number)) for number in range(100)))
    assert (len(found.troubled), len(denials.denied)) == (SEVERAL, SEVERAL)
