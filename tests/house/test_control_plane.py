"""Every command has its permissions in one place, and the docstring of its folder names the same actions."""

import importlib
import re

import pytest
from s3replicator.main import app
from s3replicator.permissions import PERMISSIONS, actions

FOLDERS = ("explain", "failover", "failures", "grants", "jobs", "report", "resync", "rules", "status", "verify")


def commands() -> set[str]:
    """Return every command as it is typed."""
    alone = {each.name or each.callback.__name__ for each in app.registered_commands if each.callback}
    return alone | {
        f"{group.name} {each.name or each.callback.__name__}"
        for group in app.registered_groups
        if group.typer_instance
        for each in group.typer_instance.registered_commands
        if each.callback
    }


def test_every_command_has_its_permissions() -> None:
    assert commands() == set(PERMISSIONS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_docstring_of_a_folder_names_the_actions_of_its_commands(folder: str) -> None:
    docstring = importlib.import_module(f"s3replicator.{folder}").__doc__ or ""
    assert set(re.findall(r"[a-z0-9]+:[A-Z]\w+", docstring)) == set(actions(folder))
