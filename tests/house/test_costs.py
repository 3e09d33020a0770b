"""README quotes what the cost model computes."""

from pathlib import Path

from benchmarks import costs

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_readme_quotes_the_tables_of_the_model() -> None:
    assert [table for table in costs.tables() if table not in README] == []
    assert costs.PRICED in README
