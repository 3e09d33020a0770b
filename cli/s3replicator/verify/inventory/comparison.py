"""A verification from inventories: what they leave in doubt is examined now, by the decision that live events get.

An inventory is up to days old, so it only proves equality, and saves listing and examining. With `only`, nothing of S3
is read, and differences are what inventories show; what they cannot tell is counted, never taken for equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.verifying.differences import Difference, Kind
from replicator.core.verifying.equality import replicates_markers
from replicator.core.verifying.listed import Span, covering
from replicator.core.verifying.run_state import Scope
from replicator.core.verifying.totals import Totals
from replicator.flows.change.replicate import Services
from replicator.flows.verify.examine import Examiner
from replicator.flows.verify.verifying import Found, Verifier, differing

from s3replicator.formatting import utc_minute
from s3replicator.verify.inventory.database import Engine
from s3replicator.verify.inventory.questions import LOCK, Pair, Table, Verdict, about_keys, about_versions
from s3replicator.verify.spool import Spool
from s3replicator.verify.verification import Progress, Runner, Traffic, by_destination

SIDE_BY_SIDE = 16
"""Keys that are examined side by side: nothing is listed meanwhile."""
PROVED = {
    Verdict.EQUAL: (True, False),
    Verdict.EQUAL_WITH_MARKERS: (True,),
    Verdict.EQUAL_WITHOUT: (False,),
}
"""Verdicts that prove equality, if delete markers are replicated, and if not."""
DETAILS = {
    Verdict.MISSING: "the inventory there has no version with its size and ETag",
    Verdict.MARKER_MISSING: "the key was deleted at the source, and was still shown there",
    Verdict.WRONG_CURRENT: "another entry was current there",
    Verdict.CONTENT: "the replica there had another size or ETag",
    Verdict.LOCK: "another retention or legal hold was in the inventory there",
}
CANNOT_SHOW = (
    "an inventory shows no user metadata, headers, tags, ACL grants and annotations, and nothing after its date"
)


@dataclass(slots=True)
class Told:
    """What was found beside totals, at one destination. newer: entries that are younger than the older inventory.

    unproven: entries of which inventories show nothing that differs, and cannot show that nothing does.
    """

    newer: int = 0
    unproven: int = 0


@dataclass(slots=True)
class InventoryVerification:
    """One verification. tables: inventories by bucket. only: nothing but inventories is read. told: by destination."""

    scope: Scope
    rules: RuleSet
    engine: Engine
    tables: Mapping[str, Table]
    services: Services
    traffic: Traffic
    runner: Runner
    only: bool = False
    spool: Spool = field(default_factory=lambda: Spool(is_stored=False))
    told: dict[str, Told] = field(default_factory=dict)
    verifier: Verifier = field(init=False)

    def __post_init__(self) -> None:
        self.verifier = Verifier(
            rules=self.rules,
            examiner=Examiner(self.services, self.scope.deep or self._locks, self.traffic.is_busy),
            side_by_side=self.services.side_by_side,
            now=self.runner.now,
            record=self.spool.add,
            kept=self._show,
            at_once=SIDE_BY_SIDE,
        )

    @property
    def totals(self) -> dict[str, Totals]:
        """The counts by destination."""
        return by_destination(self.scope, self.rules, self.verifier.totals)

    @property
    def pairs(self) -> dict[str, Pair]:
        """The inventories to compare, by destination; without those that are not given."""
        named = {name: self.tables[name] for name in self.destinations if name in self.tables}
        source = self.tables.get(self.rules.bucket)
        return {name: Pair(source, table, self._prefixes(name)) for name, table in named.items()} if source else {}

    @property
    def destinations(self) -> list[str]:
        """The destinations that are verified."""
        return list(by_destination(self.scope, self.rules, {}))

    @property
    def unproven(self) -> int:
        """Entries at all destinations that inventories cannot prove equal."""
        return sum(told.unproven for told in self.told.values())

    @property
    def _locks(self) -> bool:
        """Return whether a lock that differs is a reason to doubt, so that locks must be examined."""
        return any(pair.has_lock for pair in self.pairs.values())

    def run(self) -> None:
        """Verify all. Raises Temporary, Permanent, CallFailed or Unusable."""
        for name, pair in self.pairs.items():
            self.told[name] = Told()
            if self.only:
                self._compare(name, pair)
            else:
                self._examine(name, pair)
        self.verifier.look_again(self.runner.wait)

    def _prefixes(self, destination: str) -> tuple[str, ...]:
        enabled = (rule for rule in self.rules.rules if rule.enabled and rule.destination.bucket == destination)
        spans = (Span(prefix=self.scope.prefix).under(rule.prefix) for rule in enabled)
        return tuple(covering(span.prefix for span in spans if span))

    def _show(self, _: Sequence[Span]) -> None:
        found = differing(self.verifier.totals).total()
        self.runner.show(Progress(self.verifier.keys, found, len(self.verifier.suspects)))

    # Equal, or examined now

    def _examine(self, name: str, pair: Pair) -> None:
        for page in self.engine.ask(about_keys(pair)):
            keys, equal, only_there, doubts = 0, 0, 0, list[str]()
            for key, verdict, count, here, there, modified in page:
                keys += count
                if verdict == Verdict.ONLY_THERE:
                    only_there += there
                elif verdict == Verdict.EQUAL and not (pair.has("e_tag") or pair.by_origin):
                    self.told[name].unproven += here
                elif self._is_proved(name, key, Verdict(verdict)):
                    equal += here
                else:
                    doubts.append(key)
                    self.told[name].newer += here if is_newer(modified, pair) else 0
            examined = self.verifier.examine_again((key, (name,)) for key in doubts)
            self.verifier.keep(Found(keys, {name: equal}, {name: only_there}, examined), ())

    def _is_proved(self, destination: str, key: str, verdict: Verdict) -> bool:
        if verdict is Verdict.EQUAL:
            return True
        return replicates_markers(self._candidate(destination, key)) in PROVED.get(verdict, ())

    def _candidate(self, destination: str, key: str) -> Candidate:
        return next(each for each in self.rules.candidates(key) if each.destination == destination)

    # What inventories show

    def _compare(self, name: str, pair: Pair) -> None:
        totals = self.verifier.totals.setdefault(name, Totals())
        for page in self.engine.ask(about_versions(pair)):
            for row in page:
                self._count(totals, self.told[name], name, pair, row)
            self._show(())

    def _count(self, totals: Totals, told: Told, name: str, pair: Pair, row: Sequence[Any]) -> None:
        key, version_id, is_marker, text, here, there, modified = row
        verdict = Verdict(text)
        if verdict is Verdict.ONLY_THERE:
            totals.only_there += there
            return
        totals.checked += here
        if verdict is Verdict.UNPROVEN:
            told.unproven += here
        elif verdict is Verdict.EQUAL or self._is_left_out(name, key, verdict):
            totals.equal += here
        elif is_newer(modified, pair):
            told.newer += here
        elif verdict is not Verdict.MARKER_MISSING and self._candidate(name, key).rules[0].tags:
            told.unproven += here  # its tags, which no inventory has, may be others than the rule's
        else:
            kind = Kind(verdict)
            found = [Difference(kind, key, name, version_id, DETAILS[verdict], is_marker=bool(is_marker))]
            totals.add_differences(found)
            self.spool.add(found)

    def _is_left_out(self, name: str, key: str, verdict: Verdict) -> bool:
        """Return whether a delete marker need not be there, as its rule does not replicate any."""
        return verdict is Verdict.MARKER_MISSING and not replicates_markers(self._candidate(name, key))

    # What inventories do not show

    def notes(self) -> list[str]:
        """Return for people what was not compared, and why."""
        taken = {table.bucket: utc_minute(table.taken) for table in self.tables.values()}
        found = ["inventories of " + ", ".join(f"{name} ({time} UTC)" for name, time in sorted(taken.items()))]
        for name, pair in self.pairs.items():
            found += (f"{name}: {each}" for each in _lacking(pair))
            found += (f"{name}: {each}" for each in self._counted(self.told.get(name, Told())))
        return [*found, CANNOT_SHOW]

    def _counted(self, told: Told) -> Iterable[str]:
        if told.newer:
            what = "are left out" if self.only else "were examined, and are as they are now"
            yield f"{told.newer:,} entries are newer than an inventory, and {what}"
        if told.unproven:
            yield f"{told.unproven:,} entries cannot be proved equal by inventories"

    def document(self) -> dict[str, Any]:
        """Return what JSON has of it beside what every verification has."""
        return {
            "only": self.only,
            "taken": {name: table.taken for name, table in sorted(self.tables.items())},
            "newer": {name: told.newer for name, told in self.told.items()},
            "unproven": {name: told.unproven for name, told in self.told.items()},
        }


def is_newer(modified: str | None, pair: Pair) -> bool:
    """Return whether a time is that of an entry that the older inventory may lack.

    modified: in UTC without a zone, or epoch milliseconds, as tables over Parquet may have it.
    """
    if not modified:
        return False
    time = int(modified) / 1000 if modified.isdigit() else datetime.fromisoformat(f"{modified}+00:00").timestamp()
    return time >= pair.taken


def _lacking(pair: Pair) -> Iterable[str]:
    """Yield which questions cannot be answered, for lack of columns."""
    if not pair.has_history:
        yield (
            "an inventory has current versions only: older versions and delete markers are not compared, and keys that "
            "were deleted at the source count as only there"
        )
    if not (pair.has("e_tag") or pair.by_origin):
        yield "an inventory lacks ETag: content is compared by size, which proves nothing"
    if not pair.has("size"):
        yield "an inventory lacks Size: sizes are not compared"
    if not pair.has("last_modified_date"):
        yield "an inventory lacks LastModifiedDate: what is newer, and the order of older versions, is not known"
    if not pair.has_lock:
        yield f"locks are not compared: not both inventories have {', '.join(LOCK)} in the same format"
