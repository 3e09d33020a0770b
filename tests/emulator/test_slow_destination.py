"""One destination of three is silent, down or throttled: the other two do not notice, whatever becomes of it.

The function has 7 seconds instead of 120, so that it leaves behind soon what does not answer.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Options, Running, running
from tests.emulator.worlds import bucket, fault, rule
from tests.patience import until

HEALTHY = ("north-west", "south-west")
ROOT = Path(__file__).parents[2]
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("dead-west"), *map(bucket, HEALTHY)],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"DestinationBuckets": ",".join(("dead-west", *HEALTHY))},
            "rules": {
                "east": {
                    "Rules": [
                        rule("east", name, Priority=number) for number, name in enumerate(("dead-west", *HEALTHY), 1)
                    ]
                }
            },
        }
    ],
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    template = tmp_path_factory.mktemp("stack") / "template.yaml"
    text = (ROOT / "template.yaml").read_text().replace("CodeUri: functions/", f"CodeUri: {ROOT / 'functions'}/")
    text, replaced = re.subn(
        r"(Handler: replicate\.app\.handler.*?Timeout:) 120", r"\1 7", text, count=1, flags=re.DOTALL
    )
    assert replaced == 1
    template.write_text(text)
    with running(WORLD, Options(template=template)) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    emulator.delete("requests")
    yield
    emulator.delete("faults")


def put(emulator: Running, name: str, count: int = 5) -> set[str]:
    keys = {f"{name}/{number}" for number in range(count)}
    for key in keys:
        emulator.client("s3").put_object(Bucket="east", Key=key, Body=b"content")
    return keys


def there(emulator: Running, bucket: str, prefix: str) -> set[str]:
    listed = emulator.client("s3", "us-west-2").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return {each["Key"] for each in listed.get("Contents", ())}


def copies(emulator: Running, keys: set[str]) -> Counter[tuple[str, int]]:
    """Count the copies of these keys that were answered, by destination and status."""
    rows = emulator.get("requests")
    return Counter(
        (row["bucket"], row["status"]) for row in rows if row["operation"] == "CopyObject" and row["key"] in keys
    )


TROUBLE: dict[str, dict[str, Any]] = {
    "silent": {"delay_ms": 100_000},
    "down": {"status": 500, "code": "InternalError"},
    "throttled": {"status": 503, "code": "SlowDown"},
}


@pytest.mark.parametrize(("name", "then"), TROUBLE.items(), ids=TROUBLE)
def test_healthy_destinations_get_every_version_by_one_copy_while_another_one_is_in_trouble(
    emulator: Running, name: str, then: dict[str, Any]
) -> None:
    emulator.post("faults", [fault("*", then, bucket="dead-west")])
    keys = put(emulator, name)
    until(lambda: all(there(emulator, healthy, name) == keys for healthy in HEALTHY))
    assert there(emulator, "dead-west", name) == set()
    answered = copies(emulator, keys)
    assert {each: count for each, count in answered.items() if each[0] in HEALTHY} == {
        (healthy, 200): len(keys) for healthy in HEALTHY
    }


def test_what_a_silent_destination_keeps_from_ending_comes_back_soon_and_only_there(emulator: Running) -> None:
    """The queue would hide it for twelve minutes, and a crashed function for its timeout and 15 seconds more."""
    emulator.post("faults", [fault("CopyObject", {"delay_ms": 100_000}, bucket="dead-west", key="left/0", times=1)])
    keys = put(emulator, "left", 3)
    until(lambda: there(emulator, "dead-west", "left") == keys)
    assert {each: count for each, count in copies(emulator, keys).items() if each[0] in HEALTHY} == {
        (healthy, 200): len(keys) for healthy in HEALTHY
    }, "nothing is copied twice where it was completed"
    log = "\n".join(emulator.logs("prod", "ReplicateFunction"))
    assert "TimedOut" in log
    assert "Task timed out" not in log
