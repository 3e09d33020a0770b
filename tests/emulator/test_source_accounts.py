"""Source buckets of another account, under default deny: what `grants` prints is put in place, and events arrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.accounts import THEIRS
from tests.emulator.failures import take_failures
from tests.emulator.granted import printed, put_in_place
from tests.emulator.reasons import STACK, reasons
from tests.emulator.worlds import rule

SOURCES = {"notifying": STACK, "bridged": "bridge"}
WORLD: dict[str, Any] = {
    "buckets": [
        *({"name": name, "region": "us-east-1", "account": THEIRS} for name in SOURCES),
        {"name": "west", "region": "us-west-2"},
    ],
    "stacks": [
        {
            "name": stack,
            "region": "us-east-1",
            "rules": {name: {"Rules": [rule(name, "west", DeleteMarkerReplication={"Status": "Enabled"})]}},
            "parameters": {"SourceAccount": THEIRS, "UseEventBridge": str(stack == "bridge").lower()},
        }
        for name, stack in SOURCES.items()
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        for name, stack in SOURCES.items():
            put_in_place(emulator, printed(emulator, name, stack))
        yield emulator


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_written_in_another_account_replicates(emulator: Running, name: str) -> None:
    theirs, ours = emulator.client("s3", account=THEIRS), emulator.client("s3", "us-west-2")
    theirs.put_object(Bucket=name, Key=f"{name}/k", Body=b"1", Tagging="a=b")
    assert emulator.idle()
    assert reasons(take_failures(emulator, SOURCES[name])) == {}
    assert ours.get_object(Bucket="west", Key=f"{name}/k")["Body"].read() == b"1"
    theirs.delete_object(Bucket=name, Key=f"{name}/k")
    assert emulator.idle()
    [marker] = ours.list_object_versions(Bucket="west", Prefix=f"{name}/")["DeleteMarkers"]
    assert marker["IsLatest"]
