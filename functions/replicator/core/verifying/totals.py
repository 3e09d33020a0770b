"""What a survey has found so far at each destination: counts, and a few examples. Of constant size.

Separate from the differences themselves, of which there may be millions.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from replicator.core.verifying.differences import Difference, Kind

MOST_EXAMPLES = 3
"""Examples of each kind that are kept."""


@dataclass(slots=True)
class Totals:
    """The counts of one destination, in entries of the source: versions and delete markers.

    checked: all that were looked at. equal: those that have what they must have. pending: those on their way; the
    oldest of them was written at pending_since, epoch seconds (0: none). left_out: those that rules leave out, by
    reason. differences: by kind; an entry may have several. only_there: entries of keys that the source does not have.
    repaired: differences that a repair has mended, by kind.
    """

    checked: int = 0
    equal: int = 0
    pending: int = 0
    only_there: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    differences: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Difference]] = field(default_factory=dict)
    pending_since: int = 0

    def add_pending(self, versions: int, since: int) -> None:
        """Count pending entries, the oldest of which was written at a time in epoch seconds."""
        if versions:
            self.pending += versions
            self.pending_since = min(since, self.pending_since or since)

    def add_differences(self, found: Iterable[Difference]) -> None:
        """Count differences, and keep the first of each kind as examples."""
        for each in found:
            self.differences[each.kind] += 1
            examples = self.examples.setdefault(each.kind, [])
            if len(examples) < MOST_EXAMPLES:
                examples.append(each)

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of which there are differences, in the order of reports."""
        return [kind for kind in Kind if self.differences[kind]]

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "checked": self.checked,
            "equal": self.equal,
            "pending": self.pending,
            "pending_since": self.pending_since,
            "only_there": self.only_there,
            "left_out": dict(sorted(self.left_out.items())),
            "differences": {str(kind): self.differences[kind] for kind in self.kinds},
            "repaired": {str(kind): self.repaired[kind] for kind in Kind if self.repaired[kind]},
            "examples": {str(kind): [each.document() for each in self.examples.get(kind, ())] for kind in self.kinds},
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Totals":
        """Read what `document` returned. Raises ValueError, TypeError, KeyError or AttributeError for anything else."""
        return cls(
            int(document["checked"]),
            int(document["equal"]),
            int(document["pending"]),
            int(document["only_there"]),
            Counter(document["left_out"]),
            Counter(document["differences"]),
            Counter(document["repaired"]),
            {kind: [Difference.read(each) for each in some] for kind, some in document["examples"].items()},
            int(document.get("pending_since", 0)),
        )
