"""How many questions a run has open at once, none more once it stops, and whose turn it is when replies are in.

There are more documents at work than questions open, so that the next question leaves the moment a reply is in, and
not after it was read, grounded and written. That work is done a few documents at a time, behind whatever
else the event loop has to do: replies that are in are taken, and the next questions sent, before it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from extractor.llm.base import LLM, Reply, Request
from extractor.llm.clock import off_the_clock

# Documents that are read and grounded between two looks at what came in.
TURNS = 3


class Stopped(Exception):
    """The run stops, and this document was not asked about yet: it stays pending."""


@dataclass(slots=True)
class Gate:
    """`width` questions at once; `closed` lets no document begin any more; `open` of them wait for a reply.

    `note` is told each time how many are open.
    """

    width: int
    closed: bool = False
    open: int = 0
    note: Callable[[int], None] = lambda number: None
    _places: asyncio.Semaphore = field(init=False)
    _turns: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.width)

    async def enter(self) -> None:
        """Take one of the places; the wait for it counts against no document's time."""
        if not self._places.locked():
            await self._places.acquire()
            return
        with off_the_clock():
            await self._places.acquire()

    def leave(self) -> None:
        self._places.release()

    def change(self, by: int) -> None:
        """One question more, or one less, is open."""
        self.open += by
        self.note(self.open)

    def before(self, llm: LLM) -> GatedLLM:
        """For one document."""
        return GatedLLM(llm, self)

    async def turn(self) -> None:
        """Wait for one's turn: a few documents in each turn of the event loop."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        if not self._turns:
            loop.call_soon(self._next)
        self._turns.append(mine)
        await mine

    def _next(self) -> None:
        given = 0
        while self._turns and given < TURNS:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                given += 1
        if self._turns:
            asyncio.get_running_loop().call_soon(self._next)


@dataclass(slots=True)
class GatedLLM:
    """Asks through the gate, and gives the reply out when it is the document's turn.

    The place at the gate is free again when the reply is kept, so that no more than `width` replies
    can be lost to a kill. Raises Stopped where the document has not begun and no more may.
    """

    inner: LLM
    gate: Gate
    begun: bool = False

    async def complete(self, request: Request) -> Reply:
        await self.gate.enter()
        try:
            if self.gate.closed and not self.begun:
                raise Stopped
            self.begun = True
            self.gate.change(1)
            try:
                reply = await self.inner.complete(request)
            finally:
                self.gate.change(-1)
        finally:
            self.gate.leave()
        await self.gate.turn()
        return reply

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        """The inner one is closed by whoever made it."""
