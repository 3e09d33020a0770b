"""Where inventory reports are: in S3 or in a folder of this machine. Their files are brought here one at a time.

Everything is compared with the MD5 that the report has of it, so that a file that was replaced or cut short is found.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from s3replicator.calls import calling
from s3replicator.verify.inventory.report import CHECKSUM, MANIFEST, File, Unusable

CHUNK = 1024 * 1024


class Location(Protocol):
    """A folder with a report. All methods raise Unusable or CallFailed."""

    def read(self, name: str) -> bytes:
        """Return a small file of the folder itself."""

    def copy(self, file: File, to: IO[bytes]) -> None:
        """Copy a file of the report."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder in a bucket. key: of its manifest.json. The files are taken from this bucket, whatever that says."""

    client: Any
    bucket: str
    key: str

    def read(self, name: str) -> bytes:
        """Return a small file of the folder itself."""
        return b"".join(self._chunks(f"{self.key.removesuffix(MANIFEST)}{name}"))

    def copy(self, file: File, to: IO[bytes]) -> None:
        """Copy a file of the report."""
        for chunk in self._chunks(file.key):
            to.write(chunk)

    def _chunks(self, key: str) -> Iterator[bytes]:
        with calling("s3:GetObject"):
            yield from self.client.get_object(Bucket=self.bucket, Key=key)["Body"].iter_chunks(CHUNK)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine with a manifest.json: a copy of what S3 wrote, or with the files beside it."""

    path: Path

    def read(self, name: str) -> bytes:
        """Return a small file of the folder itself."""
        path = self.path / name
        with _readable(path):
            return path.read_bytes()

    def copy(self, file: File, to: IO[bytes]) -> None:
        """Copy a file of the report."""
        path = self._find(file.key)
        with _readable(path), path.open("rb") as opened:
            shutil.copyfileobj(opened, to, CHUNK)

    def _find(self, key: str) -> Path:
        name = key.rpartition("/")[2]
        beside = (self.path / name, self.path / "data" / name, self.path.parent / "data" / name)
        mirrored = (parent / key for parent in (self.path, *self.path.parents))
        found = next((path for path in (*beside, *mirrored) if path.is_file()), None)
        if found is None:
            raise Unusable(f"{name} is neither in {self.path} nor in a folder data beside it")
        return found


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from None


def manifest_of(location: Location) -> bytes:
    """Return the manifest.json of a report, compared with its manifest.checksum. Raises Unusable or CallFailed."""
    text, wanted = location.read(MANIFEST), location.read(CHECKSUM)
    if hashlib.md5(text, usedforsecurity=False).hexdigest() != wanted.decode("ascii", "replace").strip().lower():
        raise Unusable(f"{MANIFEST} is not the one that {CHECKSUM} belongs to; S3 may be writing a new report")
    return text


def fetch(location: Location, file: File, path: Path) -> None:
    """Bring a file of a report to a path. Raises Unusable, also if its MD5 is another one, or CallFailed."""
    with path.open("wb") as to:
        location.copy(file, to)
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if digest != file.md5:
        raise Unusable(f"{file.key} has the MD5 {digest}, not {file.md5} as {MANIFEST} says; fetch the report again")
