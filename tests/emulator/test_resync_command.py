"""`s3replicator resync` and `jobs` on the emulator: what was there before the rules arrives, and is reported."""

from collections.abc import Iterator

import pytest

from emulator.running import Running, running
from tests.emulator.resyncing import (
    MARKERS,
    MIB,
    WORLD,
    copies,
    fresh,
    history,
    in_a_terminal,
    jobs,
    put,
    put_rules,
    rows,
    sent,
    start,
    there,
    write_history,
)
from tests.emulator.watched import STACK, document, run
from tests.emulator.worlds import fault, rule
from tests.patience import until


@pytest.fixture(scope="module")
def world() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture
def aws(world: Running) -> Iterator[Running]:
    with fresh(world) as emulator:
        yield emulator


def test_what_was_there_before_the_rules_arrives_with_its_delete_markers_in_their_places(aws: Running) -> None:
    keys = put(aws, 20)
    write_history(aws, "many", "1", None, "2", "3", None)
    write_history(aws, "back", "1", None, "2")
    done = run(aws, "resync", "east")
    assert done.exit_code == 0, done.output
    assert history(aws, "west", "many") == ["1", None, "2", "3", None]
    assert history(aws, "west", "back") == ["1", None, "2"]
    assert there(aws) == keys | {"back"}
    [job] = jobs(aws)
    assert (job["state"], job["sent"], job["succeeded"], job["failed"]) == ("Complete", 28, 28, 0)
    assert "28 versions delivered" in done.stdout


def test_a_second_run_finds_nothing_to_send(aws: Running) -> None:
    put(aws, 5)
    write_history(aws, "many", "1", None, "2")
    run(aws, "resync", "east")
    aws.delete("requests")
    again = document(aws, "resync", "east")
    assert (again["sent"], again["equal"], copies(aws)) == (0, 8, 0)


def test_a_dry_run_counts_the_same_and_sends_nothing(aws: Running) -> None:
    put(aws, 12, body="12345")
    write_history(aws, "many", "1", None, "2")
    found = document(aws, "resync", "east", "--dry-run")
    assert (found["versions"], found["bytes"], found["keys"]) == (15, 62, 13)
    assert found["requests"] > 15
    assert 0 < found["dollars"] < 0.01
    assert found["seconds"] > 0
    assert (sent(aws), jobs(aws)) == (0, [])
    assert document(aws, "resync", "east")["sent"] == found["versions"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--prefix", "a/"), {"a/1", "a/2.jpg"}),
        (("--suffix", ".jpg"), {"a/2.jpg", "b.jpg"}),
        (("--larger-than", "10"), {"a/2.jpg", "b.jpg"}),
        (("--smaller-than", "10B"), {"a/1"}),
        (("--class", "standard_ia"), {"b.jpg"}),
        (("--created-after", "2100-01-01"), set()),
        (("--created-before", "2100-01-01", "--prefix", "b"), {"b.jpg"}),
        (("--status", "failed"), set()),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_filters_select_what_they_say(aws: Running, arguments: tuple[str, ...], expected: set[str]) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket="east", Key="a/1", Body=b"small")
    s3.put_object(Bucket="east", Key="a/2.jpg", Body=b"x" * 100)
    s3.put_object(Bucket="east", Key="b.jpg", Body=b"x" * 1000, StorageClass="STANDARD_IA")
    assert run(aws, "resync", "east", *arguments).exit_code == 0
    assert there(aws) == expected


def test_current_only_asks_for_the_newest_entry_of_each_key(aws: Running) -> None:
    """What is only seconds older is copied with it, so that the order of the history is right."""
    write_history(aws, "many", "1", "2", "3")
    write_history(aws, "gone", "1", None)
    job = document(aws, "resync", "east", "--current-only")
    assert (job["sent"], job["succeeded"], there(aws)) == (2, 2, {"many"})


def test_a_new_destination_is_filled_and_the_others_get_nothing(aws: Running) -> None:
    keys = put(aws, 10)
    write_history(aws, "many", "1", None, "2")
    run(aws, "resync", "east")
    put_rules(aws, rule("east", "west", **MARKERS), rule("east", "north-west", Priority=2, **MARKERS))
    aws.delete("requests")
    done = document(aws, "resync", "east", "--destination", "north-west")
    assert (done["sent"], done["succeeded"]) == (13, 13)
    assert there(aws, "north-west") == keys | {"many"}
    assert history(aws, "north-west", "many") == ["1", None, "2"]
    assert {row["bucket"] for row in aws.get("requests") if row["operation"] == "CopyObject"} == {"north-west"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rule", "no such"), "no enabled rule of east has the id 'no such'; there are east to west"),
        (("--destination", "elsewhere"), "no enabled rule of east replicates to 'elsewhere'"),
        (("--status", "lost"), "there is no status 'lost'"),
        (("--larger-than", "many"), "'many' is no size"),
        (("--created-after", "yesterday"), "'yesterday' is no time"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_an_argument_that_cannot_be_meant_is_refused_with_a_hint(
    aws: Running, arguments: tuple[str, ...], words: str
) -> None:
    done = run(aws, "resync", "east", *arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())


def test_a_bucket_without_rules_is_refused(aws: Running) -> None:
    done = run(aws, "resync", "west")
    assert done.exit_code == 2
    assert "no enabled rule is stored for west" in " ".join(done.stderr.split())


def test_what_fails_is_failed_in_the_report_with_the_reason(aws: Running) -> None:
    put(aws, 3)
    aws.post("/faults", [fault("CopyObject", {"status": 403, "code": "AccessDenied"}, bucket="west", key="one/0001")])
    done = run(aws, "resync", "east")
    assert done.exit_code == 1
    [job] = jobs(aws)
    assert (job["state"], job["succeeded"], job["failed"]) == ("Complete", 2, 1)
    report = rows(run(aws, "jobs", "report", job["id"]).stdout)
    assert {(row[1], row[3], row[5]) for row in report} == {
        ("one/0000", "succeeded", ""),
        ("one/0001", "failed", "PermanentFailure"),
        ("one/0002", "succeeded", ""),
    }
    [failed] = rows(run(aws, "jobs", "report", job["id"], "--failed").stdout)
    assert failed[6] == "west: FAILED DstPutObjectNotPermitted"
    assert [(row[0], row[4]) for row in report] == [("east", "200")] * 3
    aws.client("sqs").purge_queue(QueueUrl=aws.outputs(STACK)["DeadLetterQueue"])


def test_a_report_has_the_manifest_and_the_files_of_s3(aws: Running) -> None:
    put(aws, 2, prefix="ü +/")
    job = document(aws, "resync", "east")
    manifest = document(aws, "jobs", "report", job["id"])
    assert manifest["Format"] == "Report_CSV_20180820"
    assert manifest["ReportSchema"] == "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"
    [results] = manifest["Results"]
    assert results["TaskExecutionStatus"] == "succeeded"
    stored = aws.client("s3").get_object(Bucket=results["Bucket"], Key=results["Key"])
    assert stored["ETag"].strip('"') == results["MD5Checksum"]
    assert [row[1] for row in rows(stored["Body"].read().decode())] == ["%C3%BC+%2B/0000", "%C3%BC+%2B/0001"]


def test_delivered_means_also_what_is_copied_in_parts(aws: Running) -> None:
    """The message of a large version is gone long before the version is there."""
    put(aws, 1, prefix="large/", body="x" * 7 * MIB)
    done = document(aws, "resync", "east")
    assert (done["succeeded"], there(aws)) == (1, {"large/0000"})
    assert any(row["operation"] == "UploadPartCopy" for row in aws.get("requests"))


def test_without_a_terminal_progress_is_plain_lines(aws: Running) -> None:
    put(aws, 5)
    process = start(aws, "resync", "east")
    out, lines = process.communicate(timeout=120)
    assert process.returncode == 0, lines
    assert "versions sent" in lines
    assert "\x1b" not in out + lines


def test_in_a_terminal_progress_is_a_bar_that_is_gone_at_the_end(aws: Running) -> None:
    put(aws, 30)
    shown, status = in_a_terminal(aws, "resync", "east")
    assert status == 0
    assert "━" in shown
    assert "versions processed" in shown
    left = shown.rpartition("\x1b[2K")[2]
    assert "━" not in left
    assert "30 versions delivered" in left


def test_detached_it_ends_when_all_is_sent_and_the_same_command_waits_later(aws: Running) -> None:
    keys = put(aws, 50)
    assert run(aws, "resync", "east", "--detach").exit_code == 0
    [job] = jobs(aws)
    assert (job["state"], job["sent"]) == ("Active", 50)
    assert run(aws, "jobs", "report", job["id"]).exit_code == 2
    assert run(aws, "resync", "east").exit_code == 0
    assert (jobs(aws)[0]["state"], there(aws)) == ("Complete", keys)


def test_a_job_that_nobody_drives_is_cancelled_at_once(aws: Running) -> None:
    put(aws, 3)
    run(aws, "resync", "east", "--detach")
    [job] = jobs(aws)
    assert run(aws, "jobs", "cancel", job["id"]).exit_code == 0
    assert [each["state"] for each in jobs(aws)] == ["Cancelled"]


def test_a_job_that_somebody_drives_ends_soon_after_it_was_cancelled(aws: Running) -> None:
    put(aws, 100)
    aws.post("/faults", [fault("HeadObject", {"delay_ms": 500})])
    process = start(aws, "resync", "east")
    until(lambda: sent(aws) >= 1)
    until(lambda: bool(jobs(aws)))
    assert run(aws, "jobs", "cancel", jobs(aws)[0]["id"]).exit_code == 0
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert [each["state"] for each in jobs(aws)] == ["Cancelled"]
    aws.delete("faults")
    assert aws.idle()


def test_jobs_that_do_not_exist_are_named(aws: Running) -> None:
    for command in ("show", "cancel", "report"):
        done = run(aws, "jobs", command, "nothing")
        assert done.exit_code == 2
        assert "there is no job 'nothing'" in done.stderr
    assert "there are no jobs" in run(aws, "jobs", "list").stdout


def test_a_job_is_shown_with_a_bar_and_its_counts(aws: Running) -> None:
    put(aws, 3)
    job = document(aws, "resync", "east")
    shown = run(aws, "jobs", "show", job["id"])
    assert shown.exit_code == 0
    for text in ("Complete", "100%", "3 versions delivered, 0 failed", "engine queue"):
        assert text in shown.stdout, text
