"""Who moves next: a user, a message, or one of the handlers at work; and what goes wrong with that move.

One history ends when nothing can move any more. Everything that could differ between two runs is a choice, so a seed,
or a list of choices, is one history.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import inf

from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.events import Record, parse
from replicator.flows.change.consume import Consumer, Message, consume
from replicator.flows.change.deadline import TimeLimit
from replicator.flows.watch.parked import LOOK_AGAIN

from tests.fakes.points import Call
from tests.fakes.queue import MemoryQueue, QueuedMessage
from tests.simulation.choices import Choices
from tests.simulation.faults import Fail, Kill, draw_fault
from tests.simulation.history import History
from tests.simulation.large import look_after, work
from tests.simulation.mood import Mood, draw_mood
from tests.simulation.parked import MONITOR_TIMEOUT, RELEASE_TIMEOUT, small_gates
from tests.simulation.parking_promises import of_message
from tests.simulation.promises import at_rest, of_delivery
from tests.simulation.setting import Setting
from tests.simulation.shrink import Played
from tests.simulation.stacks import Stack
from tests.simulation.turns import Handler, Task

STEPS_PER_ACT = 3000
STEPS_PER_MINUTE = 300
MOST_RECEIVES = 200  # the template's maxReceiveCount
PATIENT_FROM = 20
"""Receives after which the impatient become patient."""
TIMEOUT = 120.0  # seconds: that of the replicate function
MOST_REDRIVES = 3
NO_LIMIT = TimeLimit(0, 10**18)  # handlers end by themselves, or are killed
STEP, DELIVER, ACT, REPLICATE, MINUTE, ORDER, WAIT = range(7)
LONGEST_REST = 4 * 3600
"""Seconds for which only the monitor may run. Time leaps meanwhile, so that it may not look behind quiet gates: then it
runs in a minute in which it does, for as long again."""


@dataclass(frozen=True, slots=True)
class Ended(Played):
    """The result of one history.

    calls: requests that handlers made. receives: how often the most stubborn message came. lines: its story, if wanted.
    """

    calls: int
    receives: int
    lines: Sequence[str]


@dataclass(slots=True)
class Scheduler:
    """Plays one history.

    acts: what users may still do. twins: how many messages may still be handed out twice. left: mishaps that may still
    happen. last: the task that made the last step. moved: when anything but the monitor began to run.
    """

    history: History
    choices: Choices
    mood: Mood
    acts: int
    twins: int
    left: int
    last: Task | None = None
    redrives: int = 0
    moved: float = 0.0
    handlers: list[Handler] = field(default_factory=list)
    in_work: Counter[tuple[str, str]] = field(default_factory=Counter)

    def play(self) -> None:
        """Run to the end, or to the first violation."""
        violations = self.history.watch.violations
        if self.history.aspects:
            self.history.aspects.running = lambda: frozenset(handler.number for handler in self.handlers)
        for _ in range(self._most_steps()):
            self.choices.begin_move()
            self._pass_time(self.choices.one_of(self.mood.pace))
            if not self._move() or violations:
                break
        else:
            violations.append("it is still moving")
        if not violations:
            self.history.s3.clock.advance(20 * 60)
            for stack in self._stacks:
                look_after(stack.consumer.services)
            violations += at_rest(self.history)
        for handler in self.handlers:
            handler.kill()

    def _most_steps(self) -> int:
        weather = self.history.weather
        minutes = (weather.clears - self.history.s3.clock.now) / 60 if weather else 0
        return STEPS_PER_ACT * self.mood.acts + round(STEPS_PER_MINUTE * minutes)

    def _pass_time(self, seconds: float) -> None:
        """Let time pass, but no more than a function may run."""
        clock = self.history.s3.clock
        if self.handlers:
            latest = min(handler.began + handler.timeout for handler in self.handlers)
            seconds = max(0.0, min(seconds, latest - clock.now))
        clock.advance(seconds)

    def _move(self) -> bool:
        """Let one thing happen; return False if nothing can."""
        parked = [task for handler in self.handlers for task in handler.tasks if not task.waiting]
        may_deliver = len(self.handlers) < self.history.setting.concurrency and any(self._receivable())
        mood = self.mood
        moves = [STEP] * (mood.steps if parked else 0) + [DELIVER] * (mood.delivers if may_deliver else 0)
        moves += [ACT] * (mood.eager if self.acts and self._may_act() else 0)
        natives = [native for native in self.history.natives if native.waiting]
        moves += [REPLICATE] * (mood.delivers if natives else 0)
        minutes, ordered = self._minutes(), [stack for stack in self._stacks if stack.parked.orders.waiting]
        moves += [MINUTE] * (mood.delivers if minutes else 0) + [ORDER] * (mood.delivers if ordered else 0)
        moves += [WAIT] * (mood.waits if moves and not self.handlers else 0)
        if not moves:
            return self._wait() or self._redrive()
        move = self.choices.one_of(moves)
        if move == STEP:
            self._step(self._next(parked))
        elif move == DELIVER:
            self._deliver(*self.choices.one_of(list(self._receivable())))
        elif move == REPLICATE:
            native = self.choices.one_of(natives)
            native.run_one(self.choices.below(len(native.waiting)))
        elif move == MINUTE:
            self._run_monitor(self.choices.one_of(minutes))
        elif move == ORDER:
            self._carry_out(self.choices.one_of(ordered))
        elif move == WAIT:
            self._wait()
        else:
            self.acts -= 1
            self.history.users.act()
        return True

    def _may_act(self) -> bool:
        """Return whether users act now: calm ones wait until nothing is under way."""
        busy = bool(self.handlers) or any(stack.queue.messages or stack.journal.waiting for stack in self._stacks)
        return not (self.history.setting.calm and busy)

    # Messages

    def _receivable(self) -> Iterator[tuple[Stack, QueuedMessage]]:
        """Return what may be received: what is visible, or for the impatient, all that nobody works on."""
        latest = self.history.s3.clock.now if self.mood.patient else inf
        for stack in self._stacks:
            for queue in (stack.queue, stack.parts):
                for letter in queue.messages.values():
                    # Whoever waits for a lease waits as long as SQS lets it.
                    by = self.history.s3.clock.now if letter.receives > PATIENT_FROM else latest
                    if letter.visible <= by and not self.in_work[stack.bucket, letter.id]:
                        yield stack, letter

    def _batch(self) -> int:
        """Choose how many messages a function gets; mostly one."""
        return 1 if self.choices.below(2) else 1 + self.choices.below(self.history.setting.batch)

    def _deliver(self, stack: Stack, letter: QueuedMessage) -> None:
        """Start a function on a message, and perhaps on others that are there."""
        batch, self.moved = [letter], self.history.s3.clock.now
        queue = stack.parts if letter.id in stack.parts.messages else stack.queue
        if self.twins and self.choices.chance(20):
            self._leave_twin(stack, queue, letter)
        if queue is stack.queue:  # workers take one message each
            others = [other for its, other in self._receivable() if its is stack]
            others = [other for other in others if other.id in queue.messages]
            batch += [other for other in others[: self._batch() - 1] if other is not letter]
        messages = [queue.receive(one) for one in batch]
        handler = self._begin(stack, TIMEOUT, *(message.id for message in messages))
        handler.probes = any(message.probe for message in messages)
        for message in messages:
            self.history.tell(handler.name, f"of {stack.bucket} gets {in_short(message)}")
            self.history.watch.receives = max(self.history.watch.receives, message.receive_count)
            self.history.watch.violations += of_message(self.history, stack, message)
            if message.receive_count > MOST_RECEIVES:
                self.history.watch.violations.append(f"message {message.id} came {message.receive_count} times")
        self.in_work.update((stack.bucket, message.id) for message in messages)
        container = stack.take_container(queue, self.choices)
        handler.leave = partial(stack.put_back, queue.name, container)
        self.history.turns.start(handler, partial(self._work, queue, container, messages))

    def _begin(self, stack: Stack, timeout: float, *letters: str) -> Handler:
        self.history.watch.handlers += 1
        handler = Handler(
            self.history.watch.handlers, stack.bucket, self.history.s3.clock.now, letters, timeout=timeout
        )
        self.handlers.append(handler)
        return handler

    def _leave_twin(self, stack: Stack, queue: MemoryQueue, letter: QueuedMessage) -> None:
        """Let SQS keep a copy where the deletion does not reach it: it will be handed out as well."""
        self.twins -= 1
        self.history.luck.extra += 1
        twin = queue.send(letter.body)
        queue.messages[twin.id] = twin = replace(letter, id=twin.id, visible=twin.visible)
        if letter.id in stack.subjects:
            stack.subjects[twin.id] = stack.subjects[letter.id]

    def _work(self, queue: MemoryQueue, container: Consumer, messages: list[Message]) -> None:
        if queue.name == "parts":
            failed = work(messages, container, self.choices)
        else:
            failed = consume(messages, container, NO_LIMIT)
        done = [message.id for message in messages if message.id not in failed]
        call = Call("ACKNOWLEDGE", "queue", queue.name, " ".join(done))
        with suppress(Temporary, Permanent):  # SQS hands them out again
            self.history.turns.call(call, lambda: queue.delete(done))

    # What is parked

    @property
    def _stacks(self) -> Collection[Stack]:
        return self.history.deployed

    def _minutes(self) -> list[Stack]:
        """Return the stacks whose monitor is due, and has anything to look at."""
        now = self.history.s3.clock.now
        return [stack for stack in self._stacks if stack.parked.minute <= now and stack.parked.gates.gates]

    def _run_monitor(self, stack: Stack) -> None:
        """Start the monitor; sometimes EventBridge invokes it twice."""
        stack.parked.begin_minute()
        for _ in range(1 + self.choices.chance(10)):
            handler = self._begin(stack, MONITOR_TIMEOUT)
            self.history.tell(handler.name, f"of {stack.bucket} is the monitor")
            self.history.turns.start(handler, stack.parked.run_monitor)

    def _carry_out(self, stack: Stack) -> None:
        """Start a function on an order. SQS may deliver it again, and it may expire before."""
        waiting = stack.parked.orders.waiting
        order = waiting.pop(self.choices.below(len(waiting)) if len(waiting) > 1 else 0)
        if self.choices.chance(3):
            self.history.tell("SQS", "forgets an order")
            return
        if self.choices.chance(5):
            self.history.luck.extra += 1
            waiting.append(order)
        handler = self._begin(stack, RELEASE_TIMEOUT)
        self.history.tell(handler.name, f"of {stack.bucket} carries out {order}")
        handler.order = order
        self.history.turns.start(handler, partial(stack.parked.carry_out, order))

    # Handlers

    def _next(self, parked: list[Task]) -> Task:
        if self.last in parked and self.mood.sticky and self.choices.chance(self.mood.sticky):
            return self.last
        self.last = self.choices.one_of(parked)
        return self.last

    def _step(self, task: Task) -> None:
        """Let one handler go on to its next call, or to its end."""
        handler, fault = task.handler, self._bad_weather(task)
        if self.left and task.call and self.choices.chance(self.mood.misfortune.percent):
            fault = draw_fault(self.mood.misfortune.kinds, task.call, self.choices)
            if fault:
                self.left -= 1
                self.history.luck.mishaps += 1
        handler.troubled = handler.troubled or fault is not None
        if isinstance(fault, Kill):
            self._kill(handler, task)
        else:
            task.switch(fault)
        if handler.forget(task):
            self._end(handler)

    def _bad_weather(self, task: Task) -> Fail | Kill | None:
        weather = self.history.weather
        if weather is None or task.call is None:
            return None
        return weather.fault(task.call, self.history.s3.clock.now, self.choices)

    def _kill(self, handler: Handler, task: Task) -> None:
        self.history.tell(handler.name, f"is killed before {task.call}")
        if not handler.kill():
            self.history.watch.violations.append(f"{handler.name} went on after it was killed")

    def _end(self, handler: Handler) -> None:
        """Check what one run did, now that it is over."""
        self.handlers.remove(handler)
        self.in_work.subtract((handler.stack, letter) for letter in handler.letters)
        violations = self.history.watch.violations
        errors = [handler.error] if handler.error else []
        errors += self.history.stacks[handler.stack].log.errors
        violations += [f"{handler.name} raised {type(error).__name__}: {error}" for error in errors]
        if handler.letters:
            violations += of_delivery(self.history, handler)
            if self.history.parking:
                self.history.parking.ended(handler)
            if not handler.killed:
                handler.leave()

    # The end

    def _wait(self) -> bool:
        """Let time pass until a hidden message comes back, or the monitor runs; return False if neither does."""
        queues = [queue for stack in self._stacks for queue in (stack.queue, stack.parts)]
        hidden = [letter.visible for queue in queues for letter in queue.messages.values()]
        awaited = [stack for stack in self._stacks if stack.parked.is_awaited]
        clock, weather = self.history.s3.clock, self.history.weather
        rest = clock.now - max(self.moved, weather.clears if weather else 0)
        if not hidden and (not awaited or rest > 2 * LONGEST_REST):
            return False
        if not hidden and rest > LONGEST_REST:
            self._look_behind_gates(awaited)
        else:
            clock.now = max(clock.now, min((*hidden, *(stack.parked.minute for stack in awaited))))
        return True

    def _look_behind_gates(self, stacks: Sequence[Stack]) -> None:
        """Let the monitors run in the next minute in which they look behind all gates, quiet ones too."""
        clock, every = self.history.s3.clock, LOOK_AGAIN * 60
        clock.now = (clock.now // every + 1) * every
        for stack in stacks:
            self._run_monitor(stack)

    def _redrive(self) -> bool:
        """Once everything rests, an operator has repaired what was denied, and puts failures back."""
        self.left = 0
        if self.history.weather:
            clock = self.history.s3.clock
            clock.now = max(clock.now, self.history.weather.clears)
        self.redrives += 1
        if self.redrives > MOST_REDRIVES:
            return False
        if self.history.setting.unheard and self.redrives == 1:
            for bucket, key in product(self.history.setting.sources, self.history.setting.keys):
                self.history.ask(bucket, key, Wish.RESTORE if self.history.setting.restores else Wish.EXISTING)
            return True
        redriven = [stack.queue.redrive() for stack in self._stacks]
        if any(redriven):
            self.history.tell("operator", "redrives the dead-letter queues")
        return any(redriven)


def in_short(message: Message) -> str:
    """Name a message by the change in it."""
    record, *more = parse(message.body)
    change = record.change if isinstance(record, Record) else Change(ChangeKind.UNKNOWN, "", "")
    again = f", for the {message.receive_count}. time" if message.receive_count > 1 else ""
    redriven = ", redriven" if message.redriven else ""
    if more:
        return f"{1 + len(more)} records of {change.key}{again}"
    if message.id.startswith("parts"):
        parts = json.loads(message.body)["copyParts"]
        return f"part {parts['number']} of {parts['parts']} of {change.key} {change.version_id}{again}"
    return f"{change.name} {change.key} {change.version_id}{again}{redriven}"


def play(setting: Setting, choices: Choices, *, told: bool = False) -> Ended:
    """Play one history."""
    history = History(setting, choices, told)
    mood = draw_mood(setting, choices)
    history.luck.duplicates = mood.duplicates
    with small_gates() if setting.outage else nullcontext():
        Scheduler(history, choices, mood, mood.acts, mood.twins, mood.misfortune.left).play()
    story = history.watch.story
    if story:
        for key in setting.keys:
            story.show(history.s3, key)
    lines = tuple(story.lines) if story else ()
    watch = history.watch
    return Ended(tuple(watch.violations), tuple(choices.made), choices.moves, watch.calls, watch.receives, lines)
