"""The page on other accounts says of each statement what it is for, and what is seen without it, as `grants` does."""

import re
from pathlib import Path

from s3replicator.grants.needs import ALL

ROOT = Path(__file__).parents[2]


def test_the_page_has_a_row_for_each_statement_with_the_words_of_the_command() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", (ROOT / "docs" / "accounts.md").read_text(), re.MULTILINE)
    assert rows == [(need.sid, need.why, need.without) for need in ALL]
