"""All differences of a verification, in a file of this machine: there may be more than fit into memory.

Separate from the counts, which are shown while it runs. The same lines are stored in the control bucket, piece by
piece, so that another machine can go on.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO

from replicator.core.verifying.differences import Difference


def lines_of(differences: Iterable[Difference]) -> bytes:
    """Return differences as lines of JSON."""
    return b"".join(json.dumps(each.document()).encode() + b"\n" for each in differences)


def read_lines(text: bytes) -> Iterator[Difference]:
    """Read what `lines_of` returned. Raises ValueError, TypeError or KeyError for anything else."""
    return (Difference.read(json.loads(line)) for line in text.splitlines())


@dataclass(slots=True)
class Spool:
    """A file that vanishes with the process. unsaved: what was added since it was last stored elsewhere.

    is_stored: what is added is stored elsewhere, too.
    """

    is_stored: bool = True
    unsaved: list[Difference] = field(default_factory=list)
    count: int = 0
    _file: IO[bytes] = field(default_factory=TemporaryFile)

    def add(self, differences: Iterable[Difference]) -> None:
        """Add differences of one key."""
        added = list(differences)
        if self.is_stored:
            self.unsaved += added
        self.restore(added)

    def restore(self, differences: Iterable[Difference]) -> None:
        """Add differences that are stored elsewhere already."""
        added = list(differences)
        self._file.write(lines_of(added))
        self.count += len(added)

    def store_nothing(self) -> None:
        """Keep what is added on this machine only."""
        self.is_stored = False
        self.unsaved = []

    def __iter__(self) -> Iterator[Difference]:
        """Yield all, in the order in which they were added."""
        self._file.seek(0)
        for line in self._file:
            yield Difference.read(json.loads(line))
        self._file.seek(0, 2)
