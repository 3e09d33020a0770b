"""Which existing versions a job is about, as an operator asked for them.

Pure: what a listing shows of an entry decides, so that a dry run, the job and its report select the same.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from replicator.core.verifying.listed import Listed

NEVER, FAILED, REPLICATED, REPLICAS, ALL = "never", "failed", "replicated", "replicas", "all"
STATUSES = (NEVER, FAILED, REPLICATED, REPLICAS, ALL)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected; an empty field selects all.

    larger_than, smaller_than: bytes, 0 for no limit. created_after, created_before: epoch seconds, 0 for no limit.
    statuses: see STATUSES. classes: storage classes. rule: the id of one rule. destinations: bucket names.
    """

    prefix: str = ""
    suffix: str = ""
    larger_than: int = 0
    smaller_than: int = 0
    classes: tuple[str, ...] = ()
    created_after: int = 0
    created_before: int = 0
    statuses: tuple[str, ...] = (NEVER, FAILED)
    current_only: bool = False
    rule: str = ""
    destinations: tuple[str, ...] = ()

    def asks_for(self, status: str) -> bool:
        """Return whether versions with a status are selected."""
        return status in self.statuses or ALL in self.statuses

    @property
    def is_complete(self) -> bool:
        """Return whether also those versions are selected that their destinations are known to have."""
        return self.asks_for(REPLICATED)

    def takes(self, listed: Listed) -> bool:
        """Return whether an entry of a listing is selected, whatever became of it at its destinations.

        A delete marker has neither size nor class: filters of these leave it in, so that a history stays whole.
        """
        entry = listed.entry
        if not (listed.key.startswith(self.prefix) and listed.key.endswith(self.suffix)):
            return False
        if self.current_only and not listed.is_latest:
            return False
        if not self._is_in_time(entry.modified):
            return False
        return not entry.is_version or self._fits(entry.size, listed.storage_class)

    def _is_in_time(self, modified: int) -> bool:
        return self.created_after <= modified and not 0 < self.created_before <= modified

    def _fits(self, size: int, storage_class: str) -> bool:
        fits = size > self.larger_than or not self.larger_than
        fits = fits and (size < self.smaller_than or not self.smaller_than)
        return fits and (not self.classes or storage_class in self.classes)

    def takes_by_status(self, version: tuple[str, str], failed: Collection[tuple[str, str]]) -> bool:
        """Return whether a version that is missing is selected. failed: (key, version id) of what has failed."""
        return self.asks_for(FAILED if version in failed else NEVER)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it, without what selects all."""
        return {name: value for name, value in asdict(self).items() if value != _DEFAULTS[name]}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Selection":
        """Read what `document` returned. Raises TypeError for names that it does not know."""
        read: dict[str, Any] = {n: tuple(each) if isinstance(each, list) else each for n, each in document.items()}
        return cls(**read)

    def __str__(self) -> str:
        """Return the selection in words."""
        return ", ".join(f"{name} {_text(value)}" for name, value in self.document().items()) or "all that is missing"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return "yes" if value is True else str(value)


_DEFAULTS = {each.name: each.default for each in fields(Selection)}
