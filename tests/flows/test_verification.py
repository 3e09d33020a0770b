"""A verification that is interrupted goes on, whoever runs it; a repair says what it has mended."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Side
from replicator.core.verifying.differences import Difference
from replicator.core.verifying.run_state import RunState, Scope
from replicator.core.verifying.totals import Totals
from replicator.flows.verify import survey, verifying
from replicator.flows.verify.verifying import Verifier
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.verify.mending import Repair
from s3replicator.verify.verification import LEASE_MS, Progress, Runner, Verification

from tests.fakes.listings import MemoryListing
from tests.flows.stage import EAST, WEST, Stage
from tests.flows.surveying import MemoryTraffic, a_day_old


@dataclass(slots=True)
class MemoryStates:
    """The control bucket. denies: nothing may be written."""

    text: bytes = b""
    etag: int = 0
    pieces: dict[tuple[str, int], bytes] = field(default_factory=dict)
    denies: bool = False

    def read(self) -> tuple[bytes, str] | None:
        return (self.text, str(self.etag)) if self.text else None

    def write(self, text: bytes, etag: str) -> str | None:
        if self.denies:
            raise CallFailed(FailedCall("s3:PutObject", "AccessDenied"))
        if etag != (str(self.etag) if self.text else ""):
            return None
        self.text, self.etag = text, self.etag + 1
        return str(self.etag)

    def append(self, run: str, number: int, lines: bytes) -> None:
        self.pieces[run, number] = lines

    def piece(self, run: str, number: int) -> bytes:
        return self.pieces[run, number]

    @property
    def state(self) -> RunState:
        found = RunState.read(self.text)
        assert found
        return found


@dataclass(slots=True)
class Desk:
    """Operators of one stage. said: what they read. dead: processes of others have ended."""

    on: Stage
    states: MemoryStates = field(default_factory=MemoryStates)
    said: list[str] = field(default_factory=list)
    dead: bool = False
    shown: list[Progress] = field(default_factory=list)

    def verification(self, scope: Scope | None = None, who: str = "ann@here, process 1") -> Verification:
        return Verification(
            scope or Scope(),
            self.on.rule_sets.of(EAST),
            MemoryListing(self.on.s3),
            self.on.services,
            MemoryTraffic(self.on),
            self.states,
            Runner(
                who, f"run of {who[:3]}", self.on.services.now, self.wait, self.said.append, self.shown.append,
                lambda _: self.dead, workers=1,
            ),
        )  # fmt: skip

    def wait(self, milliseconds: int) -> None:
        self.on.s3.clock.advance(milliseconds / 1000)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_ROWS", 10)


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch, small_batches: None) -> Callable[[Desk, int], Verification]:
    """Return what runs a verification that is interrupted in a batch of ten keys, each of which takes a minute."""

    def run(desk: Desk, batch: int, **options: Any) -> Verification:
        examine, seen = Verifier.examine, list[survey.Batch]()

        def counted(self: Verifier, found: survey.Batch) -> Any:
            seen.append(found)
            desk.on.s3.clock.advance(60)
            if len(seen) == batch:
                raise KeyboardInterrupt
            return examine(self, found)

        verification = desk.verification(**options)
        with monkeypatch.context() as patch:
            patch.setattr(Verifier, "examine", counted)
            with pytest.raises(KeyboardInterrupt):
                verification.run()
        return verification

    return run


def found_by(verification: Verification) -> list[str]:
    return sorted(each.key for each in verification.spool)


Interrupt = Callable[..., Verification]


def test_another_operator_goes_on_where_an_interrupted_verification_was(interrupt: Interrupt) -> None:
    desk = Desk(a_day_old(missing=(3, 14, 25)))
    interrupt(desk, 3)
    assert (desk.states.state.keys, desk.states.state.lease) == (20, 0)
    again = desk.verification(who="bob@there, process 2")
    again.run()
    assert "going on" in desk.said[-1]
    assert "20 keys" in desk.said[-1]
    totals = again.totals[WEST]
    assert (totals.checked, totals.equal, totals.differences) == (30, 27, {"deleted-there": 3})
    assert found_by(again) == ["k003", "k014", "k025"]
    assert desk.states.state.done


def test_differences_that_were_certain_before_an_interruption_are_kept(
    interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "MOST_SUSPECTS", 0)
    desk = Desk(a_day_old(missing=(3, 14, 25)))
    interrupt(desk, 3)
    again = desk.verification()
    again.run()
    assert found_by(again) == ["k003", "k014", "k025"]
    assert again.totals[WEST].differences == {"deleted-there": 3}


def test_a_finished_verification_is_not_gone_on_with(small_batches: None) -> None:
    desk = Desk(a_day_old())
    desk.verification().run()
    again = desk.verification()
    again.run()
    assert desk.said == []
    assert again.totals[WEST].checked == 30


def test_other_options_or_rules_and_a_restart_begin_anew(interrupt: Interrupt) -> None:
    desk = Desk(a_day_old())
    interrupt(desk, 3)
    interrupt(desk, 2, scope=Scope(deep=True))
    assert "beginning anew" in desk.said[-1]
    assert desk.states.state.keys == 10
    again = desk.verification(Scope(deep=True))
    again.run(restart=True)
    assert len(desk.said) == 1
    assert again.verifier.keys == 30


def test_while_somebody_else_verifies_nothing_is_stored(interrupt: Interrupt) -> None:
    desk = Desk(a_day_old())
    interrupt(desk, 3)
    desk.states.text = replace(desk.states.state, lease=desk.on.services.now() + LEASE_MS).text()
    before = desk.states.text
    again = desk.verification(who="bob@there, process 2")
    again.run()
    assert "ann@here, process 1 verifies this bucket" in desk.said[-1]
    assert desk.states.text == before
    assert again.totals[WEST].checked == 30


def test_a_run_whose_process_has_ended_without_a_word_is_gone_on_with(interrupt: Interrupt) -> None:
    desk = Desk(a_day_old(), dead=True)
    interrupt(desk, 3)
    desk.states.text = replace(desk.states.state, lease=desk.on.services.now() + LEASE_MS).text()
    again = desk.verification()
    again.run()
    assert "20 keys" in desk.said[-1]


def test_a_run_that_was_overtaken_goes_on_without_storing_anything(small_batches: None) -> None:
    desk = Desk(a_day_old(missing=(3,)))
    found = desk.verification()
    theirs = RunState(Scope(), "theirs", "bob", 0).text()

    def overtake(_: Progress) -> None:
        desk.states.text, desk.states.etag = theirs, 99
        desk.on.s3.clock.advance(60)

    found.runner = replace(found.runner, show=overtake)
    found.run()
    assert "another run goes on" in desk.said[-1]
    assert desk.states.text == theirs
    assert found.totals[WEST].differences == {"deleted-there": 1}


def test_who_may_not_store_the_state_verifies_all_the_same() -> None:
    desk = Desk(a_day_old(missing=(3,)), MemoryStates(denies=True))
    found = desk.verification()
    found.run()
    assert "cannot be stored" in desk.said[-1]
    assert "s3:PutObject" in desk.said[-1]
    assert found_by(found) == ["k003"]


def test_a_state_that_cannot_be_read_is_none() -> None:
    state = RunState(Scope(prefix="a"), "run", "ann", 1, totals={WEST: Totals()}, suspects={"k": (WEST,)})
    assert RunState.read(state.text()) == state
    for text in (b"", b"[]", b"{}", b'{"format": 2}', b"\xff", state.text().replace(b'"chunks": 0', b'"chunks": []')):
        assert RunState.read(text) is None


# Repairs


def repaired(desk: Desk, *, works: bool = True) -> tuple[Verification, dict[str, bool]]:
    found, told = desk.verification(), dict[str, bool]()
    found.run()

    def report(difference: Difference, mended: bool) -> None:
        told[difference.key] = mended

    def wait(milliseconds: int) -> None:
        desk.wait(milliseconds)
        if desk.on.queue.messages:
            desk.on.deliver_all()

    runner = replace(found.runner, wait=wait)
    Repair(found.verifier, MemoryTraffic(desk.on, works), runner, report).run(found.spool)
    return found, told


def test_a_repair_mends_and_the_totals_say_so() -> None:
    found, told = repaired(Desk(a_day_old(missing=(3, 14))))
    totals = found.totals[WEST]
    assert (totals.differences.total(), totals.repaired, totals.equal) == (0, {"deleted-there": 2}, 30)
    assert told == {"k003": True, "k014": True}
    assert totals.examples == {}


def test_a_repair_that_nobody_carries_out_ends_and_leaves_what_differs() -> None:
    found, told = repaired(Desk(a_day_old(missing=(3,))), works=False)
    totals = found.totals[WEST]
    assert (totals.differences, totals.repaired.total(), totals.equal) == ({"deleted-there": 1}, 0, 29)
    assert told == {"k003": False}


def test_a_repair_that_fails_says_why() -> None:
    desk = Desk(a_day_old(missing=(3,)))
    desk.on.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "", Side.DESTINATION), 99)
    found, told = repaired(desk)
    assert found.totals[WEST].differences == Counter({"failed": 1})
    (example,) = found.totals[WEST].examples["failed"]
    assert example.detail.startswith("DstPutObjectNotPermitted")
    assert told == {"k003": True}, "what differs now is another difference"
