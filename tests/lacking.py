"""What a machine lacks skips a test on a user's machine, and fails it on CI, where nothing real may be left out."""

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip the test, or fail it on CI. what: what is lacking, and how it is installed."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it: {what}", pytrace=False)
    pytest.skip(what)
