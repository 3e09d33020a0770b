"""Which buckets' rules a container keeps ready, which it packs, and which it forgets.

Separate from reading them: a stack may have a thousand buckets with a thousand rules each, and a function the memory
for less than half of those. The rules that were used last stay ready. Others are packed, which takes a tenth of the
memory and a millisecond for each use, and unpacked if they are used again and again. Beyond a number of bytes the
oldest are forgotten.
"""

import threading
from collections import OrderedDict
from typing import Protocol

from replicator.core.rules.matching import RuleSet
from replicator.core.rules.packed import PackedRules

READY_RULES = 50_000
"""Of all buckets together: about 36 MB."""
PACKED_BYTES = 80_000_000
UNPACK_AFTER = 32
"""Uses. Unpacking takes as long as about ten of them, and packs another bucket's rules in turn."""


class Memory(Protocol):
    """The rules of one bucket in a container's memory."""

    lock: threading.Lock
    rules: RuleSet | None
    uses: int

    def forget(self) -> None:
        """Forget the rules."""
        ...


class RuleShelf:
    """Bounds what a container remembers. Thread-safe."""

    def __init__(
        self, ready_rules: int = READY_RULES, packed_bytes: int = PACKED_BYTES, unpack_after: int = UNPACK_AFTER
    ) -> None:
        self._bounds = ready_rules, packed_bytes
        self._unpack_after = unpack_after
        self._lock = threading.Lock()
        self._ready, self._packed = _Row(), _Row()

    def use(self, memory: Memory) -> None:
        """Note that the rules are used. The caller holds their lock."""
        rules = memory.rules
        if isinstance(rules, PackedRules):
            memory.uses += 1
            if memory.uses >= self._unpack_after:
                memory.rules = rules = rules.unpacked()
        if rules is not None:
            with self._lock:
                self._note(memory, rules)
                self._make_room()

    def _note(self, memory: Memory, rules: RuleSet) -> None:
        self._ready.remove(memory)
        self._packed.remove(memory)
        if isinstance(rules, PackedRules):
            self._packed.append(memory, rules.size)
        else:
            self._ready.append(memory, len(rules.rules))

    def _make_room(self) -> None:
        """Skip what a thread is using, as what is used just now is: its lock is held."""
        ready_rules, packed_bytes = self._bounds
        for memory in self._ready.beyond(ready_rules):
            if memory.lock.acquire(blocking=False):
                self._pack(memory)
                memory.lock.release()
        for memory in self._packed.beyond(packed_bytes):
            if memory.lock.acquire(blocking=False):
                memory.forget()
                self._packed.remove(memory)
                memory.lock.release()

    def _pack(self, memory: Memory) -> None:
        rules, memory.uses = memory.rules, 0
        self._ready.remove(memory)
        if rules is not None and not isinstance(rules, PackedRules):
            memory.rules = packed = PackedRules(rules)
            self._packed.append(memory, packed.size)


class _Row:
    """What each memory takes, the one that was used longest ago first, and what all take."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Memory, int] = OrderedDict()
        self._taken = 0

    def append(self, memory: Memory, taken: int) -> None:
        self._kept[memory] = taken
        self._taken += taken

    def remove(self, memory: Memory) -> None:
        self._taken -= self._kept.pop(memory, 0)

    def beyond(self, most: int) -> list[Memory]:
        """Return those that must go for the others to take no more than `most`."""
        excess, found = self._taken - most, list[Memory]()
        for memory, taken in self._kept.items() if excess > 0 else ():
            if excess <= 0:
                break
            found.append(memory)
            excess -= taken
        return found
