"""Runs the commands of a page of the documentation on an emulator: `aws`, as botocore knows its operations, and ours.

Each command names a profile, which stands for an account's user. `sam` is left out: the world is deployed already.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.model import Shape
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running

SERVICES = {"s3api": "s3"}
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, heading: str) -> list[str]:
    """Return the blocks of commands below a heading."""
    _, found, rest = page.read_text().partition(f"\n### {heading}\n")
    assert found, f"{page} has no heading {heading}"
    section = re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return BLOCK.findall(section)


@dataclass
class Shell:
    """A folder with files, and profiles: the accounts that they stand for."""

    aws: Running
    folder: Path
    profiles: Mapping[str, str]
    _written: bool = field(default=False)

    def run(self, block: str) -> None:
        """Run each line; a command that fails ends the test."""
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "s3replicator":
                self._ours(words[1:])
            elif words and words[0] == "aws":
                self._aws(words[1], words[2], dict(self._options(words[3:])))
            else:
                assert not words or words[0] == "sam", f"not known here: {line}"

    def _ours(self, words: list[str]) -> None:
        words, target = (words[:-2], words[-1]) if ">" in words else (words, "")
        done = CliRunner().invoke(app, words, env=self._environment())
        assert done.exit_code == 0, (words, done.output)
        if target:
            (self.folder / target).write_text(done.stdout)

    def _aws(self, service: str, command: str, options: dict[str, str]) -> None:
        account = self.profiles[options.pop("profile")]
        region = options.pop("region", "us-east-1")
        client = self.aws.client(SERVICES.get(service, service), region, account)
        method = command.replace("-", "_")
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
        members = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()}
        given = {members[name][0]: self._value(text, members[name][1]) for name, text in options.items()}
        getattr(client, method)(**given)

    def _value(self, text: str, shape: Shape) -> Any:
        if shape.type_name == "blob":
            return (self.folder / text).read_bytes()
        if text.startswith("file://"):
            text = (self.folder / text.removeprefix("file://")).read_text()
        return json.loads(text) if shape.type_name in {"structure", "list", "map"} else text

    @staticmethod
    def _options(words: list[str]) -> Iterator[tuple[str, str]]:
        for name, value in zip(words[::2], words[1::2], strict=True):
            yield name.removeprefix("--"), value

    def _environment(self) -> dict[str, str]:
        file = self.folder / "credentials"
        if not self._written:
            file.write_text("\n".join(self._sections()))
            self._written = True
        return {
            "AWS_SHARED_CREDENTIALS_FILE": str(file),
            "AWS_CONFIG_FILE": str(self.folder / "none"),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "COLUMNS": "200",
        }

    def _sections(self) -> Iterator[str]:
        for profile, account in self.profiles.items():
            key = self.aws.accounts[account]
            yield f"[{profile}]\naws_access_key_id = {key.access_key_id}"
            yield f"aws_secret_access_key = {key.secret_access_key}"
