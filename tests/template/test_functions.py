"""Functions, their queues and their settings fit each other."""

import ast
import re
from collections.abc import Mapping
from typing import Any

import pytest
from replicator.aws import clients
from replicator.core.outcomes import backoff, parking
from replicator.core.parts.cost import CostModel
from replicator.flows.change.deadline import TimeLimit
from replicator.flows.verify.scheduled import TICK_MS
from replicator.settings import Settings, read_cost_model

from tests.template import stacks

DAY = 24 * 3600
FED = {"ChangeQueue": "ReplicateFunction", "BackfillQueue": "ReplicateFunction", "PartQueue": "CopyPartsFunction"}
"""Each queue that feeds a function."""
QUEUES = (*FED, "DeadLetterQueue")


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING)


def mapping_of(stack: stacks.Document, queue: str) -> Any:
    [mapping] = [
        each["Properties"]
        for each in stacks.resources(stack, "AWS::Lambda::EventSourceMapping").values()
        if each["Properties"]["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    ]
    return mapping


def variables_of(stack: stacks.Document, function: str) -> dict[str, Any]:
    return dict(stacks.properties(stack, function)["Environment"]["Variables"])


def as_text(variables: Mapping[str, Any]) -> dict[str, str]:
    """Return variables as Lambda would give them; a reference to a resource becomes some text."""
    return {name: str(value) for name, value in variables.items()}


def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_run(stack: stacks.Document) -> None:
    for queue, function in FED.items():
        timeout = stacks.properties(stack, function)["Timeout"]
        assert stacks.properties(stack, queue)["VisibilityTimeout"] >= 6 * timeout, queue


def test_a_killed_replication_is_tried_again_within_the_threshold(stack: stacks.Document) -> None:
    minutes = stacks.source()["Parameters"]["ThresholdMinutes"]["Default"]
    for queue in ("ChangeQueue", "BackfillQueue"):
        assert stacks.properties(stack, queue)["VisibilityTimeout"] < minutes * 60


def test_a_copy_may_take_as_long_as_the_function_that_waits_for_it(stack: stacks.Document) -> None:
    longest_copy: int = vars(clients.WRITE)["_user_provided_options"]["read_timeout"]
    assert longest_copy < stacks.properties(stack, "ReplicateFunction")["Timeout"]


def test_each_queue_feeds_its_function(stack: stacks.Document) -> None:
    fed = {queue: mapping_of(stack, queue)["FunctionName"] for queue in FED}
    assert fed == {queue: {"Ref": function} for queue, function in FED.items()}


def test_a_batch_waits_for_no_window_unless_it_is_larger_than_ten(stack: stacks.Document) -> None:
    for mapping in (mapping_of(stack, queue) for queue in FED):
        assert mapping["BatchSize"] <= 10 or mapping["MaximumBatchingWindowInSeconds"] >= 1, mapping


def test_functions_report_each_message_that_failed_by_itself(stack: stacks.Document) -> None:
    answers = {queue: mapping_of(stack, queue)["FunctionResponseTypes"] for queue in FED}
    assert answers == {key: ["ReportBatchItemFailures"] for key in FED}


def test_how_many_functions_read_a_queue_at_once_is_a_parameter() -> None:
    stack = stacks.stack(MaximumConcurrency="7", BackfillConcurrency="3")
    limits = {queue: int(mapping_of(stack, queue)["ScalingConfig"]["MaximumConcurrency"]) for queue in FED}
    assert limits == {"ChangeQueue": 7, "BackfillQueue": 3, "PartQueue": 7}


def test_pollers_of_the_change_queue_may_be_provisioned_instead() -> None:
    stack = stacks.stack(MinimumPollers="3", MaximumPollers="50")
    mapping = mapping_of(stack, "ChangeQueue")
    pollers = {name: int(count) for name, count in mapping["ProvisionedPollerConfig"].items()}
    assert pollers == {"MinimumPollers": 3, "MaximumPollers": 50}
    assert "ScalingConfig" not in mapping, "Lambda refuses both"
    others = [mapping_of(stack, queue) for queue in FED if queue != "ChangeQueue"]
    assert all("ScalingConfig" in each and "ProvisionedPollerConfig" not in each for each in others)
    assert "ProvisionedPollerConfig" not in mapping_of(stacks.stack(), "ChangeQueue")


def test_how_long_a_bucket_may_keep_others_waiting_is_a_parameter() -> None:
    usual, fair = stacks.stack(), stacks.stack(FairAfterSeconds="60")
    found = [Settings.read(as_text(variables_of(each, "ReplicateFunction"))).fair_after_ms for each in (usual, fair)]
    assert found == [0, 60_000]


def test_no_new_change_waits_for_existing_objects_unless_somebody_asks_for_that() -> None:
    parameters = stacks.source()["Parameters"]
    assert parameters["BackfillConcurrency"]["Default"] < parameters["MaximumConcurrency"]["Default"] / 10


def test_no_filter_takes_existing_objects_for_echoes(stack: stacks.Document) -> None:
    assert "FilterCriteria" in mapping_of(stack, "ChangeQueue")
    assert "FilterCriteria" not in mapping_of(stack, "BackfillQueue")


def test_sqs_gives_no_message_up_that_only_waits_to_be_parked(stack: stacks.Document) -> None:
    """The journal may be unavailable for a while, and throttled invocations count as receives."""
    for queue in FED:
        receives = stacks.properties(stack, queue)["RedrivePolicy"]["maxReceiveCount"]
        shortest = sum(backoff.delay(attempts, jitter=0.0) for attempts in range(1, receives))
        assert receives > 20 * parking.SHORT_RECEIVES, queue
        assert shortest >= DAY, queue


def test_a_message_whose_function_died_comes_back_only_when_that_function_has_timed_out(stack: stacks.Document) -> None:
    timeout = stacks.properties(stack, "ReplicateFunction")["Timeout"]
    assert timeout < TimeLimit.after(0, timeout * 1000).hidden < 1.5 * timeout


def test_what_sqs_gives_up_goes_to_the_dead_letter_queue(stack: stacks.Document) -> None:
    targets = {queue: stacks.properties(stack, queue)["RedrivePolicy"]["deadLetterTargetArn"] for queue in FED}
    assert targets == {key: {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]} for key in FED}


def test_queues_keep_messages_as_long_as_sqs_can(stack: stacks.Document) -> None:
    kept = {queue: stacks.properties(stack, queue)["MessageRetentionPeriod"] for queue in QUEUES}
    assert kept == dict.fromkeys(QUEUES, 14 * DAY)


def test_queues_are_encrypted(stack: stacks.Document) -> None:
    encrypted = {queue: stacks.properties(stack, queue)["SqsManagedSseEnabled"] for queue in QUEUES}
    assert encrypted == dict.fromkeys(QUEUES, True)


def test_the_monitor_runs_every_minute_and_ends_before_the_next(stack: stacks.Document) -> None:
    [rule] = [
        r for r in stacks.resources(stack, "AWS::Events::Rule").values() if "ScheduleExpression" in r["Properties"]
    ]
    assert rule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Properties"]["Targets"][0]["Arn"] == {"Fn::GetAtt": ["MonitorFunction", "Arn"]}
    assert stacks.properties(stack, "MonitorFunction")["Timeout"] < 60


def test_a_run_of_the_monitor_that_failed_is_not_repeated(stack: stacks.Document) -> None:
    retries = stacks.resources(stack, "AWS::Lambda::EventInvokeConfig")
    assert {name for name, each in retries.items() if each["Properties"]["MaximumRetryAttempts"] == 0} == {
        "MonitorFunctionEventInvokeConfig",
        "VerifyFunctionEventInvokeConfig",
    }


def test_without_a_schedule_nothing_is_verified(stack: stacks.Document) -> None:
    permissions = stacks.resources(stack, "AWS::Lambda::Permission").values()
    assert [each for each in permissions if "Verify" in str(each["Properties"]["FunctionName"])] == []
    assert [name for name in stacks.resources(stack, "AWS::Events::Rule") if "Verify" in name] == []


def test_one_rule_begins_to_verify_and_another_goes_on_as_often_as_an_invocation_may_last() -> None:
    stack = stacks.stack(VerifySchedule="cron(0 3 * * ? *)")
    rules = {name: each["Properties"] for name, each in stacks.resources(stack, "AWS::Events::Rule").items()}
    assert rules["VerifyRule"]["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert [each.get("Input") for each in rules["VerifyRule"]["Targets"]] == [None]
    assert [each["Input"] for each in rules["ContinueVerifyRule"]["Targets"]] == ['{"continue": true}']
    seconds = stacks.properties(stack, "VerifyFunction")["Timeout"]
    assert rules["ContinueVerifyRule"]["ScheduleExpression"] == f"rate({seconds // 60} minutes)"
    assert seconds * 1000 == TICK_MS
    allowed = stacks.resources(stack, "AWS::Lambda::Permission")
    assert {"VerifyRulePermission", "ContinueVerifyRulePermission"} <= set(allowed)


@pytest.mark.parametrize("given", ["daily", "rate()", "at(2026-11-20T13:00:00)"])
def test_a_schedule_is_a_rate_or_a_cron_expression(given: str) -> None:
    pattern = stacks.source()["Parameters"]["VerifySchedule"]["AllowedPattern"]
    assert re.search(pattern, given) is None
    assert re.search(pattern, "rate(12 hours)")
    assert re.search(pattern, "")


def test_functions_have_the_runtime_handler_and_name_that_the_documentation_says(stack: stacks.Document) -> None:
    names = ("Runtime", "Handler", "FunctionName")
    settings = {name: [stacks.properties(stack, name)[each] for each in names] for name in stacks.FUNCTIONS}
    assert settings == {
        function: ["python3.13", f"{folder}.app.handler", f"replicator-{folder.replace('_', '-')}"]
        for function, folder in stacks.FUNCTIONS.items()
    }


def test_loop_detection_is_left_at_its_default_which_exists_in_every_region(stack: stacks.Document) -> None:
    assert [name for name in stacks.FUNCTIONS if "RecursiveLoop" in stacks.properties(stack, name)] == []


def test_the_architecture_is_a_parameter_and_arm64_unless_set(stack: stacks.Document) -> None:
    for architecture, given in (("arm64", stack), ("x86_64", stacks.stack(Architecture="x86_64"))):
        found = {function: stacks.properties(given, function)["Architectures"] for function in stacks.FUNCTIONS}
        assert found == {key: [architecture] for key in stacks.FUNCTIONS}


def test_each_function_logs_to_a_group_of_its_own_that_expires() -> None:
    stack = stacks.stack(LogRetentionDays="7")
    for function in stacks.FUNCTIONS:
        group = stacks.properties(stack, function)["LoggingConfig"]["LogGroup"]["Ref"]
        assert int(stacks.properties(stack, group)["RetentionInDays"]) == 7, function
        name = stacks.properties(stack, function)["FunctionName"]
        assert stacks.properties(stack, group)["LogGroupName"] == f"/aws/lambda/{name}"


def test_each_variable_that_the_code_reads_is_declared(stack: stacks.Document) -> None:
    runtime = ast.parse((stacks.ROOT / "functions" / "replicator" / "settings.py").read_text())
    texts = {node.value for node in ast.walk(runtime) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    read = {text for text in texts if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", text)}
    assert "CONTROL_BUCKET" in read
    declared = {name for function in stacks.FUNCTIONS for name in variables_of(stack, function)}
    assert read - declared == {"AWS_LAMBDA_FUNCTION_NAME"}, "which Lambda sets"


def test_each_function_has_every_variable_that_its_settings_require(stack: stacks.Document) -> None:
    for function in stacks.FUNCTIONS:
        settings = Settings.read(as_text(variables_of(stack, function)))
        assert settings.default_rule == ("fresh", "far"), function
        assert settings.metrics_namespace == "S3Replicator", function


def test_the_endpoint_is_never_set_in_aws_but_sam_local_may_set_it(stack: stacks.Document) -> None:
    assert "AWS_ENDPOINT_URL" in stacks.source()["Globals"]["Function"]["Environment"]["Variables"]
    assert [each for each in stacks.FUNCTIONS if "AWS_ENDPOINT_URL" in variables_of(stack, each)] == []


def test_writers_know_each_other_and_their_peers() -> None:
    joined = str(variables_of(stacks.stack(), "ReplicateFunction"))
    for role in ("ReplicateRole", "CopyPartsRole", "BatchRole"):
        assert f"{role}.RoleId" in joined or f"'{role}', 'RoleId'" in joined
    with_peer = stacks.stack(PeerPrincipals="AROAPEER:peer-replicate")
    assert "AROAPEER:peer-replicate" in str(variables_of(with_peer, "ReplicateFunction"))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ("", "")),
        ({"CreateSourceBucket": "fresh", "DefaultDestination": "far"}, ("fresh", "far")),
        ({"SourceBuckets": "east,other", "DefaultDestination": "far"}, ("east", "far")),
        ({"SourceBuckets": "east", "CreateSourceBucket": "fresh"}, ("fresh", "")),
    ],
    ids=["nothing given", "a created bucket", "the first of several buckets", "no destination"],
)
def test_the_default_rule_is_for_the_created_bucket_or_else_the_first(
    parameters: dict[str, str], expected: tuple[str, str]
) -> None:
    variables = variables_of(stacks.stack(**parameters), "ReplicateFunction")
    assert (variables["DEFAULT_SOURCE_BUCKET"], variables["DEFAULT_DESTINATION_BUCKET"]) == expected


def test_a_part_may_take_half_of_the_time_of_the_function_that_copies_it(stack: stacks.Document) -> None:
    longest_part: int = vars(clients.COPY_PART)["_user_provided_options"]["read_timeout"]
    half = stacks.properties(stack, "CopyPartsFunction")["Timeout"] / 2
    assert longest_part <= half
    assert CostModel().message_seconds <= half


def test_one_request_may_copy_for_half_of_the_time_that_its_function_waits_for_it(stack: stacks.Document) -> None:
    waits: int = vars(clients.WRITE)["_user_provided_options"]["read_timeout"]
    assert waits < stacks.properties(stack, "ReplicateFunction")["Timeout"]
    assert CostModel().one_copy_seconds <= waits / 2


def test_the_parameters_of_the_cost_model_default_to_those_of_the_code(stack: stacks.Document) -> None:
    assert read_cost_model(as_text(variables_of(stack, "CopyPartsFunction"))) == CostModel()


def test_all_functions_that_may_begin_an_upload_cut_it_alike() -> None:
    lowered = {"MultipartThreshold": "1", "SingleCopyLimit": "2", "SpreadThreshold": "3", "PartSize": "4",
               "CopyBytesPerSecond": "5", "MaximumConcurrency": "6", "PartsSideBySide": "7"}  # fmt: skip
    stack = stacks.stack(**lowered)
    for function in ("ReplicateFunction", "CopyPartsFunction", "BatchFunction"):
        model = read_cost_model(as_text(variables_of(stack, function)))
        assert (model.multipart_from, model.single_copy, model.spread_from, model.part_size) == (1, 2, 3, 4), function
        assert (model.bytes_per_second, model.functions, model.side_by_side) == (5.0, 6, 7), function


def test_each_function_knows_whose_uploads_are_the_stacks_own(stack: stacks.Document) -> None:
    for function in stacks.FUNCTIONS:
        roles = str(variables_of(stack, function)["REPLICATOR_ROLES"])
        assert [role for role in ("ReplicateRole", "CopyPartsRole", "BatchRole") if role not in roles] == [], function


def test_batch_tasks_have_no_concurrency_of_their_own_unless_it_is_set(stack: stacks.Document) -> None:
    """A reservation would take concurrency from every other function of the account."""
    reserving = [each for each in stacks.FUNCTIONS if "ReservedConcurrentExecutions" in stacks.properties(stack, each)]
    assert reserving == []
    limited = stacks.properties(stacks.stack(BatchConcurrency="50"), "BatchFunction")
    assert str(limited["ReservedConcurrentExecutions"]) == "50"


def test_a_batch_task_waits_for_parts_less_than_its_function_may_run(stack: stacks.Document) -> None:
    waits = int(stacks.source()["Parameters"]["BatchWaitSeconds"]["MaxValue"])
    last_look = 30
    assert waits + last_look < stacks.properties(stack, "BatchFunction")["Timeout"]
