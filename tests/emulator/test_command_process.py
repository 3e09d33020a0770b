"""The command as a process: terminals without UTF-8, bytes that are no text, closed pipes, full disks, Ctrl-C.

Whatever happens, it ends with a documented exit status and never with a stack trace.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.worlds import bucket, fault, rule
from tests.patience import PATIENCE

KEY = "photos/猫 ü 😀.jpg"
STACK = "prod"
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [{"name": STACK, "region": "us-east-1", "rules": {"east": {"Rules": [rule("east", "west", ID="all")]}}}],
}
WITHOUT_UTF_8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
TERMINALS = {
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "no locale": {"LANG": "C"},
    "no locale and no UTF-8 mode": WITHOUT_UTF_8,
}
ADDRESS = f"s3://east/{KEY}"
COMMANDS = [
    ["status"], ["status", ADDRESS], ["explain", ADDRESS], ["failures", "list"], ["failures", "redrive", "--dry-run"],
    ["rules", "get", "east"], ["rules", "check", "east"], ["report"], ["--help"], ["report", "--help"],
]  # fmt: skip
MACHINES = [[*each, "--json"] for each in COMMANDS if "--help" not in each]
NAMES = [" ".join(each[:2]) for each in COMMANDS]


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as aws:
        s3 = aws.client("s3")
        aws.post("faults", [fault("CopyObject", {"status": 403, "code": "AccessDenied"})])
        s3.put_object(Bucket="east", Key=KEY, Body=b"1")
        assert aws.idle()
        aws.delete("faults")
        yield aws


def start(aws: Running | None, *arguments: str | bytes, **settings: Any) -> subprocess.Popen[bytes]:
    given = aws.environment("us-east-1") if aws else {}
    environment = {**os.environ, **given, "S3REPLICATOR_STACK": STACK, **settings.pop("env", {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    return subprocess.Popen([sys.executable, "-m", "s3replicator", *arguments], env=environment, **pipes)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes, str]:
    out, err = process.communicate(timeout=PATIENCE)
    told = (err or b"").decode()
    assert "Traceback" not in told, told
    assert "Exception ignored" not in told, told
    return process.returncode, out, told


def run(aws: Running | None, *arguments: str | bytes, **settings: Any) -> tuple[int, bytes, str]:
    return ended(start(aws, *arguments, **settings))


@pytest.mark.parametrize("terminal", TERMINALS.values(), ids=TERMINALS)
@pytest.mark.parametrize("arguments", COMMANDS, ids=NAMES)
def test_a_terminal_without_utf_8_shows_all_and_changes_no_exit_status(
    aws: Running, arguments: list[str], terminal: dict[str, str]
) -> None:
    status, out, err = run(aws, *arguments, env=terminal)
    assert (status, err) == (run(aws, *arguments)[0], "")
    assert out


@pytest.mark.parametrize("arguments", MACHINES, ids=[" ".join(each[:2]) for each in MACHINES])
def test_json_is_exact_on_a_terminal_without_utf_8(aws: Running, arguments: list[str]) -> None:
    _, out, _ = run(aws, *arguments, env={"PYTHONIOENCODING": "ascii"})
    document = json.loads(out.decode("utf-8" if arguments[0] == "rules" else "ascii"))
    assert document.get("key", KEY) == KEY


def test_what_the_terminal_lacks_is_escaped(aws: Running) -> None:
    _, out, _ = run(aws, "explain", ADDRESS, env={"PYTHONIOENCODING": "ascii"})
    assert rb"s3://east/photos/\u732b \xfc \U0001f600.jpg" in out
    assert b"+ all -> west: matches" in out


def test_an_argument_in_utf_8_is_read_as_such_in_a_locale_without_it(aws: Running) -> None:
    status, out, _ = run(aws, "explain", "--json", ADDRESS.encode(), env=WITHOUT_UTF_8)
    assert (status, json.loads(out)["key"]) == (0, KEY)


@pytest.mark.parametrize("locale", [{}, WITHOUT_UTF_8], ids=["UTF-8", "no locale"])
@pytest.mark.parametrize(
    "arguments",
    [
        [b"explain", b"s3://east/caf\xe9"],
        [b"status", b"--stack", b"caf\xe9"],
        [b"failures", b"list", b"--key-prefix", b"caf\xe9"],
        [b"rules", b"put", b"east", b"caf\xe9.json"],
        [b"report", b"--out", b"caf\xe9.html"],
        [b"caf\xe9"],
    ],
    ids=lambda each: each[0].decode(errors="replace"),
)
def test_arguments_that_are_no_text_end_with_2(aws: Running, arguments: list[bytes], locale: dict[str, str]) -> None:
    status, _, err = run(aws, *arguments, env=locale)
    assert status == 2
    assert r"caf\xe9" in err


@pytest.mark.parametrize("name", [b"S3REPLICATOR_STACK", b"AWS_PROFILE", b"AWS_REGION"], ids=bytes.decode)
def test_an_environment_that_is_no_text_ends_with_2(aws: Running, name: bytes) -> None:
    assert run(aws, "status", env={name.decode(): os.fsdecode(b"caf\xe9")})[0] == 2


@pytest.mark.parametrize("arguments", [*COMMANDS, *MACHINES], ids=" ".join)
def test_a_closed_pipe_ends_a_command_silently(aws: Running, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(aws, *arguments, stdout=writing)
    os.close(writing)
    status, _, err = ended(process)
    assert (status, err) == (1, "")


def test_a_full_disk_is_a_message_and_exit_status_1(aws: Running) -> None:
    for arguments in (["status"], ["status", "--json"], ["--help"], ["rules", "get", "east"]):
        with Path("/dev/full").open("wb") as full:
            status, _, err = run(aws, *arguments, stdout=full)
        assert (status, err) == (1, "s3replicator: No space left on device\n")


def test_closed_streams_are_no_trouble(aws: Running) -> None:
    command = f"{sys.executable} -m s3replicator status >&- 2>&-"
    environment = {**os.environ, **aws.environment("us-east-1"), "S3REPLICATOR_STACK": STACK}
    assert subprocess.run(["sh", "-c", command], check=False, env=environment).returncode == 1


@pytest.fixture
def silence() -> Iterator[socket.socket]:
    """Listen, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


WAITING = [each for each in COMMANDS if "--help" not in each] + [
    ["rules", "delete", "east"],
    ["rules", "put", "east", "-"],
]


@pytest.mark.parametrize("arguments", WAITING, ids=[" ".join(each[:2]) for each in WAITING])
def test_ctrl_c_while_aws_does_not_answer_ends_with_130(
    aws: Running, silence: socket.socket, arguments: list[str]
) -> None:
    port = silence.getsockname()[1]
    given = {**aws.environment("us-east-1"), "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    process = start(None, *arguments, env=given, stdin=subprocess.DEVNULL)
    connection, _ = silence.accept()
    with connection:
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, b"", "")


@pytest.mark.parametrize(
    "arguments", [["explain", ADDRESS], ["status", ADDRESS], ["rules", "check", "east"]], ids=" ".join
)
def test_ctrl_c_while_requests_run_side_by_side_ends_with_130_and_a_second_one_at_once(
    aws: Running, arguments: list[str]
) -> None:
    aws.post("latency", {"local_ms": 3000, "cross_region_ms": 3000})
    aws.delete("requests")
    try:
        process = start(aws, *arguments)
        time.sleep(0)
        while process.poll() is None and not aws.get("requests"):
            time.sleep(0.02)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, b"", "")
    finally:
        aws.post("latency", {"local_ms": 0, "cross_region_ms": 0})


def test_ctrl_c_while_the_command_still_loads_ends_with_130(aws: Running) -> None:
    script = """
import os, signal, sys, threading, time

def press():
    while "rich" not in sys.modules:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=press, daemon=True).start()
from s3replicator.__main__ import main
sys.argv = ["s3replicator", "--help"]
main()
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert ended(process) == (130, b"", "")
