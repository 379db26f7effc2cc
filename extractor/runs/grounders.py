"""Grounding beside the event loop: in processes of their own, so that replies are taken and questions sent meanwhile.

They are started once a run has begun so many documents that it is a long one (the first replies are still under way then),
and asked for as much as they keep up with; the rest is grounded here. A document over which two of them die fails alone.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from extractor.errors import ExtractorError
from extractor.models import Usage
from extractor.pipeline import Asked, ground_document
from extractor.runs.finished import Finished, finished
from extractor.runs.grounding_worker import LENGTH, LENGTHS, Parts, written
from extractor.task import Task

# Documents that are begun before another process is worth its start.
WARM = 64
SPARE = 24
LIMIT = 64 * 1024 * 1024
SECRETS = ("OPENAI_API_KEY", "EXTRACTOR_API_KEY", "OPENAI_CUSTOM_HEADERS")


class Died(Exception):
    """The other process is gone."""


@dataclass(slots=True)
class Grounder:
    """One other process. Answers come in the order of the questions."""

    command: tuple[str, ...]
    waiting: deque[asyncio.Future[Finished | None]] = field(default_factory=deque)
    process: Process | None = None
    _reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        env = {name: value for name, value in os.environ.items() if name not in SECRETS}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "extractor.runs.grounding_worker", *self.command, stdin=PIPE, stdout=PIPE, env=env, limit=LIMIT
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(self.process))

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def finish(self, asked: Asked) -> Finished | None:
        """The finished document; None where it is to be done here. Raises Died where the process died over it."""
        frame = written(asked)
        mine: asyncio.Future[Finished | None] = asyncio.get_running_loop().create_future()
        self.waiting.append(mine)
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(LENGTH.pack(len(frame)) + frame)
        return await mine

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                parts = await self._parts(process.stdout)
                waiter = self.waiting.popleft()
                if not waiter.done():
                    waiter.set_result(_finished(*parts))
        except asyncio.IncompleteReadError:
            self._died()

    async def _parts(self, stream: asyncio.StreamReader) -> Parts:
        counts, line, packed = LENGTHS.unpack(await stream.readexactly(LENGTHS.size))
        body = await stream.readexactly(counts + line + packed)
        return body[:counts], body[counts : counts + line], body[counts + line :]

    def _died(self) -> None:
        """The first that waits is what it died over; the others are done here."""
        self.process, first = None, True
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_exception(Died()) if first else waiter.set_result(None)
            first = False
        self.waiting.clear()

    async def aclose(self) -> None:
        process, self.process = self.process, None
        if self._reading is not None:
            self._reading.cancel()
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(slots=True)
class Grounders:
    """`number` processes at most, once `width` documents were begun (their questions are to leave first: both want the
    processor) and a few more; `open_questions` tells how many replies may be coming in."""

    task: Task
    command: tuple[str, ...]
    number: int
    open_questions: Callable[[], int] = lambda: 0
    width: int = 0
    begun: int = 0
    _others: list[Grounder] = field(default_factory=list)
    _starting: asyncio.Task[None] | None = None
    _turns: deque[asyncio.Future[Grounder | None]] = field(default_factory=deque)

    def expect(self) -> None:
        """One more document was begun, and will be finished here."""
        self.begun += 1
        if self.begun > max(WARM, self.width) and self.number and self._starting is None:
            self._starting = asyncio.create_task(self._start())

    async def finish(self, asked: Asked) -> Finished:
        other = await self._place()
        for _ in range(2):
            if other is None:
                break
            try:
                found = await other.finish(asked)
                return found if found is not None else self._here(asked)
            except Died:
                other = await self._another(other)
        else:
            raise ExtractorError(
                f"The process that grounds facts died twice over {asked.document.id!r}.",
                hint="Look at this document on its own.",
            )
        return self._here(asked)

    def _here(self, asked: Asked) -> Finished:
        return finished(ground_document(asked, self.task))

    async def _start(self) -> None:
        for _ in range(self.number):
            other = Grounder(self.command)
            await other.start()
            self._others.append(other)

    async def _place(self) -> Grounder | None:
        """Where it is to be done: in the process that has room, or else here, when it is its turn."""
        if not self._turns:
            other = self._free({})
            if other is not None or not self._others:
                return other
            asyncio.get_running_loop().call_soon(self._next)
        mine: asyncio.Future[Grounder | None] = asyncio.get_running_loop().create_future()
        self._turns.append(mine)
        return await mine

    def _next(self) -> None:
        """In each turn of the event loop the others get as much as they have room for, and this process does one."""
        given: dict[int, int] = {}
        here = False
        while self._turns and not here:
            turn = self._turns.popleft()
            if turn.done():  # cancelled
                continue
            other = self._free(given)
            here = other is None
            given[id(other)] = given.get(id(other), 0) + 1
            turn.set_result(other)
        if self._turns:
            asyncio.get_running_loop().call_soon(self._next)

    def _free(self, given: dict[int, int]) -> Grounder | None:
        """The process with the least to do, what is just `given` to it counted in; None where none is alive and has room."""
        least: tuple[int, Grounder | None] = (SPARE + self.open_questions(), None)
        for other in self._others:
            load = len(other.waiting) + given.get(id(other), 0)
            if other.alive and load < least[0]:
                least = (load, other)
        return least[1]

    async def _another(self, dead: Grounder) -> Grounder:
        fresh = Grounder(self.command)
        await fresh.start()
        self._others = [other for other in self._others if other is not dead] + [fresh]
        return fresh

    async def aclose(self) -> None:
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        for other in self._others:
            await other.aclose()


def _finished(counts: bytes, line: bytes, packed: bytes) -> Finished | None:
    raw = orjson.loads(counts)
    return None if raw is None else Finished(**{**raw, "line": line, "packed": packed, "usage": Usage(**raw["usage"])})
