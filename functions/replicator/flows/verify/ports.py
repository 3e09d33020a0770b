"""The port of the survey: whole buckets, page by page. Separate because only the survey lists whole buckets."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Side
from replicator.core.verifying.listed import Listed, Span


class Listing(Protocol):
    """Buckets, for listing. Both methods raise Temporary or Permanent; reason codes are those of the side."""

    def pages(self, target: Target, side: Side, span: Span) -> Iterator[Sequence[Listed]]:
        """Yield all entries of a span in S3's order, one page for each request; the entries of a key newest first."""

    def first_key(self, target: Target, side: Side, span: Span) -> str | None:
        """Return the first key of a span; None if it has none. One request."""
