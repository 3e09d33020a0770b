"""Copies that take as long as their bytes need: which go to parts, and what becomes of one that outlives its function.

Everything is scaled down: a copy moves 2 MB/s, and ReplicateFunction has 8 seconds instead of 120.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Options, Running, running
from emulator.world.stacks import TEMPLATE
from tests.emulator.large import MIB, asked, differences, write
from tests.emulator.worlds import bucket, rule
from tests.patience import PATIENCE

RATE = 2_000_000
TOO_LONG = 17 * MIB
"""A size that one request copies in 9 seconds: longer than its function lives."""
WORLD: dict[str, Any] = {
    "buckets": [bucket(name) for name in ("east", "west", "same-east", "same-west")],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"DestinationBuckets": "west,same-west", "CopyBytesPerSecond": str(RATE)},
            "rules": {
                "east": {"Rules": [rule("east", "west")]},
                "same-east": {"Rules": [rule("same-east", "same-west", ReplicatorOptions={"PreserveETag": "Enabled"})]},
            },
        }
    ],
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("scaled")
    text = TEMPLATE.read_text(encoding="utf-8")
    scaled = text.replace("Timeout: 120", "Timeout: 8").replace('ONE_COPY_SECONDS: "55"', 'ONE_COPY_SECONDS: "4"')
    (folder / "template.yaml").write_text(scaled, encoding="utf-8")
    (folder / "functions").symlink_to(TEMPLATE.parent / "functions")
    with running(WORLD, Options(template=folder / "template.yaml", crash_visibility=1)) as emulator:
        for name in ("east", "same-east"):
            write(emulator, "warm", 1, name)
        assert emulator.idle()
        emulator.post("latency", {"copy_mb_per_s": RATE / 1e6})
        yield emulator


def test_an_object_that_one_request_cannot_copy_in_time_is_copied_in_parts(emulator: Running) -> None:
    write(emulator, "parts", TOO_LONG)
    assert emulator.idle(PATIENCE)
    assert differences(emulator, "parts", in_one_piece=True) == []
    made = asked(emulator, "parts")
    assert (made["CopyObject"], made["UploadPartCopy"], made["CompleteMultipartUpload"]) == (0, 3, 1)


def test_a_copy_that_outlives_its_function_is_found_by_the_next_one_and_makes_one_version(emulator: Running) -> None:
    """Only one request keeps the ETag of an object in one piece. S3 finishes it though nobody waits any more.

    The change comes back soon. A second copy may have been sent by then: the first one fails it.
    """
    write(emulator, "whole", TOO_LONG, "same-east")
    assert emulator.idle(PATIENCE)
    assert differences(emulator, "whole", source="same-east") == []
    rows = [row for row in emulator.get("requests") if row["operation"] == "CopyObject" and row["key"] == "whole"]
    assert [row["status"] for row in rows][:1] == [200]
    assert {row["status"] for row in rows[1:]} <= {412}
