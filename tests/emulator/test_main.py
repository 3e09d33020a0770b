"""The command `s3replicator emulate`: its ready file, its exit status, and that no process is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from emulator.main import run
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
STALE = "of an earlier run"
WORLD = {
    "buckets": [{"name": "east", "region": "us-east-1"}, {"name": "west", "region": "us-west-2"}],
    "stacks": [{"name": "replicator", "region": "us-east-1", "parameters": {"ThresholdMinutes": "5"}}],
    "accounts": ["210987654321"],
}


def emulate(*arguments: str) -> subprocess.Popen[str]:
    return start("-m", "s3replicator.main", "emulate", *arguments)


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}:{ROOT / 'functions'}", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def children(pid: int) -> list[int]:
    """Return the processes below this one, and theirs."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(stat.parent.name)
            found += [child, *children(child)]
    return found


def gone(pids: Sequence[int]) -> bool:
    for _ in range(400):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.025)
    return False


def until_ready(ready: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    while True:
        assert process.poll() is None, process.communicate()
        with contextlib.suppress(FileNotFoundError):
            if (text := ready.read_text()) != STALE:
                document: dict[str, Any] = json.loads(text)
                return document
        time.sleep(0.02)


@pytest.fixture
def process() -> Iterator[list[subprocess.Popen[str]]]:
    """Take a command that was started, and end it whatever the test does."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for each in started:
        each.kill()


def test_the_ready_file_says_how_to_connect_and_a_signal_ends_the_emulator(
    tmp_path: Path, process: list[subprocess.Popen[str]]
) -> None:
    world, ready = tmp_path / "world.json", tmp_path / "ready.json"
    world.write_text(json.dumps(WORLD))
    ready.write_text(STALE)
    process.append(command := emulate(str(world), "--port", "0", "--ready-file", str(ready)))
    document = until_ready(ready, command)
    assert document.keys() == {"endpoint", "access_key_id", "secret_access_key", "accounts", "stacks"}
    stack = document["stacks"]["replicator"]
    assert stack["region"] == "us-east-1"
    session = boto3.Session(document["access_key_id"], document["secret_access_key"], region_name="us-east-1")
    lambda_ = session.client("lambda", endpoint_url=document["endpoint"])
    configuration = lambda_.get_function_configuration(FunctionName=stack["outputs"]["MonitorFunction"])
    assert configuration["Environment"]["Variables"]["THRESHOLD_MINUTES"] == "5"
    buckets = session.client("s3", endpoint_url=document["endpoint"]).list_buckets()["Buckets"]
    assert {"east", "west"} <= {each["Name"] for each in buckets}
    key = document["accounts"]["210987654321"]
    other = boto3.Session(key["access_key_id"], key["secret_access_key"], region_name="us-east-1")
    assert other.client("s3", endpoint_url=document["endpoint"]).list_buckets()["Buckets"] == []
    with urllib.request.urlopen(f"{document['endpoint']}/_emulator/idle?timeout={PATIENCE}") as answer:  # noqa: S310
        assert json.loads(answer.read()) == {"idle": True}

    below = children(command.pid)
    assert below
    command.send_signal(signal.SIGTERM)
    status, out, err = ended(command)
    assert (status, err) == (0, "")
    assert f"export AWS_ENDPOINT_URL={document['endpoint']}" in out
    assert f"export AWS_ACCESS_KEY_ID={key['access_key_id']}" in out
    assert gone(below)


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGINT, 0.1), (signal.SIGTERM, 0.7), (signal.SIGINT, 1.5)],
    ids=["SIGINT before the server is up", "SIGTERM while stacks are deployed", "SIGINT when everything is up"],
)
def test_a_signal_while_the_emulator_starts_ends_it_cleanly(
    process: list[subprocess.Popen[str]], number: signal.Signals, moment: float
) -> None:
    """Whenever it comes: before the server is there, while stacks are deployed, or when everything is up."""
    script = "from emulator.main import run; print('loaded', flush=True); raise SystemExit(run())"
    process.append(command := start("-c", script))
    assert command.stdout is not None
    assert command.stdout.readline() == "loaded\n"
    time.sleep(moment)
    below = children(command.pid)
    command.send_signal(number)
    status, _, err = ended(command)
    assert (status, err) == (0, "")
    assert gone(below)


@pytest.mark.parametrize(
    ("world", "complaint"),
    [
        ("[", "is not JSON"),
        ('{"bucket": []}', 'bucket: unknown field; did you mean "buckets"?'),
        (
            '{"stacks": [{"name": "s", "region": "us-east-1", "parameters": {"Treshold": "1"}}]}',
            "Parameters: [Treshold] do not exist in the template",
        ),
    ],
    ids=["no JSON", "an unknown field", "an unknown parameter"],
)
def test_a_world_that_is_wrong_is_a_message_and_exit_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], world: str, complaint: str
) -> None:
    path = tmp_path / "world.json"
    path.write_text(world)
    assert run(path, quiet=True) == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_a_port_that_is_taken_is_a_message_and_exit_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(port=port, quiet=True) == 2
    assert f"port {port}: Address already in use; choose another" in " ".join(capsys.readouterr().err.split())


def test_a_ready_file_that_cannot_be_written_is_a_message_and_exit_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ready_file=tmp_path / "nowhere" / "ready.json", quiet=True) == 2
    assert f"{tmp_path / 'nowhere'}: no such directory" in capsys.readouterr().err
