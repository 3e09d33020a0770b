"""A function's code: a working tree that runs in place, or a zip file that is unpacked.

Lambda's API takes zip files only. The zip file of a working tree names its directory in the archive comment, and the
function runs from there: an edit takes effect in the next process, and tracebacks name the files being edited.
"""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORKING_TREE = "emulator-working-tree"
_COMMENT = b"working-tree:"
_unpacking = threading.Lock()


def from_working_tree(directory: Path) -> dict[str, str]:
    """Return the CodeUri, for the SAM transform, of a function that runs from this directory."""
    return {"Bucket": WORKING_TREE, "Key": str(directory.resolve())}


def zipped(code: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Code argument of CreateFunction for CloudFormation's Code property."""
    if code.get("S3Bucket") == WORKING_TREE:
        return {"ZipFile": _zip_of(Path(code["S3Key"]))}
    if "ZipFile" in code:
        return {"ZipFile": _zip({"index.py": str(code["ZipFile"]).encode()})}
    return dict(code)


def _zip_of(directory: Path) -> bytes:
    files = {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*.py"))
        if "__pycache__" not in path.parts
    }
    return _zip(files, _COMMENT + str(directory).encode())


def _zip(files: Mapping[str, bytes], comment: bytes = b"") -> bytes:
    """Zip files reproducibly: the same files give the same bytes, and so no update of the function."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return stream.getvalue()


def root_of(code: bytes, unpacked: Path) -> Path:
    """Return the directory from which a zip file's code runs: its working tree, or a new directory in `unpacked`.

    Raises zipfile.BadZipFile if it is not a zip file.
    """
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        if archive.comment.startswith(_COMMENT):
            return Path(archive.comment.removeprefix(_COMMENT).decode())
        root = unpacked / hashlib.sha256(code).hexdigest()[:16]
        with _unpacking:
            if not root.exists():
                fresh = root.with_suffix(".new")
                archive.extractall(fresh)
                fresh.rename(root)
        return root
