"""Large objects end to end, with lowered thresholds: they arrive whole, in one function or over many."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running
from tests.emulator.large import HERE, LARGER, MIB, SPREAD, asked, differences, leftovers, put, stack, write
from tests.emulator.letters import take_dead_letters
from tests.emulator.likeness import Side

EVERYTHING: dict[str, Any] = {
    "Metadata": {"colour": "blue", "long": "x" * 200},
    "Tagging": "team=blue&a b=c%2Fd",
    "ContentType": "video/mp4",
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentDisposition": "attachment; filename=a.mp4",
    "CacheControl": "max-age=5",
    "Expires": "Wed, 21 Oct 2026 07:28:00 GMT",
    "WebsiteRedirectLocation": "/elsewhere",
    "StorageClass": "STANDARD_IA",
    "ACL": "public-read",
    "ObjectLockMode": "GOVERNANCE",
    "ObjectLockRetainUntilDate": "2030-01-01T00:00:00Z",
    "ObjectLockLegalHoldStatus": "ON",
}
ALGORITHMS: tuple[dict[str, str], ...] = (
    {},
    {"ChecksumAlgorithm": "CRC32C", "ChecksumType": "FULL_OBJECT"},
    {"ChecksumAlgorithm": "SHA256"},
)
CARRIED: dict[str, tuple[tuple[int, ...], dict[str, str]]] = {
    f"all of it/{len(sizes)} {algorithm.get('ChecksumAlgorithm')} ü+&": (sizes, algorithm)
    for sizes in (HERE, SPREAD)
    for algorithm in ALGORITHMS
}
BOUNDARIES = {f"boundary/{size}": size for size in (5 * MIB, 5 * MIB + 1, 6 * MIB, 6 * MIB + 1,
                                                    10 * MIB, 10 * MIB + 1)}  # fmt: skip
SHAPES: dict[str, tuple[int, ...]] = {
    "even": (5 * MIB, 5 * MIB, 7),
    "small": (5 * MIB, 7),
    "uneven": (7 * MIB, 5 * MIB, 6 * MIB, 1),
    "one part": (6 * MIB,),
}


@pytest.fixture(scope="module")
def arrived() -> Iterator[Running]:
    """All objects of this module, written and at rest."""
    with stack() as emulator:
        emulator.delete("requests")
        for key, (sizes, algorithm) in CARRIED.items():
            put(emulator, key, sizes, **EVERYTHING, **algorithm)
        for key, size in BOUNDARIES.items():
            write(emulator, key, size)
        for key, sizes in SHAPES.items():
            put(emulator, key, sizes, bucket="same-east")
        write(emulator, "whole", 12 * MIB, bucket="same-east")
        put(emulator, "counted", LARGER)
        assert emulator.idle(240), "nothing comes to rest"
        yield emulator


@pytest.mark.parametrize("key", CARRIED)
def test_everything_of_a_large_object_goes_over(arrived: Running, key: str) -> None:
    assert differences(arrived, key) == []


@pytest.mark.parametrize("key", BOUNDARIES)
def test_sizes_around_every_boundary(arrived: Running, key: str) -> None:
    in_parts = BOUNDARIES[key] > 5 * MIB
    assert asked(arrived, key)["CreateMultipartUpload"] == in_parts
    assert differences(arrived, key, in_one_piece=in_parts) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_the_etag_is_the_same_where_the_rule_asks_for_it(arrived: Running, shape: str) -> None:
    assert differences(arrived, shape, source="same-east") == []
    heads = [Side.of(arrived, name).s3.head_object(Bucket=name, Key=shape) for name in ("same-east", "same-west")]
    assert heads[0]["ETag"] == heads[1]["ETag"]


def test_so_is_that_of_an_object_in_one_piece(arrived: Running) -> None:
    assert differences(arrived, "whole", source="same-east") == []


def test_many_functions_copy_one_object(arrived: Running) -> None:
    assert differences(arrived, "counted") == []
    counted = asked(arrived, "counted")
    assert (counted["CreateMultipartUpload"], counted["UploadPartCopy"], counted["CopyObject"]) == (1, 5, 0)
    assert 1 <= counted["CompleteMultipartUpload"] <= 3, "workers that end at once may all find it complete"
    assert any(row["operation"] == "SendMessageBatch" for row in arrived.get("requests"))


def test_no_function_ever_reads_an_objects_bytes(arrived: Running) -> None:
    """So what a function holds does not grow with the object."""
    read = [
        row for row in arrived.get("requests") if row["principal"] == "replicator" and row["operation"] == "GetObject"
    ]
    assert [row["key"] for row in read if not row["key"].startswith("rules/")] == []
    sent = {"PutObject", "UploadPart"}
    written = [row for row in arrived.get("requests") if row["principal"] == "replicator" and row["operation"] in sent]
    assert written == []


def test_nothing_is_left_of_all_that(arrived: Running) -> None:
    assert leftovers(arrived) == []
    assert take_dead_letters(arrived) == []
