"""Functions: what they see from inside, how they end, and where their output goes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.functions.output import metrics_of
from emulator.running import Options, Running, running
from emulator.world.document import World, WorldStack
from tests.emulator import sample_stack
from tests.patience import until

REGION = "us-west-2"
LAMBDA_ITSELF = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_XRAY_CONTEXT_MISSING",
    "HOME",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "PATH",
    "TZ",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_stack.write(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="module")
def emulator(template: Path) -> Iterator[Running]:
    patch = pytest.MonkeyPatch()
    patch.setenv("LEAKED", "from the host")
    patch.setenv("AWS_MAX_ATTEMPTS", "9")
    patch.setenv("PYTHONPATH", "/of/the/host")
    with running(World(stacks=(WorldStack("sample", REGION),)), Options(template=template)) as up:
        yield up
    patch.undo()


def look(emulator: Running) -> dict[str, Any]:
    return emulator.host.invoke("sample", "LookFunction", {"hello": "world"}, 10)


def create(emulator: Running, name: str, source: str, **settings: Any) -> None:
    """Create a function by Lambda's own API, from a zip."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("code.py", source)
    lambda_ = emulator.client("lambda", REGION)
    lambda_.create_function(
        **{
            "FunctionName": name,
            "Runtime": "python3.13",
            "Role": lambda_.get_function_configuration(FunctionName="sample-look")["Role"],
            "Handler": "code.handler",
            "Code": {"ZipFile": archive.getvalue()},
            **settings,
        }
    )


def invoke(emulator: Running, name: str, event: Any = None, **settings: Any) -> tuple[str | None, Any]:
    """Invoke by Lambda's own API; returns the error kind and the payload."""
    answer = emulator.client("lambda", REGION).invoke(FunctionName=name, Payload=json.dumps(event), **settings)
    text = answer["Payload"].read()
    return answer.get("FunctionError"), json.loads(text) if text else None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(*pids: int) -> bool:
    """Wait until none of the processes exists; False when one does not end."""
    left = list(pids)
    for _ in range(400):
        left = [pid for pid in left if alive(pid)]
        if not left:
            return True
        time.sleep(0.025)
    return False


def test_a_function_has_the_variables_of_its_template_and_of_lambda_and_none_of_the_host(emulator: Running) -> None:
    environment = look(emulator)["environment"]
    assert environment.keys() == LAMBDA_ITSELF | {"LEVEL", "MINUTES"}
    assert environment["LEVEL"] == "INFO"
    assert environment["AWS_REGION"] == REGION
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "sample-look"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environment["AWS_ENDPOINT_URL"] == emulator.endpoint
    assert environment["HOME"] != os.environ.get("HOME")
    assert list(Path(environment["HOME"]).iterdir()) == []


def test_a_function_imports_its_own_code_first_and_nothing_of_the_checkout(emulator: Running, template: Path) -> None:
    seen = look(emulator)
    assert seen["path"][0] == seen["cwd"] == seen["environment"]["LAMBDA_TASK_ROOT"] == str(template.parent / "code")
    assert not {"emulator", "s3replicator", "replicator", "moto"} & set(seen["modules"])
    assert str(Path(__file__).parents[2]) not in seen["path"]


def test_the_context_of_an_invocation_has_lambdas_fields(emulator: Running) -> None:
    first, second = look(emulator)["context"], look(emulator)["context"]
    assert first["arn"] == f"arn:aws:lambda:{REGION}:123456789012:function:sample-look"
    assert first["name"] == "sample-look"
    assert first["memory"] == "256"
    assert 0 < first["left"] <= 2000
    assert first["request"] != second["request"]


def test_a_function_calls_aws_as_its_role(emulator: Running) -> None:
    key = look(emulator)["environment"]["AWS_ACCESS_KEY_ID"]
    author = emulator.emulator.principals.of(key)
    role = emulator.client("lambda", REGION).get_function_configuration(FunctionName="sample-look")["Role"]
    role_id = emulator.client("iam", REGION).get_role(RoleName=role.rpartition("/")[2])["Role"]["RoleId"]
    assert (author.kind, author.id) == ("replicator", f"AWS:{role_id}:sample-look")


def test_the_process_of_a_function_is_used_again(emulator: Running) -> None:
    create(
        emulator,
        "counting",
        "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count",
    )
    assert [invoke(emulator, "counting")[1] for _ in range(3)] == [1, 2, 3]


def test_new_code_and_new_configuration_run_in_new_processes(emulator: Running) -> None:
    create(
        emulator, "changing", "import os\nvalue = os.environ.get('A')\ndef handler(event, context):\n    return value"
    )
    lambda_ = emulator.client("lambda", REGION)
    assert invoke(emulator, "changing")[1] is None
    lambda_.update_function_configuration(FunctionName="changing", Environment={"Variables": {"A": "b"}})
    assert invoke(emulator, "changing")[1] == "b"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("code.py", "def handler(event, context):\n    return 'new'")
    lambda_.update_function_code(FunctionName="changing", ZipFile=archive.getvalue())
    assert invoke(emulator, "changing")[1] == "new"


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("def handler(event, context):\n    raise KeyError('x')", "KeyError", "'x'"),
        ("raise RuntimeError('early')", "RuntimeError", "early"),
        ("import nothing_of_this_name", "Runtime.ImportModuleError", "No module named 'nothing_of_this_name'"),
        ("handle = None", "Runtime.HandlerNotFound", "module 'code' has no attribute 'handler'"),
        ("def handler(event, context):\n    return {1, 2}", "Runtime.MarshalError", "Unable to marshal response"),
        (
            "import os\ndef handler(event, context):\n    os._exit(0)",
            "Runtime.ExitError",
            "exited without providing a reason",
        ),
        (
            "import sys\ndef handler(event, context):\n    sys.exit(0)",
            "Runtime.ExitError",
            "exited without providing a reason",
        ),
        (
            "import time\ndef handler(event, context):\n    time.sleep(9)",
            "Sandbox.Timedout",
            "timed out after 1.00 sec",
        ),
    ],
    ids=[
        "the handler raises",
        "the module raises",
        "an import fails",
        "no handler",
        "an answer that is no JSON",
        "the process dies",
        "the process exits",
        "the handler hangs",
    ],
)
def test_an_error_of_a_function_has_lambdas_shape(
    emulator: Running, request: pytest.FixtureRequest, source: str, kind: str, message: str
) -> None:
    name = f"failing-{request.node.callspec.indices['source']}"
    create(emulator, name, source, Timeout=1)
    error, payload = invoke(emulator, name)
    assert error == "Unhandled"
    assert payload["errorType"] == kind
    assert message in payload["errorMessage"]
    assert invoke(emulator, name)[1]["errorType"] == kind  # and again, in whatever process


def test_a_stack_trace_begins_in_the_functions_code(emulator: Running) -> None:
    create(emulator, "traced", "def handler(event, context):\n    return 1 / 0")
    _, payload = invoke(emulator, "traced")
    assert len(payload["stackTrace"]) == 1
    assert "code.py" in payload["stackTrace"][0]


def test_a_function_can_be_killed_from_outside(emulator: Running) -> None:
    source = "import os, boto3\ndef handler(event, context):\n    return [os.getpid(), os.environ['AWS_ACCESS_KEY_ID']]"
    create(emulator, "killed", source)
    _, (pid, key) = invoke(emulator, "killed")
    assert emulator.emulator.principals.kill(key)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    _, payload = invoke(emulator, "killed")
    assert payload["errorType"] == "Runtime.ExitError"
    _, (next_pid, next_key) = invoke(emulator, "killed")
    assert (next_pid, next_key) != (pid, key)
    assert not emulator.emulator.principals.kill(key)


def test_an_asynchronous_invocation_runs_in_the_background(emulator: Running) -> None:
    create(emulator, "background", "def handler(event, context):\n    print('ran with', event)")
    assert invoke(emulator, "background", {"a": 1}, InvocationType="Event") == (None, None)
    assert emulator.idle()
    assert emulator.host.functions.logs("background") == ["ran with {'a': 1}"]


@pytest.mark.parametrize(
    ("settings", "runs"), [({}, 3), ({"MaximumRetryAttempts": 1}, 2), ({"MaximumRetryAttempts": 0}, 1)]
)
def test_an_asynchronous_invocation_that_fails_is_repeated_as_often_as_its_function_wants(
    emulator: Running, settings: dict[str, int], runs: int
) -> None:
    name = f"repeated-{runs}"
    create(emulator, name, "def handler(event, context):\n    print('ran with', event)\n    raise ValueError")
    if settings:
        emulator.client("lambda", REGION).put_function_event_invoke_config(FunctionName=name, **settings)
    limits = emulator.emulator.limits
    before, limits.retry_seconds = limits.retry_seconds, (0.05, 0.1)
    try:
        invoke(emulator, name, {"a": 1}, InvocationType="Event")
        ran = ["ran with {'a': 1}"] * runs
        until(lambda: [line for line in emulator.host.functions.logs(name) if "ran" in line][: len(ran)] == ran)
        assert emulator.idle()
        until(lambda: not any(isinstance(each, threading.Timer) for each in threading.enumerate()))
        assert [line for line in emulator.host.functions.logs(name) if "ran" in line] == ran
    finally:
        limits.retry_seconds = before
    assert before == (60.0, 120.0), "as AWS waits"


def test_a_deleted_function_leaves_no_process(emulator: Running) -> None:
    create(emulator, "deleted", "import os\ndef handler(event, context):\n    return os.getpid()")
    _, pid = invoke(emulator, "deleted")
    emulator.client("lambda", REGION).delete_function(FunctionName="deleted")
    assert gone(pid)


def test_embedded_metrics_are_taken_out_of_the_log(emulator: Running) -> None:
    emulator.emulator.metrics.clear()
    emulator.host.invoke("sample", "MeasureFunction", {"time": 1700000000000}, 10)
    found = [(each["metric"], each["dimensions"], each["values"], each["unit"]) for each in emulator.emulator.metrics]
    assert found == [
        ("Latency", {"Rule": "r"}, [0.5, 1.5], "Seconds"),
        ("Count", {"Rule": "r"}, [2], "None"),
        ("Latency", {"Rule": "r", "Bucket": "b"}, [0.5, 1.5], "Seconds"),
        ("Count", {"Rule": "r", "Bucket": "b"}, [2], "None"),
    ]
    assert {(each["namespace"], each["time"], each["function"]) for each in emulator.emulator.metrics} == {
        ("Sample", 1700000000000, "sample-measure")
    }
    assert emulator.logs("sample", "MeasureFunction") == []


def test_embedded_metrics_can_be_listed_in_cloudwatch(emulator: Running) -> None:
    emulator.host.invoke("sample", "MeasureFunction", {"time": 1700000000000}, 10)
    listed = emulator.client("cloudwatch", REGION).list_metrics(Namespace="Sample", MetricName="Latency")["Metrics"]
    assert {len(each["Dimensions"]) for each in listed} == {1, 2}


def test_what_a_function_prints_is_in_its_log(emulator: Running) -> None:
    look(emulator)
    lines = emulator.logs("sample", "LookFunction")
    assert 'SAW {"hello": "world"}' in lines
    assert any(line.startswith("[WARNING]") and line.endswith("a warning") for line in lines)


@pytest.mark.parametrize("value", ["", " ", "règle", "a\nb", "x" * 256], ids=["empty", "blank", "é", "control", "256"])
def test_a_metric_whose_dimension_cloudwatch_refuses_is_dropped(value: str) -> None:
    directive = {"Namespace": "N", "Dimensions": [["Bucket", "Rule"], ["Bucket"]], "Metrics": [{"Name": "M"}]}
    blob = {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "Bucket": "b", "Rule": value, "M": 1}
    assert [each["dimensions"] for each in metrics_of(json.dumps(blob)) or []] == [{"Bucket": "b"}]


def test_lines_that_are_no_metrics_stay_in_the_log() -> None:
    without_metrics = '{"_aws": {"CloudWatchMetrics": [{"Namespace": "N"}]}}'
    lines = ["", "text", "{}", '{"_aws": 1}', without_metrics, 'not json "_aws"']
    assert [line for line in lines if metrics_of(line) is not None] == []


def test_no_process_outlives_the_emulator(template: Path) -> None:
    """The fork server, a process that waits and one that works; however the emulator ended."""
    script = (
        "import os, threading, time\n"
        "from pathlib import Path\n"
        "from emulator.running import Options, running\n"
        "from emulator.world.document import World, WorldStack\n"
        f"options = Options(template=Path({str(template)!r}))\n"
        "with running(World(stacks=(WorldStack('s', 'us-east-1'),)), options) as up:\n"
        "    up.host.invoke('s', 'LookFunction', {}, 10)\n"
        '    body = \'{"do": "sleep", "seconds": 1000}\'\n'
        "    record = {'body': body, 'messageId': 'm', 'attributes': {'ApproximateReceiveCount': '1'}}\n"
        "    arguments = ('s', 'RecordFunction', {'Records': [record]}, 10)\n"
        "    threading.Thread(target=up.host.invoke, args=arguments, daemon=True).start()\n"
        "    while not up.logs('s', 'RecordFunction'):\n"
        "        time.sleep(0.01)\n"
        "    function = up.host.functions\n"
        "    keys = [f'ASIAEMULATOR{number:08d}' for number in (1, 2)]\n"
        "    kills = [up.emulator.principals._kills[key] for key in keys]\n"
        "    print(*[each._process.pid for each in function._fork_servers.values()],\n"
        "          *[each.__self__._pid for each in kills], flush=True)\n"
        "    os._exit(1)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    pids = [int(pid) for pid in ended.stdout.split()]
    assert len(pids) == 3, ended.stderr
    assert gone(*pids)
