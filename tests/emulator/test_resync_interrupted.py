"""`s3replicator resync` is interrupted, killed and run twice at once: the same command goes on, and nothing is lost."""

import signal
from collections.abc import Iterator

import pytest

from emulator.running import Running, running
from tests.emulator.resyncing import WORLD, copies, fresh, history, jobs, put, sent, start, there
from tests.emulator.watched import run
from tests.emulator.worlds import fault
from tests.patience import until


@pytest.fixture(scope="module")
def world() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture
def aws(world: Running) -> Iterator[Running]:
    with fresh(world) as emulator:
        yield emulator


def test_it_goes_on_after_ctrl_c_and_nothing_is_lost(aws: Running) -> None:
    keys = put(aws, 300)
    aws.post("/faults", [fault("HeadObject", {"delay_ms": 200})])
    process = start(aws, "resync", "east")
    until(lambda: copies(aws) > 20)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "run the same command again to go on" in " ".join(complaint.split())
    [job] = jobs(aws)
    assert (job["state"], job["driver"]) == ("Active", None)
    aws.delete("faults")
    again = run(aws, "resync", "east")
    assert again.exit_code == 0
    assert f"going on with job {job['id']}" in again.stdout
    [job] = jobs(aws)
    assert (job["state"], job["succeeded"], there(aws)) == ("Complete", 300, keys)


@pytest.mark.parametrize("after", [1, 15])
def test_it_goes_on_after_it_was_killed(aws: Running, after: int) -> None:
    keys = put(aws, 200)
    process = start(aws, "resync", "east")
    until(lambda: sent(aws) >= after)
    process.kill()
    process.communicate(timeout=120)
    assert run(aws, "resync", "east").exit_code == 0
    [job] = jobs(aws)
    assert (job["state"], there(aws)) == ("Complete", keys)
    assert all(len(history(aws, "west", key)) == 1 for key in sorted(keys)[:20])


def test_of_two_operators_one_drives_and_both_see_the_end(aws: Running) -> None:
    keys = put(aws, 200)
    first = start(aws, "resync", "east")
    until(lambda: sent(aws) >= 1)
    second = start(aws, "resync", "east")
    ends = [process.communicate(timeout=240) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], ends
    assert there(aws) == keys
    assert [job["state"] for job in jobs(aws)] == ["Complete"]
    assert sent(aws) == 20, "messages of ten, each once"
