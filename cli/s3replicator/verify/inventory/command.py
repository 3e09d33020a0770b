"""`s3replicator verify --inventory`: finds the reports that are named, reads them, and verifies from them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from s3replicator.addresses import bucket_and_key, bucket_name
from s3replicator.output import Output, complain, fail, stop_on_failed_call
from s3replicator.stack import Stack
from s3replicator.verify.inventory.athena import Athena
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
AthenaOption = Annotated[
    str,
    typer.Option(
        "--athena",
        metavar="WORKGROUP",
        help="Have this workgroup of Athena compare inventories; each is a table, --inventory BUCKET=DATABASE.TABLE, "
        "with @DT for the report of one day.",
        show_default=False,
    ),
]
OnlyInventoryOption = Annotated[
    bool,
    typer.Option("--only-inventory", help="Examine nothing in S3: report what the inventories show."),
]


def check_options(inventories: Sequence[str], athena: str, *, only: bool, deep: bool, repair: bool) -> None:
    """End the command if options contradict each other."""
    for option, is_given in (("--only-inventory", only), ("--athena", bool(athena))):
        if is_given and not inventories:
            fail(f"{option} needs --inventory")
    if only and (deep or repair):
        fail("--only-inventory examines nothing, so it goes neither with --deep nor with --repair")


def verify_inventories(
    inventories: Sequence[str], athena: str, stack: Stack, begin: Begin, output: Output
) -> InventoryVerification:
    """Read reports, and verify from them. Ends the command if they are not usable, or cannot be read.

    athena: the workgroup that compares them; empty for this machine.
    """
    early = "the verification ended early; run it again"
    target = f"workgroup {athena}" if athena else "the inventory report"
    try:
        with stop_on_failed_call(target, early), _engine(athena, stack) as engine:
            found = begin(engine, _loaded(engine, inventories, stack))
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


@contextmanager
def _engine(workgroup: str, stack: Stack) -> Iterator[Athena | Database]:
    """Open what compares inventories."""
    if not workgroup:
        with database() as opened:
            yield opened
        return
    client = stack.client("athena")
    yield Athena(client, workgroup, lambda wait: time.sleep(wait / 1000), lambda: time.time_ns() // 1_000_000)


def _loaded(engine: Athena | Database, inventories: Sequence[str], stack: Stack) -> dict[str, Table]:
    tables = dict[str, Table]()
    for text in inventories:
        table = _table(engine, text) if isinstance(engine, Athena) else _load(engine, text, stack)
        if table.bucket in tables:
            raise Unusable(f"{text} is another inventory of {table.bucket}; give one for each bucket")
        tables[table.bucket] = table
    return tables


def _table(engine: Athena, text: str) -> Table:
    bucket, given, name = text.partition("=")
    if not given:
        raise Unusable(f"with --athena, an inventory is BUCKET=DATABASE.TABLE, not {text}")
    return engine.load(bucket_name(bucket), name)


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
