"""Requests of verification by schedule wait for their turn, those of all clients together."""

import pytest
from replicator.aws.pace import Pace, PacedClients


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_so_many_requests_go_in_a_second_and_the_first_at_once() -> None:
    clock = Clock()
    pace = Pace(10, clock.time, clock.sleep)
    began = []
    for _ in range(21):
        pace(request="any")
        began.append(clock.now)
    assert began[0] == 100
    assert began[-1] == pytest.approx(102)


def test_time_that_nobody_used_is_not_made_up_for() -> None:
    clock = Clock()
    pace = Pace(10, clock.time, clock.sleep)
    pace()
    clock.sleep(60)
    before = clock.now
    for _ in range(11):
        pace()
    assert clock.now == pytest.approx(before + 1)


def test_every_client_keeps_the_same_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "A",
        "AWS_SECRET_ACCESS_KEY": "s",
    }.items():
        monkeypatch.setenv(name, text)
    turns: list[str] = []

    class Counted(Pace):
        def __call__(self, **request: object) -> None:
            turns.append(str(request["event_name"]))
            raise Stopped

    class Stopped(Exception):
        pass

    clients = PacedClients(Counted(1))
    for ask in (
        lambda: clients.lister("us-west-2").list_object_versions(Bucket="west"),
        lambda: clients.reader("us-east-1").head_bucket(Bucket="east"),
        lambda: clients.dynamodb().get_item(TableName="t", Key={"object": {"S": "k"}}),
    ):
        with pytest.raises(Stopped):
            ask()
    assert [each.rpartition(".")[2] for each in turns] == ["ListObjectVersions", "HeadBucket", "GetItem"]
