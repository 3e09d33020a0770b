"""Rules for many buckets at once, and several stacks seen at once, by the command as operators run it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running, running
from tests.emulator.worlds import bucket, rule

TEAMS = tuple(f"team-{number}-east" for number in range(6))
WORLD: dict[str, Any] = {
    "buckets": [
        *map(bucket, TEAMS),
        bucket("other-east"),
        *(bucket(f"copy-{name}-west") for name in TEAMS),
        bucket("home-west"),
        bucket("away-east"),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"SourceBuckets": "*-east", "DestinationBuckets": "copy-*,home-west"},
        },
        {
            "name": "back",
            "region": "us-west-2",
            "rules": {"home-west": {"Rules": [rule("home-west", "away-east")]}},
        },
    ],
}
FOR_EACH = {"Role": "", "Rules": [rule("each", "copy-${SourceBucket}-west")]}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    """Return every test a first stack without rules."""
    yield
    s3, control = emulator.client("s3"), emulator.outputs("prod")["ControlBucket"]
    for name in (*TEAMS, "other-east"):
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
        s3.delete_object(Bucket=control, Key=f"rules/{name}.json")


def run(emulator: Running, *arguments: str, stack: str = "prod") -> Any:
    environment = {**emulator.environment("us-east-1"), "COLUMNS": "200"}
    named = {"S3REPLICATOR_STACK": stack} if stack else {}
    return CliRunner().invoke(app, [*arguments], env={**environment, **named})


def document(done: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def stored(emulator: Running) -> set[str]:
    listed = emulator.client("s3").list_objects_v2(Bucket=emulator.outputs("prod")["ControlBucket"], Prefix="rules/")
    return {each["Key"][6:-5] for each in listed.get("Contents", ())}


def file(folder: Path, name: str, document: Any) -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def test_one_file_is_put_for_every_bucket_that_a_pattern_includes(emulator: Running, tmp_path: Path) -> None:
    path = file(tmp_path, "each.json", FOR_EACH)
    done = run(emulator, "rules", "put", "team-*", path, "--json")
    assert (done.exit_code, document(done)["ok"]) == (0, True)
    assert stored(emulator) == set(TEAMS)
    emulator.client("s3").put_object(Bucket=TEAMS[3], Key="k", Body=b"content")
    assert emulator.idle()
    copied = emulator.client("s3", "us-west-2").get_object(Bucket=f"copy-{TEAMS[3]}-west", Key="k")
    assert copied["Body"].read() == b"content"
    again = document(run(emulator, "rules", "put", "team-*", path, "--json"))
    assert {each["done"][0] for each in again["reports"]} == {"the rules are unchanged"}


def test_a_folder_is_put_and_one_bad_document_does_not_stop_the_others(emulator: Running, tmp_path: Path) -> None:
    for name in TEAMS[:3]:
        file(tmp_path, f"{name}.json", {"Role": "", "Rules": [rule(name, f"copy-{name}-west")]})
    file(tmp_path, f"{TEAMS[4]}.json", "no JSON")
    file(tmp_path, "absent-east.json", {"Role": "", "Rules": [rule("absent-east", "home-west")]})
    file(tmp_path, "notes.txt", "nothing")
    done = run(emulator, "rules", "put", str(tmp_path))
    assert done.exit_code == 1
    assert "5 buckets, 2 with errors" in done.stdout
    assert "absent-east: does not exist" in done.stdout
    assert stored(emulator) == set(TEAMS[:3])
    checked = run(emulator, "rules", "check", "--all", "--json")
    assert (checked.exit_code, [each["bucket"] for each in document(checked)["reports"]]) == (0, list(TEAMS[:3]))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["put", "nothing-*", "-"], "no bucket of the stack's Region matches nothing-*"),
        (["put", "copy-*", "-"], "no bucket of the stack's Region matches copy-*"),
        (["put", "/nonexistent"], "cannot read /nonexistent"),
        (["check", "--all", "other-east"], "leave out BUCKET"),
    ],
    ids=["no bucket", "buckets of another Region", "no folder", "all and one"],
)
def test_what_can_be_put_for_no_bucket_is_refused(emulator: Running, arguments: list[str], problem: str) -> None:
    done = run(emulator, "rules", *arguments)
    assert done.exit_code == 2
    assert problem in done.stderr


def test_rules_are_listed_with_counts_by_kind(emulator: Running, tmp_path: Path) -> None:
    rules = [rule("x", "home-west", ID="far"), rule("x", "copy-nothing-west", ID="gone", Priority=2)]
    near = rule("x", "away-east", ID="not ours", Priority=3)
    run(emulator, "rules", "put", "other-east", file(tmp_path, "r", {"Role": "", "Rules": [*rules, near]}), "--force")
    run(emulator, "rules", "put", TEAMS[0], file(tmp_path, "f", {"Role": "", "Rules": [rule("x", "home-west")]}))
    emulator.client("s3").put_bucket_notification_configuration(Bucket=TEAMS[0], NotificationConfiguration={})
    control = emulator.outputs("prod")["ControlBucket"]
    emulator.client("s3").put_object(Bucket=control, Key=f"rules/{TEAMS[1]}.json", Body=b"no JSON")
    done = run(emulator, "rules", "list", "--json")
    found = document(done)
    assert done.exit_code == 1
    assert {name: each for name, each in found["counts"].items() if each} == {
        "buckets": 3,
        "rules": 4,
        "enabled": 4,
        "cross_region": 2,
        "same_account": 2,
        "invalid_destination": 2,
        "buckets_without_events": 1,
        "buckets_without_valid_rules": 1,
    }
    attached = {each["bucket"]: each["events_attached"] for each in found["buckets"]}
    assert attached == {"other-east": True, TEAMS[0]: False, TEAMS[1]: None}
    text = run(emulator, "rules", "list").stdout
    assert all(part in text for part in ("INVALID DESTINATION", "not attached", f"{TEAMS[1]}: "))


def test_several_stacks_are_seen_at_once(emulator: Running) -> None:
    both = ["--stack", "prod", "--stack", "back@us-west-2"]
    for command in (["status"], ["rules", "list"], ["failures", "list"], ["report", "--from", "1h"]):
        done = run(emulator, *command, *both, "--json", stack="")
        entries = document(done)["stacks"]
        found = [(each["stack"], each["region"], each["account"], each["problem"]) for each in entries]
        expected = [("prod", "us-east-1", "123456789012", None), ("back", "us-west-2", "123456789012", None)]
        assert found == expected, command
        alone = document(run(emulator, *command, "--stack", "back@us-west-2", "--json", stack=""))
        assert set(alone) == set(entries[1]["result"]), command
        text = run(emulator, *command, *both, stack="").stdout
        assert "stack prod in us-east-1, account 123456789012" in text, command
        assert "stack back in us-west-2, account 123456789012" in text, command


def test_a_stack_that_cannot_be_reached_is_told_and_hides_no_other(emulator: Running, tmp_path: Path) -> None:
    stacks = file(
        tmp_path,
        "stacks.toml",
        '[[stacks]]\nname = "absent"\nregion = "eu-west-1"\n'
        '[[stacks]]\nname = "back"\nregion = "us-west-2"\naccount = "999999999999"\n'
        '[[stacks]]\nname = "prod"\nprofile = "nobody"\n'
        '[[stacks]]\nname = "prod"\n',
    )
    done = run(emulator, "status", "--stacks", stacks, "--json", stack="")
    entries = document(done)["stacks"]
    assert done.exit_code == 1
    assert [each["fine"] for each in entries] == [False, False, False, True]
    problems = [each["problem"] for each in entries]
    assert "absent" in problems[0]
    assert "is in account 123456789012, not in 999999999999" in problems[1]
    assert "nobody" in problems[2]
    text = run(emulator, "status", "--stacks", stacks, stack="")
    assert text.exit_code == 1
    assert all(part in text.stdout for part in ("absent", "not in 999999999999", "stack prod in us-east-1, account"))


def test_a_report_on_several_stacks_has_a_page_for_each(emulator: Running, tmp_path: Path) -> None:
    out = str(tmp_path / "page.html")
    run(emulator, "report", "--stack", "prod", "--stack", "back@us-west-2", "--out", out, stack="")
    assert {path.name for path in tmp_path.iterdir()} == {"page-prod-us-east-1.html", "page-back-us-west-2.html"}


def test_an_objects_status_is_that_of_one_stack(emulator: Running) -> None:
    done = run(emulator, "status", "s3://home-west/k", "--stack", "prod", "--stack", "back@us-west-2", stack="")
    assert done.exit_code == 2
    assert "name it with --stack" in done.stderr
