"""Parts of an object: S3's limits, and how to cut an object into parts within them.

Separate from the choice (layout.py) and its cost (cost.py): this is only what S3 allows. The numbers are from
the user guide, "Amazon S3 multipart upload limits", and from CopyObject.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

MIB = 1024**2
GIB = 1024**3
MOST_PARTS = 10_000
SMALLEST_PART = 5 * MIB  # the last one may be smaller
LARGEST_PART = 5 * GIB
LARGEST_COPY = 5 * GIB  # in one CopyObject
LARGEST_OBJECT = MOST_PARTS * LARGEST_PART  # 48.8 TiB


@dataclass(frozen=True, slots=True)
class PartRange:
    """One part: its number, from 1 on, and its first and last byte, both inclusive."""

    number: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """The bytes of the part."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Cut:
    """How an object is divided: its parts' sizes in order, as runs of (count, bytes), usually one or two."""

    runs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, sizes: Iterable[int]) -> "Cut":
        """Return the cut with these part sizes."""
        return cls(tuple((len(list(run)), size) for size, run in groupby(sizes)))

    @classmethod
    def parse(cls, text: str) -> "Cut":
        """Read the output of `str`. Raises ValueError."""
        runs = (run.partition("x") for run in text.split(","))
        return cls(tuple((int(count), int(size)) for count, _, size in runs))

    def __str__(self) -> str:
        """Return it as text, for example `639x8388608,1x123`."""
        return ",".join(f"{count}x{size}" for count, size in self.runs)

    @property
    def count(self) -> int:
        """The number of parts."""
        return sum(count for count, _ in self.runs)

    @property
    def size(self) -> int:
        """The bytes of all parts."""
        return sum(count * size for count, size in self.runs)

    @property
    def largest(self) -> int:
        """The bytes of the largest part."""
        return max((size for _, size in self.runs), default=0)

    def ranges(self, number: int = 1, offset: int = 0) -> Iterator[PartRange]:
        """Yield all parts; the first one has this number and begins at byte `offset`."""
        for count, size in self.runs:
            for _ in range(count):
                yield PartRange(number, offset, offset + size - 1)
                number, offset = number + 1, offset + size

    @property
    def is_allowed(self) -> bool:
        """Return whether S3 accepts it: at most 10,000 parts, none above 5 GiB, and only the last one below 5 MiB."""
        if not self.runs or any(count < 1 or not 1 <= size <= LARGEST_PART for count, size in self.runs):
            return False
        last_count, _ = self.runs[-1]
        inner = self.runs[:-1] if last_count == 1 else self.runs
        return self.count <= MOST_PARTS and all(size >= SMALLEST_PART for _, size in inner)


def cut_by(size: int, part: int) -> Cut:
    """Divide `size` bytes into parts of `part` bytes and a smaller last one."""
    whole, rest = divmod(size, part)
    runs = ((whole, part), (1, rest))
    return Cut(tuple((count, length) for count, length in runs if count and length))


def cut_evenly(size: int, count: int) -> Cut:
    """Divide `size` bytes into at most `count` equal parts of whole MiB, or as close to that as S3's limits allow.

    Raises ValueError for a size that no object can have.
    """
    if not 1 <= size <= LARGEST_OBJECT:
        raise ValueError(f"no object of {size} bytes has parts: S3 allows 1 to {LARGEST_OBJECT} bytes")
    part = -(-size // max(1, min(count, MOST_PARTS)))
    part = -(-part // MIB) * MIB
    return cut_by(size, max(SMALLEST_PART, min(part, LARGEST_PART)))
