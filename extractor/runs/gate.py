"""How many questions a run has open at once, and none more once it stops.

There are more documents at work than questions open, so that the next question leaves the moment a reply is in,
and not after the reply was read, grounded and written.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from extractor.llm.base import LLM, Reply, Request


class Stopped(Exception):
    """The run stops, and this document was not asked about yet: it stays pending."""


@dataclass(slots=True)
class Gate:
    """`width` questions at once; `closed` lets no document begin any more."""

    width: int
    closed: bool = False
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.width)

    def before(self, llm: LLM) -> GatedLLM:
        """For one document."""
        return GatedLLM(llm, self)


@dataclass(slots=True)
class GatedLLM:
    """Asks through the gate. Raises Stopped where the document has not begun and no more may."""

    inner: LLM
    gate: Gate
    begun: bool = False

    async def complete(self, request: Request) -> Reply:
        async with self.gate._places:
            if self.gate.closed and not self.begun:
                raise Stopped
            self.begun = True
            return await self.inner.complete(request)

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        """The inner one is closed by whoever made it."""
