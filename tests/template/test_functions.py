"""Functions, queues and their numbers fit each other."""

import ast
import re
from typing import Any

import pytest
from replicator.aws import clients
from replicator.core.outcomes import backoff
from replicator.core.parts.cost import CostModel
from replicator.flows.change.consume import BACK_AFTER_DEATH
from replicator.runtime import Settings, read_cost_model

from tests.template import stacks

DAY = 24 * 3600
FED = {"ReplicateFunction": "ChangeQueue", "CopyPartsFunction": "PartQueue"}


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING)


def mapping_of(stack: stacks.Document, function: str) -> Any:
    [mapping] = [
        each["Properties"]
        for each in stacks.resources(stack, "AWS::Lambda::EventSourceMapping").values()
        if each["Properties"]["FunctionName"] == {"Ref": function}
    ]
    return mapping


@pytest.mark.parametrize(("function", "queue"), FED.items())
def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_run(
    stack: stacks.Document, function: str, queue: str
) -> None:
    timeout = stacks.properties(stack, function)["Timeout"]
    assert stacks.properties(stack, queue)["VisibilityTimeout"] >= 6 * timeout


def test_a_killed_replication_is_tried_again_within_the_threshold(stack: stacks.Document) -> None:
    minutes = stacks.source()["Parameters"]["ThresholdMinutes"]["Default"]
    assert stacks.properties(stack, "ChangeQueue")["VisibilityTimeout"] < minutes * 60


def test_a_copy_may_take_as_long_as_the_function_that_waits_for_it(stack: stacks.Document) -> None:
    longest_copy: int = vars(clients.WRITE)["_user_provided_options"]["read_timeout"]
    assert longest_copy < stacks.properties(stack, "ReplicateFunction")["Timeout"]


@pytest.mark.parametrize(("function", "queue"), FED.items())
def test_batches_need_no_window_and_report_each_failure_by_itself(
    stack: stacks.Document, function: str, queue: str
) -> None:
    mapping = mapping_of(stack, function)
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert mapping["BatchSize"] <= 10 or mapping["MaximumBatchingWindowInSeconds"] >= 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("function", FED)
def test_how_many_work_on_a_queue_at_once_is_a_parameter(function: str) -> None:
    mapping = mapping_of(stacks.stack(MaximumConcurrency="7"), function)
    assert int(mapping["ScalingConfig"]["MaximumConcurrency"]) == 7


@pytest.mark.parametrize("queue", FED.values())
def test_temporary_trouble_may_last_a_day_before_a_message_counts_as_dead(stack: stacks.Document, queue: str) -> None:
    receives = stacks.properties(stack, queue)["RedrivePolicy"]["maxReceiveCount"]
    shortest = sum(backoff.delay(attempts, jitter=0.0) for attempts in range(1, receives))
    assert receives >= 100
    assert shortest >= DAY


def test_a_suspect_comes_back_only_when_its_function_cannot_be_at_it_any_more(stack: stacks.Document) -> None:
    assert stacks.properties(stack, "ReplicateFunction")["Timeout"] < BACK_AFTER_DEATH


@pytest.mark.parametrize(("function", "queue"), FED.items())
def test_the_function_knows_at_which_receive_its_queue_gives_up(
    stack: stacks.Document, function: str, queue: str
) -> None:
    variables = stacks.properties(stack, function)["Environment"]["Variables"]
    receives = stacks.properties(stack, queue)["RedrivePolicy"]["maxReceiveCount"]
    assert int(variables["MAX_RECEIVE_COUNT"]) == receives


@pytest.mark.parametrize("queue", FED.values())
def test_what_kills_a_function_ends_in_the_dead_letter_queue(stack: stacks.Document, queue: str) -> None:
    target = stacks.properties(stack, queue)["RedrivePolicy"]["deadLetterTargetArn"]
    assert target == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}


@pytest.mark.parametrize("queue", [*FED.values(), "DeadLetterQueue"])
def test_queues_keep_messages_as_long_as_sqs_does_and_encrypt_them(stack: stacks.Document, queue: str) -> None:
    told = stacks.properties(stack, queue)
    assert told["MessageRetentionPeriod"] == 14 * DAY
    assert told["SqsManagedSseEnabled"] is True


def test_the_monitor_runs_every_minute_and_ends_before_the_next(stack: stacks.Document) -> None:
    [rule] = [
        r for r in stacks.resources(stack, "AWS::Events::Rule").values() if "ScheduleExpression" in r["Properties"]
    ]
    assert rule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Properties"]["Targets"][0]["Arn"] == {"Fn::GetAtt": ["MonitorFunction", "Arn"]}
    assert stacks.properties(stack, "MonitorFunction")["Timeout"] < 60
    [retries] = stacks.resources(stack, "AWS::Lambda::EventInvokeConfig").values()
    assert retries["Properties"]["MaximumRetryAttempts"] == 0


@pytest.mark.parametrize(("function", "folder"), stacks.FUNCTIONS.items())
def test_functions_are_what_the_documentation_says(stack: stacks.Document, function: str, folder: str) -> None:
    told = stacks.properties(stack, function)
    assert told["Runtime"] == "python3.13"
    assert told["Architectures"] == ["arm64"]
    assert told["Handler"] == f"{folder}.app.handler"
    assert told["FunctionName"] == f"replicator-{folder.replace('_', '-')}"
    assert told["RecursiveLoop"] == "Terminate"
    assert stacks.properties(stacks.stack(Architecture="x86_64"), function)["Architectures"] == ["x86_64"]


@pytest.mark.parametrize("function", stacks.FUNCTIONS)
def test_logs_go_to_a_group_that_forgets(function: str) -> None:
    stack = stacks.stack(LogRetentionDays="7")
    group = stacks.properties(stack, function)["LoggingConfig"]["LogGroup"]["Ref"]
    assert int(stacks.properties(stack, group)["RetentionInDays"]) == 7
    name = stacks.properties(stack, function)["FunctionName"]
    assert stacks.properties(stack, group)["LogGroupName"] == f"/aws/lambda/{name}"


def test_each_variable_that_the_code_reads_is_declared(stack: stacks.Document) -> None:
    runtime = ast.parse((stacks.ROOT / "functions" / "replicator" / "runtime.py").read_text())
    texts = {node.value for node in ast.walk(runtime) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    read = {text for text in texts if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", text)}
    assert "CONTROL_BUCKET" in read
    assert read <= stacks.properties(stack, "ReplicateFunction")["Environment"]["Variables"].keys()


@pytest.mark.parametrize("function", stacks.FUNCTIONS)
def test_no_function_lacks_a_variable_that_the_settings_insist_on(stack: stacks.Document, function: str) -> None:
    variables = stacks.properties(stack, function)["Environment"]["Variables"]
    settings = Settings.read({name: str(value) for name, value in variables.items()})
    assert settings.default_rule == ("fresh", "far")
    assert settings.metrics_namespace == "S3Replicator"


@pytest.mark.parametrize("function", stacks.FUNCTIONS)
def test_the_endpoint_is_never_set_in_aws_but_sam_local_may_set_it(stack: stacks.Document, function: str) -> None:
    assert "AWS_ENDPOINT_URL" in stacks.source()["Globals"]["Function"]["Environment"]["Variables"]
    assert "AWS_ENDPOINT_URL" not in stacks.properties(stack, function)["Environment"]["Variables"]


def test_writers_know_each_other_and_their_peers() -> None:
    joined = str(stacks.properties(stacks.stack(), "ReplicateFunction")["Environment"]["Variables"])
    for role in ("ReplicateRole", "CopyPartsRole", "BatchRole"):
        assert f"{role}.RoleId" in joined or f"'{role}', 'RoleId'" in joined
    with_peer = stacks.stack(PeerPrincipals="AROAPEER:peer-replicate")
    assert "AROAPEER:peer-replicate" in str(stacks.properties(with_peer, "ReplicateFunction")["Environment"])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ("", "")),
        ({"CreateSourceBucket": "fresh", "DefaultDestination": "far"}, ("fresh", "far")),
        ({"SourceBuckets": "east,other", "DefaultDestination": "far"}, ("east", "far")),
        ({"SourceBuckets": "east", "CreateSourceBucket": "fresh"}, ("fresh", "")),
    ],
)
def test_the_default_rule_is_for_the_created_bucket_or_else_the_first(
    parameters: dict[str, str], expected: tuple[str, str]
) -> None:
    variables = stacks.properties(stacks.stack(**parameters), "ReplicateFunction")["Environment"]["Variables"]
    assert (variables["DEFAULT_SOURCE_BUCKET"], variables["DEFAULT_DESTINATION_BUCKET"]) == expected


def test_a_part_may_take_half_of_the_time_of_the_function_that_copies_it(stack: stacks.Document) -> None:
    longest_part: int = vars(clients.COPY_PART)["_user_provided_options"]["read_timeout"]
    half = stacks.properties(stack, "CopyPartsFunction")["Timeout"] / 2
    assert longest_part <= half
    assert CostModel().message_seconds <= half


def test_what_is_set_of_the_cost_model_is_what_the_code_takes_for_usual(stack: stacks.Document) -> None:
    variables = stacks.properties(stack, "CopyPartsFunction")["Environment"]["Variables"]
    assert read_cost_model({name: str(value) for name, value in variables.items()}) == CostModel()


@pytest.mark.parametrize("function", ["ReplicateFunction", "CopyPartsFunction", "BatchFunction"])
def test_all_who_may_begin_an_upload_cut_it_alike(function: str) -> None:
    lowered = {"MultipartThreshold": "1", "SingleCopyLimit": "2", "SpreadThreshold": "3", "PartSize": "4",
               "CopyBytesPerSecond": "5", "MaximumConcurrency": "6", "PartsSideBySide": "7"}  # fmt: skip
    variables = stacks.properties(stacks.stack(**lowered), function)["Environment"]["Variables"]
    model = read_cost_model({name: str(value) for name, value in variables.items()})
    assert (model.multipart_from, model.single_copy, model.spread_from, model.part_size) == (1, 2, 3, 4)
    assert (model.bytes_per_second, model.functions, model.side_by_side) == (5.0, 6, 7)


def test_each_function_knows_whose_uploads_are_the_stacks_own(stack: stacks.Document) -> None:
    for function in stacks.FUNCTIONS:
        roles = str(stacks.properties(stack, function)["Environment"]["Variables"]["REPLICATOR_ROLES"])
        assert all(f"{role}" in roles for role in ("ReplicateRole", "CopyPartsRole", "BatchRole"))
