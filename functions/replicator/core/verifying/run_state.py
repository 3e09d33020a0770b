"""How far a verification has come: what must be known to go on with it, on any machine.

A value of its own, because it is stored and read again: by whoever runs the same command later, and by the next
invocation of VerifyFunction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from replicator.core.rules.matching import RuleSet
from replicator.core.verifying.listed import Span
from replicator.core.verifying.totals import Totals

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """What is verified. rules: a digest of the rules; under other rules a verification begins anew."""

    deep: bool = False
    prefix: str = ""
    destinations: tuple[str, ...] = ()
    rules: str = ""


def digest_of(rules: RuleSet) -> str:
    """Return a short digest of rules, the same wherever it is computed."""
    return sha256(repr(rules.rules).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class RunState:
    """One verification. owner: who runs it, for people. lease: until when nobody else goes on with it. Epoch ms.

    run: names this run. left: what is left to survey; empty once only `suspects` are. chunks: files of differences that
    are stored. done: it came to its end.
    """

    scope: Scope
    run: str
    owner: str
    begun: int
    lease: int = 0
    left: tuple[Span, ...] = (Span(),)
    keys: int = 0
    totals: Mapping[str, Totals] = field(default_factory=dict)
    suspects: Mapping[str, Sequence[str]] = field(default_factory=dict)
    chunks: int = 0
    done: bool = False

    def text(self) -> bytes:
        """Return it as it is stored."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "scope": {
                "deep": self.scope.deep,
                "prefix": self.scope.prefix,
                "destinations": self.scope.destinations,
                "rules": self.scope.rules,
            },
            "run": self.run,
            "owner": self.owner,
            "begun": self.begun,
            "lease": self.lease,
            "left": [[span.after, span.until] for span in self.left],
            "keys": self.keys,
            "totals": {name: totals.document() for name, totals in self.totals.items()},
            "suspects": self.suspects,
            "chunks": self.chunks,
            "done": self.done,
        }
        return json.dumps(document).encode()

    @classmethod
    def read(cls, text: bytes) -> "RunState | None":
        """Read what `text` returned; None for anything else, such as what a later release stored."""
        try:
            document = json.loads(text)
            if document["format"] != FORMAT:
                return None
            scope = document["scope"]
            return cls(
                Scope(scope["deep"], scope["prefix"], tuple(scope["destinations"]), scope["rules"]),
                document["run"],
                document["owner"],
                int(document["begun"]),
                int(document["lease"]),
                tuple(Span(after, until) for after, until in document["left"]),
                int(document["keys"]),
                {name: Totals.read(each) for name, each in document["totals"].items()},
                {key: tuple(names) for key, names in document["suspects"].items()},
                int(document["chunks"]),
                bool(document["done"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
