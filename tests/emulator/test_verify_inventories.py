"""`s3replicator verify --inventory` against a deployed stack: reports in a bucket, and in a folder."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from replicator.core.verifying.listed import Listed
from replicator.core.versions.version import Entry, EntryKind

from emulator.running import Running, running
from tests.emulator.watched import put, run, world
from tests.fakes.inventories import live_table, report

REGIONS = {"east": "us-east-1", "west": "us-west-2"}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    described = world()
    described["buckets"].append({"name": "reports", "region": "us-west-2"})
    with running(described) as emulator:
        yield emulator


def entries(aws: Running, bucket: str) -> Iterator[Listed]:
    answer = aws.client("s3", REGIONS[bucket]).list_object_versions(Bucket=bucket)
    for name, kind in (("Versions", EntryKind.VERSION), ("DeleteMarkers", EntryKind.MARKER)):
        for each in answer.get(name, []):
            time = int(each["LastModified"].timestamp())
            entry = Entry(each["VersionId"], kind, time, each.get("ETag", ""), each.get("Size", 0))
            yield Listed(each["Key"], entry, each["IsLatest"])


def reports(aws: Running, folder: Path, *, parquet: bool) -> list[str]:
    """Write a report of each bucket, as if it had begun in a minute; return the folders."""
    taken = datetime.now(UTC) + timedelta(minutes=1)
    return [str(report(folder / name, name, entries(aws, name), parquet=parquet, taken=taken)) for name in REGIONS]


def tables(aws: Running, folder: Path) -> list[str]:
    """Write the live inventory table of each bucket, with the user metadata of versions."""
    written = []
    for name, region in REGIONS.items():
        s3 = aws.client("s3", region)
        found = [
            (each, s3.head_object(Bucket=name, Key=each.key, VersionId=each.entry.version_id)["Metadata"])
            for each in entries(aws, name)
        ]
        written.append(f"{name}={live_table(folder / name / '0.parquet', name, found).parent}")
    return written


def upload(aws: Running, folder: Path) -> str:
    """Put a report where S3 would, and return the address of its manifest."""
    s3, there = aws.client("s3", "us-west-2"), f"reports/{folder.name}/all"
    for path in folder.iterdir():
        place = "2026-11-27T01-00Z" if path.name.startswith("manifest") else "data"
        s3.put_object(Bucket="reports", Key=f"{there}/{place}/{path.name}", Body=path.read_bytes())
    return f"s3://reports/{there}/2026-11-27T01-00Z/manifest.json"


def verified(aws: Running, inventories: list[str], *arguments: str, status: int) -> dict[str, Any]:
    given = [argument for each in inventories for argument in ("--inventory", each)]
    done = run(aws, "verify", "east", "--json", *given, *arguments)
    assert done.exit_code == status, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_inventories_leave_in_doubt_is_examined_and_repaired(
    aws: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOMENT_MS", "EVENT_MS"):
        monkeypatch.setattr(f"replicator.flows.verify.verifying.{name}", 0)
    ids = put(aws, "a key+%41", "deleted", "m\u00fc")
    assert aws.idle()
    assert verified(aws, reports(aws, tmp_path / "equal", parquet=True), status=0)["equal"]
    assert verified(aws, tables(aws, tmp_path / "tables"), "--only-inventory", status=0)["equal"]
    west = aws.client("s3", "us-west-2")
    [replica] = west.list_object_versions(Bucket="west", Prefix="deleted")["Versions"]
    west.delete_object(Bucket="west", Key="deleted", VersionId=replica["VersionId"])
    folders = reports(aws, tmp_path / "different", parquet=False)
    only = verified(aws, folders, "--only-inventory", status=1)
    [example] = only["destinations"]["west"]["examples"]["missing"]
    assert (example["key"], example["version_id"]) == ("deleted", ids["deleted"])
    addresses = [upload(aws, Path(folder)) for folder in folders]
    found = verified(aws, addresses, status=1)
    assert found["destinations"]["west"]["differences"] == {"deleted-there": 1}
    assert found["destinations"]["west"]["equal"] == 2
    repaired = verified(aws, addresses, "--repair", status=0)
    assert repaired["destinations"]["west"]["repaired"] == {"deleted-there": 1}
    # The old inventories still lack the replica: what is there now counts.
    assert verified(aws, addresses, status=0)["destinations"]["west"]["equal"] == 3


def test_options_and_reports_that_do_not_fit_are_refused(aws: Running, tmp_path: Path) -> None:
    [east, west] = reports(aws, tmp_path, parquet=False)
    for arguments, says in (
        (["--only-inventory"], "needs --inventory"),
        (["--inventory", east, "--only-inventory", "--repair"], "neither with --deep nor with --repair"),
        (["--inventory", east], "no --inventory is that of west"),
        (["--inventory", east, "--inventory", east, "--inventory", west], "another inventory of east"),
        (["--inventory", str(tmp_path / "no such folder")], "cannot read"),
        (["--inventory", f"west={tmp_path / 'none'}"], "neither a Parquet file nor a folder"),
    ):
        done = run(aws, "verify", "east", *arguments)
        assert (done.exit_code, says in done.stderr) == (2, True), done.output
    gone = run(aws, "verify", "east", "--inventory", "s3://reports/no/manifest.json")
    assert (gone.exit_code, "s3:GetObject failed with NoSuchKey" in gone.stderr) == (1, True), gone.output


# On Athena


DAY = "2026-11-27-01-00"
COLUMNS = {
    **dict.fromkeys(("bucket", "key", "version_id"), "string"),
    **dict.fromkeys(("is_latest", "is_delete_marker"), "boolean"),
    "size": "bigint",
    "last_modified_date": "timestamp",
    "e_tag": "string",
    "storage_class": "string",
    "encryption_status": "string",
}
CSV = {**COLUMNS, "is_latest": "string", "is_delete_marker": "string", "size": "string", "last_modified_date": "string"}
LIVE = {
    **dict.fromkeys(("bucket", "key", "sequence_number", "version_id"), "string"),
    "is_delete_marker": "boolean",
    "size": "bigint",
    "last_modified_date": "timestamp",
    "e_tag": "string",
    "user_metadata": "map<string,string>",
}


def create_table(aws: Running, name: str, columns: dict[str, str], location: str, *, days: bool) -> None:
    """Create a table in the database `inventories`, over Parquet files, or over the reports of some days in CSV."""
    kind = "serde2.OpenCSVSerde" if columns == CSV else "ql.io.parquet.serde.ParquetHiveSerDe"
    form = "ql.io.SymlinkTextInputFormat" if days else "ql.io.parquet.MapredParquetInputFormat"
    aws.client("glue", "us-east-1").create_table(
        DatabaseName="inventories",
        TableInput={
            "Name": name,
            "PartitionKeys": [{"Name": "dt", "Type": "string"}] if days else [],
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": each} for column, each in columns.items()],
                "Location": location,
                "InputFormat": f"org.apache.hadoop.hive.{form}",
                "SerdeInfo": {"SerializationLibrary": f"org.apache.hadoop.hive.{kind}"},
            },
        },
    )


@pytest.fixture
def athena(group: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("s3replicator.verify.inventory.athena.FIRST_WAIT_MS", 5)
    return group


@pytest.fixture(scope="module")
def group(aws: Running) -> str:
    """Return a workgroup, and create the database for tables. Queries are looked at every few milliseconds."""
    configuration = {"ResultConfiguration": {"OutputLocation": "s3://reports/results/"}}
    aws.client("athena", "us-east-1").create_work_group(Name="assurance", Configuration=configuration)
    aws.client("glue", "us-east-1").create_database(DatabaseInput={"Name": "inventories"})
    return "assurance"


def test_athena_answers_the_same_questions(aws: Running, athena: str, tmp_path: Path) -> None:
    s3 = aws.client("s3", "us-west-2")
    put(aws, "of athena", "it's +%41")
    assert aws.idle()
    east, west = (Path(each) for each in reports(aws, tmp_path, parquet=False))
    for folder in (east, west):
        upload(aws, folder)
        links = "".join(f"s3://reports/reports/{folder.name}/all/data/{path.name}\n" for path in folder.glob("*.gz"))
        s3.put_object(Bucket="reports", Key=f"{folder.name}/hive/dt={DAY}/symlink.txt", Body=links.encode())
        create_table(aws, folder.name, CSV, f"s3://reports/{folder.name}/hive/", days=True)
    named = [f"{name}=inventories.{name}@{DAY}" for name in REGIONS]
    found = verified(aws, named, "--athena", athena, "--only-inventory", status=0)
    here = verified(aws, [str(east), str(west)], "--only-inventory", status=0)
    assert found["destinations"] == here["destinations"]
    assert found["destinations"]["west"]["equal"] >= 2
    for given, says in (
        ("west=inventories.west", "has reports of many days"),
        ("west=inventories.west@yesterday", "is no partition"),
        ("west=west", "is no table"),
        ("west=inventories.none", "is FAILED"),
        (str(west), "an inventory is BUCKET=DATABASE.TABLE"),
    ):
        done = run(aws, "verify", "east", "--athena", athena, "--inventory", named[0], "--inventory", given)
        assert (done.exit_code, says in done.stderr) == (2, True), done.output
    done = run(aws, "verify", "east", "--athena", "primary", "--inventory", named[0])
    assert (done.exit_code, "No output location provided" in done.stderr) == (1, True), done.output


def test_athena_reads_live_inventory_tables(aws: Running, athena: str, tmp_path: Path) -> None:
    s3 = aws.client("s3", "us-west-2")
    put(aws, "of a live table")
    assert aws.idle()
    for each in tables(aws, tmp_path):
        name, _, folder = each.partition("=")
        s3.put_object(Bucket="reports", Key=f"live/{name}/0.parquet", Body=(Path(folder) / "0.parquet").read_bytes())
        create_table(aws, f"live_{name}", LIVE, f"s3://reports/live/{name}/", days=False)
    named = [f'{name}="inventories"."live_{name}"' for name in REGIONS]
    assert verified(aws, named, "--athena", athena, "--only-inventory", status=0)["equal"]
