"""Where the code of a function lies: in a working tree that is run as it stands, or in a zip that is unpacked.

Lambda only knows zips. A zip of a working tree says in its comment where it was made, so that what is deployed from a
checkout runs from there: an edit shows in the next process, and tracebacks name the files one has open.
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
    """Return what SAM's CodeUri must be for a function that runs from this directory."""
    return {"Bucket": WORKING_TREE, "Key": str(directory.resolve())}


def zipped(code: Mapping[str, Any]) -> dict[str, Any]:
    """Turn CloudFormation's Code property into what CreateFunction takes."""
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
    """Return the same bytes for the same files, so that nothing counts as changed when nothing is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return stream.getvalue()


def root_of(code: bytes, unpacked: Path) -> Path:
    """Return the directory to run this zip's code from: its working tree, or a folder of its own in `unpacked`.

    Raises zipfile.BadZipFile when it is no zip.
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
