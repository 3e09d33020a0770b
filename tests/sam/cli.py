"""SAM CLI as these tests run it: without telemetry, update checks or anybody's AWS configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.sam import base_image

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
LONGEST = 300
"""Seconds after which a command counts as hung."""
# Kept: where certificates are. Not kept: credentials and Region.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "DOCKER_HOST", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class Sam:
    """The command, with a folder of its own for what SAM CLI remembers."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Run a command of SAM CLI; its output is printed when it fails."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("sam")), *arguments],
            check=False, cwd=cwd, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=LONGEST,
        )  # fmt: skip
        assert done.returncode == 0, f"sam {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done

    def _environment(self) -> dict[str, str]:
        self.folder.mkdir(exist_ok=True)
        # Says that SAM CLI has just looked for an update, so that it does not look now.
        (self.folder / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}))
        kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("PIP_")}
        return kept | {
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(self.folder),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            **self.environment,
        }


def architecture() -> str:
    """Return the parameter that builds for this machine."""
    return f"Architecture={base_image.architecture()}"
