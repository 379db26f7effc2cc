"""Equal requests at the same moment are one call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from extractor.llm.base import LLM, Meter, Reply, Request


@dataclass(slots=True)
class SingleFlightLLM:
    """Whoever asks what is being asked already waits for that reply, or shares its error.

    A waiter that is cancelled leaves the call to the others; the last one takes it along.
    """

    inner: LLM
    meter: Meter = field(default_factory=Meter)
    _flights: dict[str, asyncio.Task[Reply]] = field(default_factory=dict)
    _waiting: dict[asyncio.Task[Reply], int] = field(default_factory=dict)

    async def complete(self, request: Request) -> Reply:
        key = request.fingerprint()
        flight = self._flights.get(key)
        if flight is None or flight.cancelling() or flight.cancelled():
            flight = self._flights[key] = asyncio.create_task(self.inner.complete(request))
            flight.add_done_callback(lambda landed: self._landed(key, landed))
        else:
            self.meter.joined += 1
        self._waiting[flight] = self._waiting.get(flight, 0) + 1
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            if self._waiting.get(flight) == 1 and not flight.done():
                flight.cancel()
            raise
        finally:
            if flight in self._waiting:
                self._waiting[flight] -= 1

    def _landed(self, key: str, flight: asyncio.Task[Reply]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        self._waiting.pop(flight, None)
        if not flight.cancelled():
            flight.exception()  # retrieved here too, so that a call whose waiters all left does not warn

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        await self.inner.aclose()
