"""What people and programs rely on: parameters with defaults, outputs, samconfig.toml and what is shipped."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

from tests.template import stacks

OUTPUTS = {
    **{name: {"Ref": name} for name in stacks.FUNCTIONS},
    **{
        name: {"Ref": name}
        for name in ("ChangeQueue", "BackfillQueue", "PartQueue", "DeadLetterQueue", "JournalTable", "ControlBucket")
    },
    "ChangeQueueArn": {"Fn::GetAtt": ["ChangeQueue", "Arn"]},
    stacks.JOBS_ROLE: {"Fn::GetAtt": [stacks.JOBS_ROLE, "Arn"]},
}


def samconfig() -> Any:
    return tomllib.loads((stacks.ROOT / "samconfig.toml").read_text())["default"]


def pins(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {re.sub("[-_.]+", "-", name).lower(): version for name, version in (line.split("==") for line in lines)}


def sources() -> list[Path]:
    return sorted((stacks.ROOT / "functions").rglob("*.py"))


def test_functions_queues_table_and_control_bucket_are_outputs() -> None:
    outputs = {name: each["Value"] for name, each in stacks.stack()["Outputs"].items()}
    assert outputs.items() >= OUTPUTS.items()


def test_every_parameter_has_a_default_so_that_deploying_asks_for_nothing() -> None:
    assert [name for name, each in stacks.source()["Parameters"].items() if "Default" not in each] == []


def test_the_functions_are_those_that_the_tests_know() -> None:
    assert set(stacks.resources(stacks.stack(), "AWS::Lambda::Function")) == set(stacks.FUNCTIONS)


def test_every_parameter_is_used() -> None:
    text = (stacks.ROOT / "template.yaml").read_text().split("\nConditions:", 1)[1]
    assert [name for name in stacks.source()["Parameters"] if f"!Ref {name}" not in text] == []


def test_the_threshold_may_be_less_than_a_minute() -> None:
    variables = stacks.properties(stacks.stack(ThresholdMinutes="0.5"), "MonitorFunction")["Environment"]["Variables"]
    assert variables["THRESHOLD_MINUTES"] == "0.5"


def test_samconfig_lets_the_template_create_roles_and_upload_code() -> None:
    deploy = samconfig()["deploy"]["parameters"]
    assert deploy["capabilities"] == "CAPABILITY_IAM"
    assert deploy["resolve_s3"] is True


def test_roles_have_no_names_of_their_own_which_would_need_another_capability() -> None:
    roles = stacks.resources(stacks.stack(), "AWS::IAM::Role")
    assert [name for name, role in roles.items() if "RoleName" in role["Properties"]] == []


def test_samconfig_names_no_parameter_that_the_template_lacks() -> None:
    overrides = samconfig()["deploy"]["parameters"].get("parameter_overrides", [])
    names = {each.split("=", 1)[0] for each in ([overrides] if isinstance(overrides, str) else overrides)}
    assert names <= stacks.source()["Parameters"].keys()


def test_builds_use_no_cache_since_sam_does_not_watch_what_the_makefile_copies() -> None:
    assert "cached" not in samconfig()["build"]["parameters"]


def test_the_versions_that_are_shipped_are_those_that_are_tested() -> None:
    shipped, tested = pins(stacks.ROOT / "functions" / "requirements.txt"), pins(stacks.ROOT / "constraints.txt")
    assert {name: tested.get(name) for name in shipped} == shipped
    assert {"boto3", "botocore", "aws-lambda-powertools"} <= shipped.keys()


def test_every_function_is_built_by_the_makefile() -> None:
    built = {function: stacks.source()["Resources"][function]["Metadata"] for function in stacks.FUNCTIONS}
    assert built == {function: {"BuildMethod": "makefile"} for function in stacks.FUNCTIONS}


def makefile(variable: str) -> set[str]:
    text = (stacks.ROOT / "functions" / "Makefile").read_text()
    [line] = re.findall(rf"^{variable} := (.*)$", text, re.MULTILINE)
    return set(line.split())


def test_every_package_of_the_functions_is_shipped() -> None:
    folders = {path.parent.name for path in (stacks.ROOT / "functions").glob("*/__init__.py")}
    assert makefile("PACKAGES") == folders


def test_the_api_of_every_service_that_is_called_is_shipped() -> None:
    services = makefile("SERVICES")
    texts = {
        node.value
        for path in sources()
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in {"client", "resource", "_get"}
        for node in call.args[:1]
        if isinstance(node, ast.Constant)
    }
    assert "s3" in texts
    assert texts <= services
