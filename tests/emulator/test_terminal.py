"""Every command on a terminal whose users write objects, rules and names that are meant to harm it.

Keys, rule ids and arguments carry escape sequences, line breaks, marks of direction and 8-bit controls. What arrives at
the terminal is printable text and line feeds, and JSON has the exact values.
"""

import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.worlds import bucket, fault, rule
from tests.patience import PATIENCE

EVIL = "\r\n\x07\x1b[2J\x1b]0;title\x07\x7f\x9b31m\u202etxt.exe\u2066\u2028\ufeff[red]\\x1b"
"""Begins a line, rings, clears the screen, sets its title, turns text round; then markup, and what looks escaped."""
SHOWN = r"\x0d\x0a\x07\x1b[2J\x1b]0;title\x07\x7f\x9b31m\u202etxt.exe\u2066\u2028\ufeff[red]\\x1b"
KEY, DENIED = f"good{EVIL}", f"denied{EVIL}"
RULE = r"[red]rule\x1b"
"""Rule ids that do not print are refused."""
STACK = "prod"
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [{"name": STACK, "region": "us-east-1", "rules": {"east": {"Rules": [rule("east", "west", ID=RULE)]}}}],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as aws:
        s3 = aws.client("s3")
        s3.put_object(Bucket="east", Key=KEY, Body=b"1", Tagging="a=b")
        assert aws.idle()
        aws.post("faults", [fault("CopyObject", {"status": 403, "code": "AccessDenied"})])
        s3.put_object(Bucket="east", Key=DENIED, Body=b"2")
        assert aws.idle()
        aws.delete("faults")
        yield aws


def on_a_terminal(aws: Running, *arguments: str, status: int | None = None) -> str:
    """Run a command with a terminal that has no colours for everything it prints; return that."""
    ours, its = pty.openpty()
    attributes = termios.tcgetattr(its)
    attributes[1] &= ~termios.OPOST  # no carriage return before a line feed
    termios.tcsetattr(its, termios.TCSANOW, attributes)
    environment = {**os.environ, **aws.environment("us-east-1"), "S3REPLICATOR_STACK": STACK, "TERM": "dumb"}
    command = [sys.executable, "-m", "s3replicator", *arguments]
    with subprocess.Popen(command, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        printed = b"".join(iter(lambda: read(ours), b""))
        code = process.wait(PATIENCE)
    os.close(ours)
    text = printed.decode()
    assert "Traceback" not in text, text
    assert code in ((0, 1, 2) if status is None else (status,)), text
    return text


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # EIO: the other end is closed
        return b""


def harmful(text: str) -> list[str]:
    return sorted({each for each in text if not each.isprintable() and each != "\n"})


COMMANDS = {
    "the status of the stack": ["status"],
    "the status of a bucket": ["status", "s3://east"],
    "the status of an object": ["status", f"s3://east/{KEY}"],
    "the status of a failed object": ["status", f"s3://east/{DENIED}"],
    "the status of what is not there": ["status", f"s3://east/never{EVIL}"],
    "the status of a bucket that cannot be": ["status", f"s3://{EVIL}/k"],
    "an explanation": ["explain", f"s3://east/{KEY}"],
    "an explanation of a failure": ["explain", f"s3://east/{DENIED}"],
    "an explanation of what is not there": ["explain", f"s3://east/never{EVIL}"],
    "an explanation of a version that is not there": ["explain", f"s3://east/{KEY}", "--version-id", EVIL],
    "failures": ["failures", "list"],
    "failures of a key": ["failures", "list", "--key-prefix", DENIED],
    "failures with no such reason": ["failures", "list", "--reason", EVIL],
    "a dry run": ["failures", "redrive", "--dry-run"],
    "the stored rules": ["rules", "get", "east"],
    "the rules of a bucket that cannot be": ["rules", "get", EVIL],
    "a check of the rules": ["rules", "check", "east"],
    "a check of a file that is not there": ["rules", "check", "east", f"/no{EVIL}"],
    "a report": ["report"],
    "a report to a file that cannot be": ["report", "--out", f"/no{EVIL}/page.html"],
    "a report since no time": ["report", "--from", EVIL],
    "a stack that is not there": ["status", "--stack", EVIL],
    "a Region that cannot be": ["status", "--region", EVIL],
    "a profile that is not there": ["status", "--profile", EVIL],
    "no such command": [EVIL],
    "no such option": ["status", f"--{EVIL}"],
    "a world that is not there": ["emulate", f"/no{EVIL}"],
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_nothing_that_a_terminal_obeys_is_printed(aws: Running, arguments: list[str]) -> None:
    assert harmful(on_a_terminal(aws, *arguments)) == []


@pytest.mark.parametrize(
    "arguments",
    [each for each in COMMANDS.values() if each[0] != "emulate"],
    ids=[name for name in COMMANDS if "world" not in name],
)
def test_nothing_that_a_terminal_obeys_is_printed_with_json(aws: Running, arguments: list[str]) -> None:
    assert harmful(on_a_terminal(aws, *arguments, "--json")) == []


def test_a_key_is_printed_so_that_it_can_be_told_from_every_other(aws: Running) -> None:
    assert f"s3://east/good{SHOWN}: COMPLETED" in on_a_terminal(aws, "status", f"s3://east/{KEY}")
    assert f"s3://east/denied{SHOWN} -> west" in on_a_terminal(aws, "failures", "list", status=1)
    assert f"s3://east/good{SHOWN}\n" in on_a_terminal(aws, "explain", f"s3://east/{KEY}")


def test_json_has_the_exact_key_and_rule(aws: Running) -> None:
    assert json.loads(on_a_terminal(aws, "explain", f"s3://east/{KEY}", "--json"))["key"] == KEY
    [group] = json.loads(on_a_terminal(aws, "failures", "list", "--json"))["reasons"]
    assert (group["rules"], group["examples"][0]["objects"]) == ([RULE], [f"s3://east/{DENIED}"])
    assert json.loads(on_a_terminal(aws, "rules", "get", "east"))["Rules"][0]["ID"] == RULE


def test_documents_and_files_with_such_names_are_refused_and_stored_harmlessly(aws: Running, tmp_path: Path) -> None:
    file, page = tmp_path / f"{EVIL}.json", tmp_path / f"page{EVIL}.html"
    refused = rule("east", "west", ID=EVIL, Priority=EVIL, **{EVIL: EVIL})
    file.write_text(json.dumps({"Rules": [refused]}))
    assert harmful(on_a_terminal(aws, "rules", "put", "east", str(file), status=1)) == []
    file.write_text(json.dumps({"Rules": [rule("east", "west", ID=RULE)]}))
    assert harmful(on_a_terminal(aws, "rules", "put", "east", str(file), status=0)) == []
    assert harmful(on_a_terminal(aws, "report", "--out", str(page))) == []
    assert page.exists()


def test_a_stored_document_that_nobody_could_put_is_shown_harmlessly(aws: Running) -> None:
    """Somebody with access to the control bucket wrote it, with controls where JSON has none."""
    control = aws.outputs(STACK)["ControlBucket"]
    text = f'{{"Rules": [{{"ID": "{EVIL}",\t"a":\r\n1}}]}}'.encode() + b"\xff"
    aws.client("s3").put_object(Bucket=control, Key="rules/other.json", Body=text)
    for arguments in (
        ["rules", "get", "other"],
        ["rules", "check"],
        ["rules", "check", "--json"],
        ["explain", "s3://other/k"],
    ):
        assert harmful(on_a_terminal(aws, *arguments)) == []
    aws.client("s3").delete_object(Bucket=control, Key="rules/other.json")


def test_a_redrive_shows_its_progress_and_harms_nothing(aws: Running) -> None:
    assert harmful(on_a_terminal(aws, "failures", "redrive", status=0)) == []
    assert aws.idle()
