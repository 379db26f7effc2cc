"""How fast and how many at once: one pace for all workers, learnt from what the endpoint says."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from extractor.errors import CallTimeout, RateLimited, ServerFault
from extractor.llm.base import LLM, Meter, Reply, Request
from extractor.llm.clock import off_the_clock

FIRST_CONCURRENCY = 32
# Seconds without a sign of trouble after which twice as many may go: too many are told so at once.
RIPE = 0.05
CHARACTERS_A_TOKEN = 3
UNKNOWN_WAIT = 1.0
# An endpoint that refuses and says "at once" is not asked at once for ever.
SHORTEST_WAIT = 0.1


class Limiter:
    """Shared by all workers of a stack. `rpm` and `tpm` are requests and tokens a minute; `max_wait` in seconds."""

    def __init__(self, *, ceiling: int = 64, rpm: float | None = None, tpm: float | None = None, max_wait: float = 120.0,
                 clock: Callable[[], float] = time.monotonic,
                 sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:  # fmt: skip
        self.ceiling = ceiling
        self.max_wait = max_wait
        self.allowed = float(min(ceiling, FIRST_CONCURRENCY))
        self.in_flight = 0
        self.clock = clock
        self.sleep = sleep
        self._interval = 60.0 / rpm if rpm else 0.0
        self._token_interval = 60.0 / tpm if tpm else 0.0
        self._next_slot = 0.0
        self._paused_until = 0.0
        self._learned_interval = 0.0
        self._growing = True
        self._ripening: asyncio.TimerHandle | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from the headers of an answer: the pace that is allowed; nothing left means to wait until the reset."""
        limit = _number(headers.get("x-ratelimit-limit-requests"))
        if limit:
            self._learned_interval = 60.0 / limit
        if headers.get("x-ratelimit-remaining-requests") == "0":
            reset = _seconds(headers.get("x-ratelimit-reset-requests"))
            if reset is not None:
                self._paused_until = max(self._paused_until, self.clock() + min(reset, self.max_wait))

    async def enter(self, tokens: int) -> None:
        """Wait for a place among those in flight, then for the pace."""
        while self.in_flight >= max(1, int(self.allowed)):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            self._ripen()
            with off_the_clock():
                await turn
        self.in_flight += 1
        try:
            while (wait := self._wait(tokens)) > 0:
                with off_the_clock():
                    await self.sleep(wait)
        except BaseException:
            self.leave()
            raise

    def _wait(self, tokens: int) -> float:
        now = self.clock()
        if self._paused_until > now:
            return self._paused_until - now
        step = max(self._interval, self._learned_interval, self._token_interval * tokens)
        if not step:
            return 0.0
        slot = max(self._next_slot, now)
        if slot > now:
            return slot - now
        self._next_slot = slot + step
        return 0.0

    def leave(self) -> None:
        """Make room for as many of those who wait as may go."""
        self.in_flight -= 1
        self._let_in()

    def _ripen(self) -> None:
        """At the beginning: while nobody complains, more may go without a reply having come."""
        if self._growing and self._ripening is None and self.allowed < self.ceiling:
            self._ripening = asyncio.get_running_loop().call_later(RIPE, self._ripe)

    def _ripe(self) -> None:
        self._ripening = None
        if self._growing and self._paused_until <= self.clock():
            self.allowed = min(self.ceiling, 2 * self.allowed)
            self._let_in()
            self._ripen()

    def _let_in(self) -> None:
        room = max(1, int(self.allowed)) - self.in_flight
        while room > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1

    def kept_up(self) -> None:
        """Twice as many in each round at first, then one more in each."""
        self.allowed = min(self.ceiling, self.allowed + (1.0 if self._growing else 1.0 / self.allowed))

    def fell_behind(self) -> None:
        self._growing = False
        self.allowed = max(1.0, self.allowed / 2)

    def pause(self, seconds: float) -> None:
        """All workers wait."""
        self._paused_until = max(self._paused_until, self.clock() + seconds)


@dataclass(slots=True)
class LimitedLLM:
    """Asks at the limiter's pace. A rate limit is a pause, not a failed attempt: the same request is sent again after it."""

    inner: LLM
    limiter: Limiter
    meter: Meter = field(default_factory=Meter)

    async def complete(self, request: Request) -> Reply:
        tokens = sum(len(message.content) for message in request.messages) // CHARACTERS_A_TOKEN
        while True:
            await self.limiter.enter(tokens)
            try:
                reply = await self.inner.complete(request)
                self.limiter.kept_up()
                return reply
            except RateLimited as exc:
                self._pause(exc)
            except (ServerFault, CallTimeout):
                self.limiter.fell_behind()
                raise
            finally:
                self.limiter.leave()

    def _pause(self, exc: RateLimited) -> None:
        self.meter.rate_limited += 1
        seconds = UNKNOWN_WAIT if exc.retry_after is None else max(SHORTEST_WAIT, exc.retry_after)
        if seconds > self.limiter.max_wait:
            raise exc
        self.limiter.fell_behind()
        self.limiter.pause(seconds)
        self.meter.pauses += 1
        self.meter.paused_seconds += seconds

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def _seconds(value: str | None) -> float | None:
    """Seconds out of `1s`, `250ms`, `1m30s` or a plain number."""
    import re

    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", value or "")
    units = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
    return sum(float(number) * units[unit] for number, unit in parts) if parts else None


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None
