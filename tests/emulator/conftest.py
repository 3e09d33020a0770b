"""What most tests of the emulator's S3 begin with: a server for their module, a client, and a bucket for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running
from tests.emulator.later import Place
from tests.emulator.plain import Plain, serving


@pytest.fixture(scope="module")
def aws() -> Iterator[Plain]:
    with serving() as plain:
        yield plain


@pytest.fixture(scope="module")
def s3(aws: Plain) -> Any:
    return aws.client()


@pytest.fixture
def bucket(aws: Plain) -> str:
    return aws.bucket()


@pytest.fixture
def with_acls(aws: Plain) -> str:
    return aws.bucket(ObjectOwnership="ObjectWriter")


@pytest.fixture
def east(emulator: Running) -> Place:
    """Return the bucket of this name in a module's own world, as its users have it."""
    return Place.at(emulator, "east")


@pytest.fixture
def west(emulator: Running) -> Place:
    """Return the bucket of this name in a module's own world, as its users have it."""
    return Place.at(emulator, "west")
