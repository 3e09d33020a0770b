"""What CONTRIBUTING.md names is there: whoever joins follows it to the letter."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
CODE = re.findall(r"`([^`\n]+)`", PAGE)
BLOCKS = re.findall(r"^    (.+)$", PAGE, re.MULTILINE)


def test_every_path_is_there() -> None:
    commands = [word for text in (*CODE, *BLOCKS) for word in text.split() if "=" not in word]
    paths = {
        word.rstrip("/")
        for word in commands
        if re.fullmatch(r"\.?[\w.-]+(/[\w.-]*)+|[\w-]+\.(py|md|txt|toml|yaml)", word)
    }
    assert {"functions/replicator/settings.py", "template.yaml"} <= paths
    made = (".venv", ".cache")
    assert sorted(path for path in paths if not path.startswith(made) and not (ROOT / path).exists()) == []


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_every_target_can_be_made() -> None:
    named = {found for text in (*CODE, *BLOCKS) for found in re.findall(r"\bmake ([a-z][a-z-]*)", text)}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"quick", "test"} <= named
    assert sorted(named - targets) == []


def test_every_target_that_tests_has_its_time() -> None:
    targets = {"check", "quick", "pytest", "coverage", "test", "test-shipped", "simulate", "mutations"}
    assert sorted(target for target in targets if not re.search(rf"^\| `make {target}\b", PAGE, re.MULTILINE)) == []
