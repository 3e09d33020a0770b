"""The port Listing: over the in-memory S3, and over buckets of any size that a generator makes up as they are listed.

The second kind shows what memory and requests a survey of millions of keys takes: nothing of it is ever stored.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Side
from replicator.core.verifying.listed import Listed, Span
from replicator.core.versions.version import Entry, EntryKind

from tests.fakes.points import Call, Points, Straight
from tests.fakes.s3 import MemoryS3

PAGE = 1000


def in_pages(entries: Iterator[Listed], length: int = PAGE) -> Iterator[Sequence[Listed]]:
    """Cut entries into pages."""
    while page := list(islice(entries, length)):
        yield page


@dataclass(slots=True)
class MemoryListing:
    """Lists the buckets of the in-memory S3. Each page is a call."""

    s3: MemoryS3
    points: Points = field(default_factory=Straight)
    page: int = PAGE

    def pages(self, target: Target, side: Side, span: Span) -> Iterator[Sequence[Listed]]:
        """Yield the entries of a span."""
        pages = in_pages(self._entries(target.bucket, span), self.page)
        while page := self.points.call(
            Call("LIST", side, target.bucket, span.prefix, "page"), partial(next, pages, None)
        ):
            yield page

    def first_key(self, target: Target, side: Side, span: Span) -> str | None:
        """Return the first key of a span."""
        call = Call("LIST", side, target.bucket, span.prefix, "first key")
        return self.points.call(call, lambda: next((each.key for each in self._entries(target.bucket, span)), None))

    def _entries(self, bucket: str, span: Span) -> Iterator[Listed]:
        histories = self.s3.buckets[bucket].histories
        for key in sorted(key for key in histories if key in span):
            listed = self.s3.buckets[bucket].listed(key)
            for stored in reversed(listed):
                storage_class = stored.content.storage_class if stored.entry.is_version else ""
                yield Listed(key, stored.entry, stored is listed[-1], storage_class)


def numbered(number: int) -> Listed:
    """Return the only version of a key that contains a number."""
    entry = Entry(f"v{number}", EntryKind.VERSION, 1_700_000_000, f'"{number:032x}"', number)
    return Listed(f"data/{number:010d}", entry, is_latest=True, storage_class="STANDARD")


@dataclass(slots=True)
class GeneratedListing:
    """Lists buckets of `count` keys. There is nothing but `entry`, which returns the version of a number in a bucket.

    entry: None for a key that the bucket lacks. requests: made so far.
    """

    count: int
    entry: Callable[[str, int], Listed | None] = lambda _bucket, number: numbered(number)
    requests: int = 0

    def pages(self, target: Target, side: Side, span: Span) -> Iterator[Sequence[Listed]]:
        """Yield the entries of a span."""
        for page in in_pages(self._entries(target.bucket, span)):
            self.requests += 1
            yield page

    def first_key(self, target: Target, side: Side, span: Span) -> str | None:
        """Return the first key of a span."""
        self.requests += 1
        return next((each.key for each in self._entries(target.bucket, span)), None)

    def _entries(self, bucket: str, span: Span) -> Iterator[Listed]:
        for number in range(self._first(span.after), self.count):
            listed = self.entry(bucket, number)
            if listed is None:
                continue
            if span.until is not None and listed.key > span.until:
                return
            yield listed

    def _first(self, after: str) -> int:
        """Return the number of the first key after another one, by bisection."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if numbered(middle).key <= after:
                low = middle + 1
            else:
                high = middle
        return low
