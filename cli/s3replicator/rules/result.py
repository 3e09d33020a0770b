"""What a `rules` command found and did for one source bucket.

Separate because both the commands and their output need it, and share nothing else.
"""

from dataclasses import dataclass, field
from typing import Any

from replicator.core.rules.matching import RuleSet

from s3replicator.findings import Finding, Severity


@dataclass(slots=True)
class RulesResult:
    """The result for one source bucket. `rules`: None if the document is not valid; `done`: one sentence per step."""

    bucket: str
    rules: RuleSet | None = None
    findings: list[Finding] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return whether there are no errors."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return the result as JSON output has it."""
        return {
            "bucket": self.bucket,
            "ok": self.ok,
            "rules": [rule.id for rule in self.rules.rules] if self.rules else [],
            "done": self.done,
            "findings": [finding.document() for finding in self.findings],
        }
