"""Handlers as tasks that take turns: each call to a port parks its task until the scheduler lets it go on.

Greenlets make that possible with the product's own synchronous code, unchanged. A handler may have several tasks (its
records, their destinations); killing it ends them all at the call where each one stands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from greenlet import getcurrent, greenlet
from replicator.core.outcomes.release import Order

from tests.fakes.points import Call

T = TypeVar("T")


class Fault(Protocol):
    """What goes wrong with one call."""

    def apply(self, call: Call, effect: Callable[[], Any]) -> Any:
        """Let the call happen, or not, or half."""


class Observer(Protocol):
    """Sees every call that got through or failed."""

    def called(self, handler: "Handler", call: Call, result: object) -> None:
        """Note one call; `result` is what it returned or raised."""


@dataclass(slots=True, eq=False)
class Handler:
    """One run of a function, and what it did. `letters`: the messages it works on. `troubled`: a call of it failed.

    `timeout`: seconds. `probes`: a message of it tries a destination whose gate is shut. `killed`: it was.
    `leave`: makes its container idle again. `order`: the order that it carries out.
    """

    number: int
    stack: str
    began: float
    letters: tuple[str, ...] = ()
    tasks: list["Task"] = field(default_factory=list)
    error: Exception | None = None
    calls: list[Call] = field(default_factory=list)
    troubled: bool = False
    timeout: float = 120.0
    probes: bool = False
    killed: bool = False
    leave: Callable[[], object] = lambda: None
    order: Order | None = None

    @property
    def name(self) -> str:
        """Its name in the story."""
        return f"handler {self.number}"

    def forget(self, task: "Task") -> bool:
        """Drop a task that has ended; return whether it was the last one."""
        if task.dead and task in self.tasks:
            self.tasks.remove(task)
            self.error = task.raised  # the last one is the one that started all others
        return not self.tasks

    def kill(self) -> bool:
        """Kill it here and now; return whether it ended."""
        self.killed = True
        for task in self.tasks:
            task.throw()
        self.tasks = [task for task in self.tasks if not task.dead]
        self.error = None
        return not self.tasks


class Task(greenlet):
    """One thread of a handler. `waiting`: for that many tasks of its own to end."""

    def __init__(self, handler: Handler, work: Callable[[], object], scheduler: greenlet) -> None:
        super().__init__(self._live, scheduler)
        self.handler = handler
        self.waiting = 0
        self.call: Call | None = None
        self.result: object = None
        self.raised: Exception | None = None
        self._work = work
        handler.tasks.append(self)

    def _live(self, _fault: Fault | None = None) -> None:
        try:
            self.result = self._work()
        except Exception as error:
            self.raised = error


class Turns:
    """The points of a simulation, and its way to run tasks side by side. Lives in the scheduler's greenlet."""

    def __init__(self, observer: Observer) -> None:
        self._scheduler = getcurrent()
        self._observer = observer

    def start(self, handler: Handler, work: Callable[[], object]) -> Task:
        """Begin a handler; it does nothing before its first turn."""
        return Task(handler, work, self._scheduler)

    def call(self, call: Call, effect: Callable[[], T]) -> T:
        """Park the running task; go on with the fault that the scheduler hands over."""
        task = getcurrent()
        if not isinstance(task, Task):
            return effect()
        task.call = call
        fault: Fault | None = self._scheduler.switch()
        task.call = None
        task.handler.calls.append(call)
        try:
            result: T = effect() if fault is None else fault.apply(call, effect)
        except Exception as error:
            self._observer.called(task.handler, call, error)
            raise
        self._observer.called(task.handler, call, result)
        return result

    def side_by_side(self, tasks: Sequence[Callable[[], T]], /) -> list[T]:
        """Run tasks of the running handler, interleaved call by call."""
        parent = getcurrent()
        if len(tasks) <= 1 or not isinstance(parent, Task):
            return [task() for task in tasks]
        children = [Task(parent.handler, self._counted(task, parent), self._scheduler) for task in tasks]
        parent.waiting = len(children)
        self._scheduler.switch()
        for child in children:
            if child.raised:
                raise child.raised
        return [child.result for child in children]  # type: ignore[misc]

    @staticmethod
    def _counted(work: Callable[[], T], parent: Task) -> Callable[[], T]:
        def run() -> T:
            try:
                return work()
            finally:
                parent.waiting -= 1

        return run


@dataclass(slots=True)
class Started(Generic[T]):
    """A task that was started; it runs while somebody waits for it, which is at once."""

    task: Callable[[], T]
    results: list[T] = field(default_factory=list)

    def run(self) -> None:
        self.results.append(self.task())

    def done(self) -> bool:
        return bool(self.results)

    def result(self) -> T:
        return self.results[0]


@dataclass(frozen=True, slots=True)
class TurnThreads:
    """The port Threads: what is waited for together runs side by side, and is waited for until it ends."""

    turns: Turns

    def start(self, task: Callable[[], T], /) -> Started[T]:
        return Started(task)

    def wait(self, running: Sequence[Any], _until: int, /) -> None:
        self.turns.side_by_side([each.run for each in running if not each.done()])
