"""`s3replicator report`: the numbers are right, and the page opens in a browser without a network."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.browser import look_at, picture_of
from tests.emulator.watched import RULE, STACK, document, fail, look, measured, put, run, world
from tests.patience import until

QUICK, FAILING = 12, 2
HASTY = "à la hâte "
"""An id that no dimension of a metric can have as it is."""
IN_A_MOMENT: dict[str, Any] = {
    **RULE["Destination"],
    "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 0.05}},
    "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 0.05}},
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    """Replicate some objects in time, one late by a rule of its own, and let two fail."""
    rules = [RULE, {**RULE, "ID": HASTY, "Priority": 2, "Filter": {"Prefix": "late"}, "Destination": IN_A_MOMENT}]
    hasty = world()
    hasty["stacks"][0]["rules"] = {"east": {"Rules": rules}}
    with running(hasty) as emulator:
        fail(emulator, "late", status=503, code="SlowDown")
        fail(emulator, "denied", status=403, code="AccessDenied")
        fail(emulator, "gone", status=404, code="NoSuchBucket")
        put(emulator, *(f"quick/{number}" for number in range(QUICK)), body=b"x" * 1000)
        put(emulator, "late", "denied", "gone")
        until(lambda: look(emulator)["ages"]["over the threshold"] == 1)
        emulator.delete("/faults")
        assert emulator.idle()
        yield emulator


@pytest.fixture(scope="module")
def page(aws: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    done = run(aws, "report", "--from", "2h", "--out", str(path))
    assert done.exit_code == 1, done.output
    assert str(path) in done.stdout
    return path


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]


def test_counts_and_shares_are_those_of_the_objects(aws: Running) -> None:
    found = document(aws, "report", "--from", "2h")
    assert found["threshold_minutes"] == 15
    total, (usual, hasty) = found["total"], found["rules"]
    assert (usual["rule"], hasty["rule"]) == ("all", HASTY)
    for figures, late in ((total, 1), (usual, 0)):
        assert figures["replicated"] == QUICK + late
        assert figures["bytes"] == QUICK * 1000 + 5 * late
        assert (figures["within"], figures["outside"]) == (QUICK, late + FAILING)
        assert figures["share"] == pytest.approx(QUICK / (QUICK + late + FAILING))
        assert figures["share_of_bytes"] == pytest.approx(QUICK * 1000 / (QUICK * 1000 + 5 * (late + FAILING)))
        assert (figures["missed"], figures["failed"]) == (late, FAILING)
    assert (hasty["replicated"], hasty["outside"], hasty["share"], hasty["missed"], hasty["failed"]) == (1, 1, 0, 1, 0)
    assert {(each["kind"], each["reason"], each["count"]) for each in found["reasons"]} == {
        ("missed", "Throttled", 1),
        ("failed", "DstPutObjectNotPermitted", 1),
        ("failed", "DstBucketNotFound", 1),
    }
    assert found["fine"] is False


def test_latencies_are_the_percentiles_of_what_was_measured(aws: Running) -> None:
    values = measured(aws, "ReplicationLatency", Stack=STACK)
    latency = document(aws, "report", "--from", "2h")["total"]["latency"]
    assert latency["count"] == len(values) == QUICK + 1
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1)):
        assert latency[name] == pytest.approx(percentile(values, share))


def test_what_was_measured_as_a_minute_began_is_in_a_report_made_then(
    aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3replicator.report.commands.time.time", lambda: 1_795_046_400.4)
    found = document(aws, "report", "--from", "2h")
    assert (found["from"], found["to"]) == ("2026-11-18T22:00:00Z", "2026-11-19T00:01:00Z")


def test_a_time_when_nothing_happened_is_empty_and_fine(aws: Running) -> None:
    done = run(aws, "report", "--from", "2026-01-01", "--to", "2026-01-02", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert (found["from"], found["to"]) == ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")
    assert found["total"]["replicated"] == 0
    assert found["total"]["share"] is None
    assert found["rules"] == found["curve"] == []


def test_without_a_file_the_page_goes_to_a_pipe(aws: Running) -> None:
    done = run(aws, "report", "--from", "2h")
    assert done.stdout.startswith("<!doctype html>")
    assert done.stdout.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    "arguments",
    [["--from", "yesterday"], ["--from", "2026-01-02", "--to", "2026-01-01"], ["--out", "/no/such/folder/page.html"]],
)
def test_a_wrong_call_ends_with_2_and_a_message(aws: Running, arguments: list[str]) -> None:
    done = run(aws, "report", *arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert "s3replicator:" in done.output


# In a browser


@pytest.fixture(scope="module")
def seen(page: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return look_at(page, tmp_path_factory.mktemp("browser"))


def test_the_page_shows_the_numbers_without_a_network(seen: dict[str, Any]) -> None:
    assert seen["resources"] == []
    texts = seen["texts"]
    assert f"{QUICK} of {QUICK + 3}" in texts
    assert re.search(r"Not met: 80 % of objects were within the threshold", texts)
    for text in (f"{STACK} in us-east-1", "DstBucketNotFound", "DstPutObjectNotPermitted", "Throttled"):
        assert text in texts, text


def test_its_charts_are_drawn_and_nothing_sticks_out(seen: dict[str, Any]) -> None:
    assert len(seen["pictures"]) == 2
    assert min(seen["pictures"]) > 700
    assert seen["outside"] == []
    assert seen["wide"] <= 0
    assert seen["stroke"].startswith("rgb(")


def test_it_fits_a_narrow_window(page: Path, tmp_path: Path) -> None:
    """The narrowest that headless Chromium makes is 500 pixels wide."""
    assert look_at(page, tmp_path, 500)["wide"] <= 0


def test_it_is_dark_where_people_want_that(page: Path, seen: dict[str, Any], tmp_path: Path) -> None:
    dark = look_at(page, tmp_path, 1120, "--blink-settings=preferredColorScheme=0")
    assert dark["ground"] != seen["ground"]


def test_it_can_be_seen(page: Path, tmp_path: Path) -> None:
    picture = picture_of(page, tmp_path)
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 30_000, "more than an empty sheet"
