"""Delete markers that users remove, and what that means for the key: the deletes that everybody saw are undone.

Separate from truth.py because it must be known at the moment: whether all that happened before had reached both sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.s3 import USER, Happening, MemoryS3
from tests.fakes.stored import Stored
from tests.simulation.stacks import Stack
from tests.simulation.truth import is_native, natives


@dataclass(slots=True)
class Undeletes:
    """Sees every removal. undone: delete markers that stand no more, by serial. removals: how many were removed.

    loose: keys of which one was removed while changes were under way, or written while a removal was: who was first
    decides. Or users of the other side had deleted the key, too: their marker stands.
    """

    s3: MemoryS3
    stacks: Mapping[str, Stack]
    undone: set[int] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    removals: int = 0

    def happened(self, happening: Happening) -> None:
        """Look at a delete marker that was written or removed, before its event is sent."""
        if happening.stored.is_version or happening.principal != USER:
            return
        removed = happening.name == "ObjectRemoved:Delete"
        self.removals += removed
        if not self._is_quiet() or (removed and self._is_deleted_elsewhere(happening)):
            self.loose |= {happening.key} if removed or self.undone else set()
        elif removed and self._shows_again(happening):
            markers = [each for bucket in self.s3.buckets.values() for each in natives(bucket, happening.key)]
            self.undone |= {each.serial for each in markers if not each.is_version}

    def standing(self, entries: list[Stored]) -> list[Stored]:
        """Return native entries without delete markers that were undone."""
        return [each for each in entries if each.serial not in self.undone]

    def _is_quiet(self) -> bool:
        return not any(
            each.queue.messages or each.parts.messages or each.journal.waiting for each in self.stacks.values()
        )

    def _is_deleted_elsewhere(self, happening: Happening) -> bool:
        """Return whether a user's own delete marker is on top in another bucket: it stands."""
        others = [
            bucket.current(happening.key) for bucket in self.s3.buckets.values() if bucket.name != happening.bucket
        ]
        return any(each is not None and not each.is_version and is_native(each) for each in others)

    def _shows_again(self, happening: Happening) -> bool:
        """Return whether the marker was on top, and a version is now."""
        there = self.s3.buckets[happening.bucket].history(happening.key)
        return bool(there) and there[-1].is_version and there[-1].place < happening.stored.place
