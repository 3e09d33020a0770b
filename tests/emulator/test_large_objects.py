"""Large objects end to end, with lowered thresholds: they arrive whole, in one function or over many."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running
from tests.emulator.failures import take_failures
from tests.emulator.large import HERE, LARGER, MIB, SPREAD, asked, differences, leftovers, put, stack, write
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
    f"{where}, {algorithm.get('ChecksumAlgorithm', 'no')} checksum asked for ü+&": (sizes, algorithm)
    for where, sizes in (("in one function", HERE), ("over several functions", SPREAD))
    for algorithm in ALGORITHMS
}
BOUNDARIES = {f"{size} MiB{' and a byte' * more}": size * MIB + more for size in (5, 6, 10) for more in (0, 1)}
ODD = {"object\x1e": 11 * MIB, "\x07\ufffe\r\n&#x1e;<": 6 * MIB}
"""Keys that XML 1.0 cannot carry."""
SHAPES: dict[str, tuple[int, ...]] = {
    "even": (5 * MIB, 5 * MIB, 7),
    "small": (5 * MIB, 7),
    "uneven": (7 * MIB, 5 * MIB, 6 * MIB, 1),
    "one part": (6 * MIB,),
    "one part that no range copies": (7,),
    "one part of 5 MiB": (5 * MIB,),
}


@pytest.fixture(scope="module")
def arrived() -> Iterator[Running]:
    """All objects of this module, written and replicated."""
    with stack() as emulator:
        emulator.delete("requests")
        emulator.emulator.limits.unranged_bytes = 5 * MIB
        for key, (sizes, algorithm) in CARRIED.items():
            put(emulator, key, sizes, **EVERYTHING, **algorithm)
        for key, size in (BOUNDARIES | ODD).items():
            write(emulator, key, size)
        for key, sizes in SHAPES.items():
            put(emulator, key, sizes, bucket="same-east")
        write(emulator, "whole", 12 * MIB, bucket="same-east")
        put(emulator, "counted", LARGER)
        assert emulator.idle(240), "it does not come to rest"
        yield emulator


@pytest.mark.parametrize("key", CARRIED)
def test_everything_of_a_large_object_is_replicated(arrived: Running, key: str) -> None:
    assert differences(arrived, key) == []


@pytest.mark.parametrize("key", BOUNDARIES)
def test_an_object_of_a_size_at_a_boundary_is_replicated_in_parts_only_above_the_threshold(
    arrived: Running, key: str
) -> None:
    in_parts = BOUNDARIES[key] > 5 * MIB
    assert asked(arrived, key)["CreateMultipartUpload"] == in_parts
    assert differences(arrived, key, in_one_piece=in_parts) == []


@pytest.mark.parametrize("key", ODD)
def test_a_key_that_no_answer_can_repeat_is_replicated_in_parts_and_with_one_upload(arrived: Running, key: str) -> None:
    assert differences(arrived, key, in_one_piece=True) == []
    assert asked(arrived, key)["CreateMultipartUpload"] == 1
    assert leftovers(arrived) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_the_etag_of_an_object_in_parts_is_kept_where_the_rule_asks_for_it(arrived: Running, shape: str) -> None:
    assert differences(arrived, shape, source="same-east") == []
    heads = [Side.of(arrived, name).s3.head_object(Bucket=name, Key=shape) for name in ("same-east", "same-west")]
    assert heads[0]["ETag"] == heads[1]["ETag"]


def test_a_large_object_in_one_piece_is_replicated_where_the_rule_asks_for_its_etag(arrived: Running) -> None:
    assert differences(arrived, "whole", source="same-east") == []


def test_several_functions_copy_one_large_object_with_one_request_per_part(arrived: Running) -> None:
    assert differences(arrived, "counted") == []
    counted = asked(arrived, "counted")
    assert (counted["CreateMultipartUpload"], counted["UploadPartCopy"], counted["CopyObject"]) == (1, 5, 0)
    assert 1 <= counted["CompleteMultipartUpload"] <= 3, "workers that end at once may all find it complete"
    assert any(row["operation"] == "SendMessageBatch" for row in arrived.get("requests"))


def test_no_function_ever_reads_or_writes_the_bytes_of_an_object(arrived: Running) -> None:
    """So what a function holds does not grow with the object."""
    read = [
        row for row in arrived.get("requests") if row["principal"] == "replicator" and row["operation"] == "GetObject"
    ]
    assert [row["key"] for row in read if not row["key"].startswith("rules/")] == []
    sent = {"PutObject", "UploadPart"}
    written = [row for row in arrived.get("requests") if row["principal"] == "replicator" and row["operation"] in sent]
    assert written == []


def test_large_objects_leave_no_upload_no_failure_and_nothing_that_waits(arrived: Running) -> None:
    assert leftovers(arrived) == []
    assert take_failures(arrived) == []
