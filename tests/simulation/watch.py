"""What is checked during a history: who writes where, how often, and what a delivery costs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from greenlet import getcurrent
from replicator.core.deciding.journal import Pair

from tests.fakes.notifications import LATER
from tests.fakes.points import Call
from tests.fakes.s3 import USER, Happening, MemoryS3
from tests.fakes.stored import Stored
from tests.simulation.setting import Setting
from tests.simulation.story import Story, in_words
from tests.simulation.truth import is_native, root
from tests.simulation.turns import Handler, Task


@dataclass(slots=True)
class Watch:
    """Sees every call and every write of one history, and notes violations.

    settled: whether a journal knows a version as done. copies: how often each native version, by its serial, was
    written to each bucket. handlers: how many began so far. gone: what handlers that begin after so many must not
    bring back. retagged: versions whose tags users changed. also: who else looks at every call.
    """

    setting: Setting
    s3: MemoryS3
    settled: Callable[[Pair, str], bool]
    story: Story | None = None
    violations: list[str] = field(default_factory=list)
    copies: Counter[tuple[str, int]] = field(default_factory=Counter)
    calls: int = 0
    receives: int = 0
    handlers: int = 0
    gone: dict[tuple[str, int], int] = field(default_factory=dict)
    retagged: set[int] = field(default_factory=set)
    also: Callable[[Handler, Call, object], None] | None = None

    def called(self, handler: Handler, call: Call, result: object) -> None:
        """Count one call of a handler, and check a write against the rules of its stack."""
        self.calls += 1
        if self.story:
            words = in_words(result)
            self.story.tell(handler.name, f"{call}{f'  = {words}' if words else ''}")
        if call.operation in {"COPY", "DELETE", "START", "COPY PART", "COMPLETE"}:
            routes = {(route.source, route.destination) for route in self.setting.routes}
            known = (handler.stack, call.bucket) in routes or self.setting.one_stack
            if not known or call.key not in self.setting.keys:
                self.violations.append(f"no rule of {handler.stack} sends {call}")
        if self.also:
            self.also(handler, call, result)

    def happened(self, happening: Happening) -> None:
        """Look at one entry that was written, or deleted for good."""
        if happening.name == "ObjectRemoved:Delete":
            self._destroyed(happening)
            return
        stored = happening.stored
        if happening.name.startswith(LATER):
            return
        if is_native(stored) or not stored.is_version or stored.made_by_s3:
            return
        native = root(stored)
        at = (happening.bucket, native.serial)
        self.copies[at] += 1
        task = getcurrent()
        may_stay_gone = at in self.gone and not self.setting.restores
        if may_stay_gone and isinstance(task, Task) and task.handler.number > self.gone[at]:
            self.violations.append(f"{native.version_id}, deleted for good in {happening.bucket}, came back there")
        if not self._selected(stored.bucket, native):
            self.violations.append(f"{native.version_id} was copied to {stored.bucket}, which no rule wants")
        if not is_native(native):
            self.violations.append(f"{stored.version_id} is a replica of nothing that a user wrote")
        mark = {**stored.content.metadata, **stored.content.tags}.get("replication-origin", "")
        if not mark.startswith(f"{native.bucket}/{_identity(native)}/{native.modified}/"):
            self.violations.append(f"{stored.version_id} carries the mark {mark!r}, not that of {native.version_id}")

    def _selected(self, bucket: str, native: Stored) -> bool:
        """Return whether some rule selects a version for a bucket, or may have done so before its tags were changed."""
        routes = [
            route for route in self.setting.routes if (route.source, route.destination) == (native.bucket, bucket)
        ]
        put_back = native.bucket == bucket
        return put_back or native.serial in self.retagged or any(route.selects(native.content) for route in routes)

    def _destroyed(self, happening: Happening) -> None:
        """Remember what users deleted for good at a destination after it had arrived: it must not come back."""
        stored = happening.stored
        if happening.principal != USER:
            self.violations.append(f"{happening.principal} deleted {stored.version_id} for good")
        native = root(stored)
        pair = Pair(native.bucket, happening.bucket, happening.key)
        left = any(root(other) is native for other in self.s3.buckets[happening.bucket].history(happening.key))
        if native is not stored and not left and self.settled(pair, native.version_id):
            self.gone[happening.bucket, native.serial] = self.handlers


def _identity(native: Stored) -> str:
    """Return what a mark names a version by; the id alone does not tell one null version from the next."""
    return native.version_id if native.version_id != "null" else f"null@{native.etag}".replace('"', "")
