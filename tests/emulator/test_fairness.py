"""A stack with a busy bucket and a quiet one, on the emulator: the quiet one's object overtakes, and all follow."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from replicator.core.outcomes.shares import LEAST

from emulator.running import Options, Running, running
from tests.patience import until

NOISY, QUIET, BACKUP = "noisy", "quiet", "backup"
MANY = LEAST + 50
RULES = {"Rules": [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{BACKUP}"}}]}
WORLD = {
    "buckets": [
        {"name": NOISY, "region": "us-east-1"},
        {"name": QUIET, "region": "us-east-1"},
        {"name": BACKUP, "region": "us-west-2"},
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"SourceBuckets": f"{NOISY},{QUIET}", "FairAfterSeconds": "1"},
            "rules": {NOISY: RULES, QUIET: RULES},
        }
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    """One container, which receives the oldest first."""
    with running(WORLD, Options(processes_per_function=1)) as emulator:
        assert emulator.idle()
        yield emulator


def poll(emulator: Running, *, on: bool) -> None:
    """Let Lambda poll the change queue, or stop that."""
    client, queue = emulator.client("lambda"), emulator.outputs("prod")["ChangeQueue"].rpartition("/")[2]
    for each in client.list_event_source_mappings(FunctionName="prod-replicate")["EventSourceMappings"]:
        if each["EventSourceArn"].endswith(f":{queue}"):
            client.update_event_source_mapping(UUID=each["UUID"], Enabled=on)


def replicas(emulator: Running) -> list[str]:
    pages = emulator.client("s3", "us-west-2").get_paginator("list_objects_v2").paginate(Bucket=BACKUP)
    return [each["Key"] for page in pages for each in page.get("Contents", ())]


def waiting(emulator: Running) -> list[str]:
    """Return the reasons of what waits, as the journal has them."""
    table = emulator.outputs("prod")["JournalTable"]
    pages = emulator.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item["reason"]["S"] for page in pages for item in page["Items"] if item.get("reason", {}).get("S")]


def test_an_object_of_a_quiet_bucket_does_not_wait_for_those_of_a_busy_one(emulator: Running) -> None:
    poll(emulator, on=False)
    s3 = emulator.client("s3")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: s3.put_object(Bucket=NOISY, Key=f"noisy/{number}", Body=b"x"), range(MANY)))
    s3.put_object(Bucket=QUIET, Key="quiet", Body=b"x")
    poll(emulator, on=True)
    until(lambda: "quiet" in replicas(emulator))
    overtaken = MANY + 1 - len(replicas(emulator))
    assert overtaken >= MANY - LEAST - 20, "but for the first hundred, and a batch or two that were written just before"
    assert set(waiting(emulator)) == {"SrcBucketOverItsShare"}


def test_what_it_overtook_follows(emulator: Running) -> None:
    emulator.post("fire", {"stack": "prod", "function": "MonitorFunction"})
    assert emulator.idle()
    assert len(replicas(emulator)) == MANY + 1
