"""A schedule by itself: how often it runs, and what it sends. How it is fired is tested with the poller."""

from datetime import UTC, datetime

from emulator.functions.schedules import Schedule

REGION = "eu-west-1"


def test_the_period_of_a_schedule_is_that_of_its_rate() -> None:
    expected = {"rate(1 minute)": 60.0, "rate(5 minutes)": 300.0, "rate(1 day)": 86400.0, "cron(0 3 * * ? *)": None}
    found = {
        expression: Schedule("arn", expression, "target", True, "aws.events", REGION, "123456789012", None).period
        for expression in expected
    }
    assert found == expected


def test_the_input_of_a_schedule_has_its_time_and_arn_filled_in() -> None:
    text = '{"at": "<aws.scheduler.scheduled-time>", "by": "<aws.scheduler.schedule-arn>", "x": "<aws.scheduler.no>"}'
    schedule = Schedule("arn:s", "rate(1 day)", "target", True, "aws.scheduler", REGION, "123456789012", text)
    event = schedule.event(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert event == {"at": "2026-01-02T03:04:05Z", "by": "arn:s", "x": "<aws.scheduler.no>"}
