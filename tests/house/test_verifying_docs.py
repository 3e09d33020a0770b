"""Every kind of difference says what it means and what to do, on the page and in the command."""

import re
from pathlib import Path

from replicator.core.verifying.differences import Kind
from s3replicator.verify.kinds import ADVICE, MEANING

PAGE = Path(__file__).parents[2] / "docs" / "verify.md"


def test_every_kind_has_a_meaning_and_advice() -> None:
    assert set(MEANING) == set(ADVICE) == set(Kind)


def test_every_kind_is_in_the_table_of_the_page() -> None:
    rows = "".join(line for line in PAGE.read_text().splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z-]+)`", rows.replace("`--deep`", "").replace("`--repair`", ""))) >= set(
        map(str, Kind)
    )
