"""`s3replicator verify --inventory`: finds the reports that are named, reads them, and verifies from them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from s3replicator.addresses import bucket_and_key, bucket_name
from s3replicator.output import Output, complain, fail, stop_on_failed_call
from s3replicator.stack import Stack
from s3replicator.verify.inventory.comparison import InventoryVerification
from s3replicator.verify.inventory.database import Database, Engine, database
from s3replicator.verify.inventory.locations import Bucket, Folder, Location
from s3replicator.verify.inventory.questions import Table
from s3replicator.verify.inventory.report import MANIFEST, Unusable

INTERRUPTED = 130
Begin = Callable[[Engine, Mapping[str, Table]], InventoryVerification]
"""Takes what answers questions, and the inventories by bucket."""

InventoryOption = Annotated[
    list[str] | None,
    typer.Option(
        "--inventory",
        metavar="MANIFEST",
        help="Compare S3 Inventory reports instead of listing: s3://BUCKET/.../manifest.json, or a folder with it; or "
        "BUCKET=FOLDER with a live inventory table in Parquet. Once for the source, and once for each destination.",
        show_default=False,
    ),
]
OnlyInventoryOption = Annotated[
    bool,
    typer.Option("--only-inventory", help="Examine nothing in S3: report what the inventories show."),
]


def check_options(inventories: Sequence[str], *, only: bool, deep: bool, repair: bool) -> None:
    """End the command if options contradict each other."""
    if only and not inventories:
        fail("--only-inventory needs --inventory")
    if only and (deep or repair):
        fail("--only-inventory examines nothing, so it goes neither with --deep nor with --repair")


def verify_inventories(inventories: Sequence[str], stack: Stack, begin: Begin, output: Output) -> InventoryVerification:
    """Read reports, and verify from them. Ends the command if they are not usable, or cannot be read."""
    early = "the verification ended early; run it again"
    try:
        with stop_on_failed_call("the inventory report", early), database() as opened:
            found = begin(opened, _loaded(opened, inventories, stack))
            _check_complete(found)
            with output.stop_on_trouble(found.rules.bucket, "", early):
                found.run()
            return found
    except Unusable as error:
        fail(str(error))
    except KeyboardInterrupt:
        complain("interrupted; run the same command again")
        raise typer.Exit(INTERRUPTED) from None


def _location(text: str, stack: Stack) -> Location:
    named = text if text.endswith(MANIFEST) else f"{text.rstrip('/')}/{MANIFEST}"
    if text.startswith("s3://"):
        return Bucket(stack.client("s3"), *bucket_and_key(named))
    return Folder(Path(named).expanduser().parent.absolute())


def _loaded(opened: Database, inventories: Sequence[str], stack: Stack) -> dict[str, Table]:
    tables = dict[str, Table]()
    for text in inventories:
        table = _load(opened, text, stack)
        if table.bucket in tables:
            raise Unusable(f"{text} is another inventory of {table.bucket}; give one for each bucket")
        tables[table.bucket] = table
    return tables


def _load(opened: Database, text: str, stack: Stack) -> Table:
    bucket, given, where = text.partition("=")
    if not given or "/" in bucket:
        return opened.load(_location(text, stack))
    path = Path(where).expanduser()
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise Unusable(f"{path} is neither a Parquet file nor a folder with some")
    return opened.load_files(bucket_name(bucket), files)


def _check_complete(found: InventoryVerification) -> None:
    buckets = [found.rules.bucket, *found.destinations]
    if absent := [name for name in buckets if name not in found.tables]:
        raise Unusable(f"no --inventory is that of {absent[0]}; they are of {', '.join(sorted(found.tables))}")
