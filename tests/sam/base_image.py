"""Makes the image that `sam local invoke` runs functions in, where no registry can be reached.

Amazon's image is Amazon Linux with Python, the runtime interface client and a bootstrap. This one is Debian with
the same three things, under the name that SAM CLI looks for; boto3 is left out, so that only what the build
vendored can be imported. If the registry can be reached, pull Amazon's image instead; then this one is not made.
Run as root: `python -m tests.sam.base_image`.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHON = "3.13"
SUITE = "trixie"
"""The Debian release whose `python3` is 3.13."""
RUNTIME_CLIENT = ("awslambdaric==4.2.2", "simplejson==4.3.0", "snapshot-restore-py==1.0.0")
CACHE = Path(__file__).parents[2] / ".cache" / "lambda-base"
# As apt names the machine, as Lambda does, as Python wheels do.
MACHINES = {"x86_64": ("amd64", "x86_64", "x86_64"), "aarch64": ("arm64", "arm64", "aarch64")}
BOOTSTRAP = """#!/bin/sh
export PYTHONPATH=/var/task:/opt/python:/var/runtime
exec python3 -m awslambdaric "$_HANDLER"
"""
BULK = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")


def architecture() -> str:
    """Name this machine's architecture as the template's `Architecture` parameter does."""
    return MACHINES[platform.machine()][1]


def image_name() -> str:
    """Return the name under which SAM CLI looks for the image."""
    return f"public.ecr.aws/lambda/python:{PYTHON}-{architecture()}"


def is_present() -> bool:
    """Return whether the engine has the image already, Amazon's or ours."""
    return (
        subprocess.run(["docker", "image", "inspect", image_name()], check=False, capture_output=True).returncode == 0
    )


def what_is_missing() -> str | None:
    """Return why the image cannot be made here, and what to do; None if it can."""
    if is_present() or _archive().exists():
        return None
    if shutil.which("debootstrap") is None:
        return f"debootstrap is not installed (apt-get install debootstrap); or: docker pull {image_name()}"
    if os.geteuid() != 0:
        return f"only root can make it (sudo python -m tests.sam.base_image); or: docker pull {image_name()}"
    return None


def ensure() -> None:
    """Load the image into the engine, from the cache if it was made here before; it takes half a minute to make."""
    if is_present():
        return
    if not _archive().exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="root-") as folder:
            _install_debian(Path(folder))
            _install_runtime(Path(folder))
            _pack(Path(folder))
    _run(
        *("docker", "import", "--change", "WORKDIR /var/task", "--change", "ENV LANG=C.UTF-8 TZ=:/etc/localtime"),
        *(str(_archive()), image_name()),
    )


def _archive() -> Path:
    return CACHE / f"python-{PYTHON}-{architecture()}.tar"


def _install_debian(root: Path) -> None:
    machine = MACHINES[platform.machine()][0]
    mirror = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
    _run("debootstrap", "--variant=minbase", f"--arch={machine}", "--include=python3,ca-certificates", SUITE,
         str(root), mirror)  # fmt: skip
    for folder in BULK:
        shutil.rmtree(root / folder, ignore_errors=True)


def _install_runtime(root: Path) -> None:
    runtime = root / "var" / "runtime"
    wheels = f"manylinux2014_{MACHINES[platform.machine()][2]}"
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(runtime), "--only-binary",
         ":all:", "--implementation", "cp", "--python-version", PYTHON, "--platform", wheels,
         *RUNTIME_CLIENT)  # fmt: skip
    bootstrap = runtime / "bootstrap"
    bootstrap.write_text(BOOTSTRAP)
    bootstrap.chmod(0o755)
    (root / "var" / "task").mkdir()


def _pack(root: Path) -> None:
    """Pack under another name first, so that an interrupted run leaves no half of an archive."""
    half = _archive().with_suffix(".half")
    root.chmod(0o755)
    _run("tar", "--create", "--file", str(half), "--directory", str(root), ".")
    half.rename(_archive())


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise SystemExit(f"{command[0]} failed with status {done.returncode}")


if __name__ == "__main__":
    missing = what_is_missing()
    if missing:
        sys.exit(f"The image {image_name()} cannot be made here: {missing}")
    ensure()
    sys.stdout.write(f"{image_name()}\n")
