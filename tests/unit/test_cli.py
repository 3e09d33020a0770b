"""The command without a network: wrong calls, how it finds its stack, what it prints."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from s3replicator import stack
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.findings import Finding, Severity
from s3replicator.main import app
from s3replicator.rule_documents import read_argument
from s3replicator.rules import commands as rules_commands
from s3replicator.rules.result import RulesResult
from s3replicator.stack import stack_facts
from typer.testing import CliRunner

OUTPUTS = {
    "ControlBucket": "control",
    "ChangeQueue": "https://queue",
    "ChangeQueueArn": "arn:aws:sqs:us-east-1:111122223333:changes",
}
LONG = "a message that is much longer than a terminal is wide, so that it would be wrapped in the middle of its words"
FINDINGS = [
    Finding(Severity.WARNING, "bucket west", "later"),
    Finding(Severity.ERROR, "one", LONG, "Filter.And.Tags[1].Key"),
]


class OneResult:
    """Stands for `StackRules`, and answers every command with the same result."""

    def __init__(self, result: RulesResult) -> None:
        self.result = result
        self.given: list[Any] = []

    def put(self, bucket: str, text: bytes, *, force: bool) -> RulesResult:
        self.given.append((bucket, text, force))
        return self.result

    def delete(self, bucket: str) -> RulesResult:
        self.given.append(bucket)
        return self.result

    def check(self, bucket: str, text: bytes | None = None) -> RulesResult:
        self.given.append((bucket, text))
        return self.result

    def buckets(self) -> tuple[str, ...]:
        return ("east", "south")

    def get(self, bucket: str) -> bytes | None:
        if bucket == "denied":
            raise CallFailed(FailedCall("s3:GetObject", "AccessDenied"))
        return '{"Rules": "ü"}\n'.encode() if bucket == "east" else None


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> OneResult:
    class Opened:
        facts = stack_facts("prod", "us-east-1", {}, OUTPUTS)

    rules = OneResult(RulesResult("east", findings=list(FINDINGS), done=["stored the rules"]))
    monkeypatch.setattr(rules_commands, "open_stack", lambda *_: Opened())
    monkeypatch.setattr(rules_commands, "open_rules", lambda *_: rules)
    return rules


def run(*arguments: str, given: str = "") -> Any:
    return CliRunner().invoke(app, list(arguments), input=given)


WRONG = {
    "an argument is missing": ["rules", "put"],
    "the file is missing": ["rules", "put", "east"],
    "there is no such command": ["rules", "frobnicate"],
    "there is no such option": ["rules", "get", "east", "--nope"],
    "there is no such file": ["rules", "put", "east", "/no/such/file"],
    "there is no such file to check": ["rules", "check", "east", "/no/such/file"],
    "the file is a folder": ["rules", "put", "east", "/"],
    "the bucket is a path": ["rules", "get", "a/b"],
    "the bucket is an address with a key": ["rules", "put", "s3://east/key", "-"],
    "the bucket has no name": ["rules", "delete", ""],
    "the port is no number": ["emulate", "--port", "x"],
    "the world is a folder": ["emulate", "/"],
    "there is no such group": ["frobnicate"],
    "the address has no key": ["explain", "s3://east"],
    "the address has no bucket": ["explain", "s3:///key"],
    "the bucket's name is not possible": ["status", "s3://a b/key"],
    "the reason is none": ["failures", "list", "--reason", "Nonsense"],
    "the time is none": ["report", "--from", "yesterday"],
    "the time is before all time": ["report", "--from", "999999999w"],
    "the time is before S3": ["report", "--from", "0001-01-01"],
    "the end is after all time": ["report", "--to", "9999-12-31"],
    "the end is before the start": ["report", "--from", "2026-01-02", "--to", "2026-01-01"],
    "the profile is none": ["status", "--profile", "no such profile"],
    "the Region is none": ["status", "--region", "no such region"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_a_wrong_call_ends_with_2_and_a_message_and_no_traceback(rules: OneResult, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.output
    assert "Traceback" not in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.parametrize(
    "text",
    ["default = 3", "[default.deploy.parameters]\nstack_name = 3", "not TOML"],
    ids=["no table", "a name that is no text", "no TOML"],
)
def test_a_samconfig_of_another_shape_ends_with_2_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    Path("samconfig.toml").write_text(text)
    done = run("status")
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
    assert "samconfig.toml" in done.stderr or "no Region" in done.stderr


def test_arguments_that_are_not_utf_8_end_with_2_and_no_traceback() -> None:
    done = command(b"explain", b"s3://east/caf\xe9")
    assert done.returncode == 2
    assert "is not valid UTF-8" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_standard_input_ends_with_2_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(typer.Exit) as ended:
        read_argument("-")
    assert ended.value.exit_code == 2


def test_the_version_is_that_of_the_installed_package() -> None:
    for printed in (run("--version").stdout, command(b"--version").stdout):
        assert printed == f"s3replicator {version('s3-replicator')}\n"
    assert run("--version").exit_code == 0


def command(*arguments: bytes) -> subprocess.CompletedProcess[str]:
    """Run the console script as it is installed."""
    script = Path(sys.executable).with_name("s3replicator")
    return subprocess.run([bytes(script), *arguments], check=False, capture_output=True, text=True)


def test_an_error_ends_with_1_and_is_printed_on_one_line_before_the_warnings(rules: OneResult) -> None:
    done = run("rules", "put", "east", "-", given="{}")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        f"error  one Filter.And.Tags[1].Key: {LONG}",
        "warning  bucket west: later",
        "east: stored the rules",
    ]


def test_a_put_that_stored_nothing_says_so(rules: OneResult) -> None:
    rules.result.done.clear()
    assert run("rules", "put", "east", "-").output.splitlines()[-1] == "east: nothing was changed"


def test_warnings_end_with_0(rules: OneResult) -> None:
    del rules.result.findings[1]
    assert run("rules", "check", "east").exit_code == 0
    assert run("rules", "check").exit_code == 0
    assert run("rules", "delete", "east").exit_code == 0


def test_json_is_one_document_and_nothing_else(rules: OneResult) -> None:
    done = run("rules", "delete", "east", "--json")
    assert json.loads(done.stdout) == {
        "bucket": "east",
        "ok": False,
        "rules": [],
        "done": ["stored the rules"],
        "findings": [
            {"severity": "warning", "subject": "bucket west", "field": "", "message": "later"},
            {"severity": "error", "subject": "one", "field": "Filter.And.Tags[1].Key", "message": LONG},
        ],
    }
    every = json.loads(run("rules", "check", "--json").stdout)
    assert (every["ok"], len(every["reports"])) == (False, 2)


def test_rules_come_from_a_file_or_from_standard_input(rules: OneResult, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_bytes(b"from a file")
    run("rules", "put", "east", str(file))
    run("rules", "put", "s3://east/", "-", "--force", given="from input")
    run("rules", "check", "arn:aws:s3:::east", str(file))
    assert rules.given == [("east", b"from a file", False), ("east", b"from input", True), ("east", b"from a file")]


def test_get_prints_the_document_as_it_is_stored(rules: OneResult) -> None:
    done = run("rules", "get", "east")
    assert (done.exit_code, done.stdout) == (0, '{"Rules": "ü"}\n')


def test_get_without_rules_or_without_permission_ends_with_1_and_says_why(rules: OneResult) -> None:
    none, denied = run("rules", "get", "south"), run("rules", "get", "denied")
    assert (none.exit_code, none.stdout, none.stderr) == (1, "", "s3replicator: no rules are stored for south\n")
    assert (denied.exit_code, denied.stdout) == (1, "")
    assert "allow your credentials s3:GetObject on bucket control" in denied.stderr


def test_without_the_emulators_packages_emulate_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "emulator.main", None)
    done = run("emulate")
    assert done.exit_code == 2
    assert "pip install" in done.stderr
    assert "emulator" in done.stderr


def test_a_world_whose_rules_nobody_could_put_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """The same words as from `rules put`, with the place in the world file."""
    rule = {"ID": "r", "Status": "On", "Filter": {}, "Destination": {"Bucket": "west"}}
    world = {
        "buckets": [{"name": "east", "region": "us-east-1"}],
        "stacks": [{"name": "s", "region": "us-east-1", "rules": {"east": {"Rules": [rule]}}}],
    }
    path = tmp_path / "world.json"
    path.write_text(json.dumps(world))
    done = run("emulate", str(path))
    said = " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert "error: stacks[0].rules.east: r: Status: must be Enabled or Disabled, not 'On'; r: Priority: is miss" in said
    assert "r: Destination.Bucket: must be a bucket's ARN" in said


def test_ctrl_c_ends_with_130_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rules_commands, "open_stack", interrupted)
    done = run("rules", "get", "east")
    assert done.exit_code == 130
    assert "Traceback" not in done.output


def test_what_a_stack_may_touch_comes_from_its_parameters() -> None:
    parameters = {
        "SourceBuckets": "a, b",
        "CreateSourceBucket": "c",
        "DestinationBuckets": "d",
        "DefaultDestination": "e",
        "DestinationKmsKeys": "k,l",
        "UseEventBridge": "true",
    }
    facts = stack_facts("prod", "us-east-1", parameters, OUTPUTS)
    assert facts.source_buckets == {"a", "b", "c"}
    assert facts.destination_buckets == {"d", "e"}
    assert facts.destination_kms_keys == {"k", "l"}
    assert (facts.default_source, facts.default_destination, facts.event_bridge) == ("c", "e", True)
    assert (facts.account, facts.control_bucket) == ("111122223333", "control")


def test_an_empty_stack_touches_nothing_and_the_first_source_bucket_is_the_default_one() -> None:
    nothing = stack_facts("prod", "us-east-1", {"SourceBuckets": ""}, OUTPUTS)
    assert not nothing.source_buckets | nothing.destination_buckets
    assert nothing.default_source == ""
    assert stack_facts("prod", "us-east-1", {"SourceBuckets": "b,a"}, OUTPUTS).default_source == "b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ('[default.global.parameters]\nstack_name = "a"\nregion = "r"', {"stack_name": "a", "region": "r"}),
        (
            '[default.global.parameters]\nstack_name = "a"\n[default.deploy.parameters]\nstack_name = "b"',
            {"stack_name": "b"},
        ),
    ],
    ids=["nothing", "global", "deploy over global"],
)
def test_the_stack_of_samconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert stack._samconfig() == {}
    Path("samconfig.toml").write_text(text)
    assert stack._samconfig() == expected
