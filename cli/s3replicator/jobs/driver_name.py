"""Who drives a job, as other operators read it: user, machine and process.

Separate because it asks the operating system. A driver that was killed is recognised on its own machine at once;
elsewhere its lease has to end.
"""

import getpass
import os
import re
import socket
from dataclasses import replace

from s3replicator.jobs.job import Job

_NAME = re.compile(r".+@(?P<host>.+) \(process (?P<process>\d+)\)")


def own_name() -> str:
    """Return the name of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "operator"
    return f"{user}@{socket.gethostname()} (process {os.getpid()})"


def without_dead_driver(job: Job) -> Job:
    """Return the job without its driver, if that was a process of this machine that is gone."""
    found = _NAME.fullmatch(job.driver.name) if job.driver else None
    if not found or found["host"] != socket.gethostname() or _is_running(int(found["process"])):
        return job
    return replace(job, driver=None)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
