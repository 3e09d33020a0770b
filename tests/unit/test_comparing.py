"""A replica beside the copy that would be written now: what counts as a difference, and what cannot be told."""

from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.copy import Copy
from replicator.core.verifying.comparing import compare
from replicator.core.versions.origin import MARK, Origin
from replicator.core.versions.version import Checksum, Encryption, Head, Lock

KEY = "arn:aws:kms:us-west-2:123456789012:key/1234"
SOURCE = Head("v1", '"e"', 7, 1, metadata={"a": "b"}, encryption=Encryption("AES256"))
REPLICA = replace(SOURCE, version_id="r1", metadata={"a": "b", MARK: "east/v1/1/2/00000000"})
COPY = Copy(
    "east", "k", "v1", '"e"', 7, Origin("east", "v1", 1), {"a": "b", MARK: "another"}, {}, {}, "STANDARD",
    Encryption("AES256"), Lock(), None,
)  # fmt: skip


def kinds(source: dict[str, Any], replica: dict[str, Any], copy: dict[str, Any] | None = None) -> list[str]:
    here, there = replace(SOURCE, **source), replace(REPLICA, **replica)
    return [str(kind) for kind, _ in compare(replace(COPY, **copy or {}), here, there, named_class=False)]


def checksum(value: str, algorithm: str = "CRC64NVME", *, full: bool = True) -> dict[str, Checksum]:
    return {"checksum": Checksum(algorithm, value, full)}


def kms(key: str = "", algorithm: str = "aws:kms") -> dict[str, Encryption]:
    return {"encryption": Encryption(algorithm, key)}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "nothing": ({}, {}, []),
    "size": ({}, {"size": 8}, ["content"]),
    "the same checksum, another ETag": (checksum("x"), {**checksum("x"), "etag": '"f"'}, []),
    "another checksum, the same ETag": (checksum("x"), checksum("y"), ["content"]),
    "checksums of two algorithms": (checksum("x"), checksum("y", "SHA256"), []),
    "composite checksums": (checksum("x", full=False), checksum("y", full=False), []),
    "another ETag": ({}, {"etag": '"f"'}, ["content"]),
    "another ETag of an upload in parts": ({"etag": '"e-2"'}, {"etag": '"f"'}, []),
    "another ETag under KMS": (kms(KEY), {"etag": '"f"', **kms(KEY)}, ["encryption"]),
    "metadata": ({}, {"metadata": {"a": "c"}}, ["metadata"]),
    "metadata that no HEAD shows": ({"unseen_metadata": 1}, {"metadata": {}}, []),
    "headers": ({}, {"headers": {"ContentType": "text/html"}}, ["metadata"]),
}


@pytest.mark.parametrize(("source", "replica", "found"), CASES.values(), ids=CASES)
def test_only_what_can_be_compared_differs(source: dict[str, Any], replica: dict[str, Any], found: list[str]) -> None:
    assert kinds(source, replica) == found


ENCRYPTION: dict[str, tuple[Encryption, Encryption, bool]] = {
    "none is as AES256": (Encryption(), Encryption("AES256"), False),
    "not encrypted as the rule says": (Encryption("aws:kms", KEY), Encryption("AES256"), True),
    "the key by its id": (Encryption("aws:kms", "1234"), Encryption("aws:kms", KEY), False),
    "another key": (Encryption("aws:kms", "4321"), Encryption("aws:kms", KEY), True),
    "an alias names any key": (Encryption("aws:kms", "alias/mine"), Encryption("aws:kms", KEY), False),
    "the destination's own key": (Encryption("aws:kms"), Encryption("aws:kms", KEY), False),
    "two layers": (Encryption("aws:kms:dsse", KEY), Encryption("aws:kms", KEY), True),
}


@pytest.mark.parametrize(("wanted", "found", "differs"), ENCRYPTION.values(), ids=ENCRYPTION)
def test_encryption_is_compared_with_what_the_rule_asks_for(
    wanted: Encryption, found: Encryption, differs: bool
) -> None:
    same_bytes = checksum("x")
    copy = {"encryption": wanted}
    assert kinds(same_bytes, {"encryption": found, **same_bytes}, copy) == (["encryption"] if differs else [])


def test_nothing_of_the_values_of_metadata_is_told() -> None:
    secret = replace(REPLICA, metadata={"a": "secret"})
    assert [detail for _, detail in compare(COPY, SOURCE, secret, named_class=False)] == ["user metadata: a"]
