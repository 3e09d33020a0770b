"""What one way of copying takes on the emulator: time, CPU, memory and requests. Shared by several benchmarks.

The emulator is this process, and its CPU is told apart. Whoever copies is a child of it: a command, or functions.
"""

import os
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from typing import Any

from emulator.running import Running

_WATCHED_EVERY = 0.1


@dataclass(slots=True)
class Spent:
    """One way of copying. seconds: from start to end. cpu, served: seconds of whoever copies, and of the server.

    requests: by operation. peak_bytes: of the largest process that copied.
    """

    name: str
    seconds: float = 0.0
    cpu: float = 0.0
    served: float = 0.0
    peak_bytes: int = 0
    requests: Counter[str] = field(default_factory=Counter)

    def per(self, objects: int) -> dict[str, Any]:
        """Return the figures for one object: CPU in milliseconds, requests by number and by operation."""
        return {
            "seconds": round(self.seconds, 2),
            "objects_per_second": round(objects / self.seconds, 1),
            "cpu_ms": round(1000 * self.cpu / objects, 2),
            "server_cpu_ms": round(1000 * self.served / objects, 2),
            "requests": round(self.requests.total() / objects, 3),
            "by_operation": {name: round(count / objects, 3) for name, count in self.requests.most_common()},
            "peak_mb": round(self.peak_bytes / 1e6, 1),
        }


def requests(aws: Running) -> Counter[str]:
    """Return the requests since they were last forgotten, by operation."""
    return Counter(each["operation"] for each in aws.get("/requests"))


@contextmanager
def measuring(name: str, aws: Running, keep: Callable[[Spent], object]) -> Iterator[Spent]:
    """Measure what is done in the block. Memory is that of functions; `call` notes that of a command."""
    aws.delete("/requests")
    spent = Spent(name)
    began, cpu, served = time.monotonic(), cpu_of_children(), time.process_time()
    yield spent
    spent.seconds, spent.cpu = time.monotonic() - began, cpu_of_children() - cpu
    spent.served = time.process_time() - served
    spent.requests = requests(aws)
    spent.peak_bytes = spent.peak_bytes or peak_of_children()
    keep(spent)


def _family() -> dict[int, int]:
    """Return the processes below this one: their ids, and their CPU time in clock ticks."""
    found: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            found[int(path.name)] = int(fields[1]), sum(map(int, fields[11:15]))  # with children that it waited for
    family = {os.getpid()}
    while more := {pid for pid, (parent, _) in found.items() if parent in family} - family:
        family |= more
    return {pid: found[pid][1] for pid in family if pid != os.getpid()}


def cpu_of_children() -> float:
    """Return the CPU seconds of processes that have ended, and of those that run: functions, and who forks them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime + sum(_family().values()) / os.sysconf("SC_CLK_TCK")


def peak_of_children() -> int:
    """Return the most bytes of memory that a process below this one has had."""
    return max((_memory(pid, "VmHWM") for pid in _family()), default=0)


def resident_of_children() -> int:
    """Return the bytes of memory that the largest process below this one has now."""
    return max((_memory(pid, "VmRSS") for pid in _family()), default=0)


def _memory(pid: int, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def surroundings(aws: Running) -> dict[str, str]:
    """Return an environment that points commands at the emulator, without anybody's own settings of AWS."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**mine, **aws.environment()}


def call(command: Sequence[str], environment: Mapping[str, str], spent: Spent | None = None) -> str:
    """Run a command, note its memory, and return what it printed. Raises RuntimeError with its errors."""
    with Popen(command, env=environment, stdout=PIPE, stderr=PIPE, text=True) as process:
        while True:
            if spent is not None:
                spent.peak_bytes = max(spent.peak_bytes, _memory(process.pid, "VmHWM"))
            with suppress(TimeoutExpired):
                output, errors = process.communicate(timeout=_WATCHED_EVERY)
                break
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}: {errors[-2000:]}")
    return output
