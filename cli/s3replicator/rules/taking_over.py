"""Take over what S3 Replication does for a bucket: store its rules here -> disable them at S3 -> attach the events.

S3's rules are disabled before events arrive here: while both replicate, each copies every version. What is written in
between is brought over by `resync` afterwards, which recognises what S3 has replicated. Rules are stored first, so that
what an interruption leaves behind is completed by `rules put`; and nothing is deleted at S3, so that one can go back.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from replicator.core.rules.document import default_document

from s3replicator.failed_calls import CallFailed
from s3replicator.findings import Finding, error
from s3replicator.rules.native import differences, without_native
from s3replicator.rules.result import RulesResult
from s3replicator.rules.stack_rules import StackRules
from s3replicator.stack_facts import StackFacts


class NativeConfigurations(Protocol):
    """S3's own replication configurations. Every method raises CallFailed."""

    def read(self, bucket: str) -> Mapping[str, Any] | None:
        """Return a bucket's configuration, or None."""
        ...

    def write(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        """Replace a bucket's configuration."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found. native: S3's configuration; rules: the same as a document of ours. result: of the checks."""

    native: Mapping[str, Any]
    rules: bytes
    result: RulesResult
    differences: tuple[Finding, ...] = ()


class NothingToTakeOver(Exception):
    """S3 Replication has no enabled rules for the bucket, or it has rules here. Its text says which."""


class TakingOver:
    """Takes the rules of S3 Replication over. Both methods raise CallFailed."""

    def __init__(
        self, stack: StackFacts, native: NativeConfigurations, checking: StackRules, rules: StackRules
    ) -> None:
        """Take the ports. checking: the stack's rules, whose checks take S3's own rules for disabled."""
        self._stack = stack
        self._native = native
        self._checking = checking
        self._rules = rules

    def look(self, bucket: str) -> Look:
        """Read S3's rules, and check them as ours. Changes nothing. Raises NothingToTakeOver."""
        native = self._native.read(bucket)
        self._refuse(bucket, native)
        given = (native or {})["Rules"]
        text = (json.dumps({"Rules": given}, indent=2, ensure_ascii=False) + "\n").encode()
        result = self._checking.check(bucket, text)
        rules = result.rules.rules if result.rules else ()
        return Look(native or {}, text, result, tuple(differences(native or {}, rules, self._stack)))

    def switch(self, bucket: str, look: Look) -> RulesResult:
        """Store the rules, disable S3's, attach the events. If that fails, all is as it was before."""
        stored = self._checking.prepare(bucket, look.rules)
        if not stored.ok:
            return stored
        destinations = look.result.rules.destinations if look.result.rules else ()
        try:
            self._native.write(bucket, without_native(look.native, destinations))
        except CallFailed:
            self._rules.delete(bucket)
            raise
        result = self._rules.put(bucket, look.rules)
        result.done[:0] = [*stored.done, "disabled the rules of S3 Replication"]
        if not result.ok:
            self._go_back(bucket, look, result)
        return result

    def _refuse(self, bucket: str, native: Mapping[str, Any] | None) -> None:
        stored = self._rules.get(bucket)
        default = default_document(self._stack.default_destination)
        has_own = stored is not None and json.loads(stored) != default
        if not any(rule.get("Status") == "Enabled" for rule in (native or {}).get("Rules", ())):
            here = f"; rules are stored here: `rules check {bucket}` says whether its events arrive" if has_own else ""
            raise NothingToTakeOver(f"S3 Replication has no enabled rules for {bucket}{here}")
        if has_own:
            raise NothingToTakeOver(
                f"rules of {bucket} are stored here already: add to them what S3 does, and put them"
            )

    def _go_back(self, bucket: str, look: Look, result: RulesResult) -> None:
        stopped = self._rules.delete(bucket)
        if not stopped.ok:
            result.findings += [each for each in stopped.findings if each not in result.findings]
            message = "its rules may be in force here, so those of S3 Replication stay disabled; run `rules check`"
            result.findings.append(error(f"bucket {bucket}", message))
            return
        try:
            self._native.write(bucket, look.native)
        except CallFailed as failed:
            message = f"the rules of S3 Replication stay disabled: {failed.call.advice(bucket)}"
            result.findings.append(error(f"bucket {bucket}", message))
            return
        result.done.append("went back: the rules of S3 Replication are enabled again, and none are stored here")
