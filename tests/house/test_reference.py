"""The generated pages of docs/reference are what their sources say."""

import pytest

from tools.reference import FOLDER, PAGES, page


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    path = FOLDER / name
    assert path.is_file(), f"docs/reference/{name} is missing; run `make docs`"
    assert path.read_text(encoding="utf-8") == page(name), f"docs/reference/{name} is out of date; run `make docs`"


def test_no_page_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES), "only generated pages belong in docs/reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_depends_neither_on_the_terminal_nor_on_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    before = page(name)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    for variable, value in {"COLUMNS": "20", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(variable, value)
    assert page(name) == before
