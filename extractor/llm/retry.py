"""What may pass by itself is tried again: a closed list of faults, jittered waits, a stated number of attempts.

The only home of tenacity, and the only place that retries.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from extractor.errors import BadEnvelope, CallTimeout, ConnectionFailed, ExtractorError, RateLimited, ServerFault
from extractor.llm.base import LLM, Meter, Reply, Request

RETRYABLE = (CallTimeout, ConnectionFailed, ServerFault, BadEnvelope)
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0

T = TypeVar("T")


@dataclass(slots=True)
class RetryingLLM:
    """Asks up to `attempts` times in all, waiting longer each time; refusals, bad requests and bugs go through at once."""

    inner: LLM
    attempts: int = 5
    meter: Meter = field(default_factory=Meter)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    first_wait: float = FIRST_WAIT

    async def complete(self, request: Request) -> Reply:
        async def once() -> Reply:
            return await self._once(request)

        def count() -> None:
            self.meter.retries += 1

        try:
            return await with_retries(
                once, attempts=self.attempts, first_wait=self.first_wait, on=RETRYABLE, sleep=self.sleep,
                random=self.random, again=count,
            )  # fmt: skip
        except ExtractorError as exc:
            exc.detail.setdefault("attempts", self.attempts if isinstance(exc, RETRYABLE) else 1)
            raise

    async def _once(self, request: Request) -> Reply:
        try:
            return await self.inner.complete(request)
        except RETRYABLE as exc:
            self.meter.charged(bool(exc.detail.get("possibly_billed")))
            raise

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


async def with_retries(
    once: Callable[[], Awaitable[T]],
    *,
    attempts: int,
    first_wait: float = FIRST_WAIT,
    on: tuple[type[ExtractorError], ...] = (*RETRYABLE, RateLimited),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    random: Callable[[], float] = random.random,
    again: Callable[[], None] = lambda: None,
) -> T:
    """What `once` gives, tried up to `attempts` times while it raises one of `on`; `again` is told before each wait."""
    try:
        # Most calls need no more than this, and tenacity's machinery costs a tenth of one.
        return await once()
    except on as exc:
        failures = [exc]

    async def next_try() -> T:
        if failures:
            raise failures.pop()
        return await once()

    from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

    def wait(state: RetryCallState) -> float:
        told = _told(state.outcome.exception() if state.outcome else None)
        backoff: float = min(LONGEST_WAIT, first_wait * 2.0 ** (state.attempt_number - 1))
        return max(told, backoff * (0.5 + random()))

    # Built for each call: one AsyncRetrying shared by tasks mixes up their attempts.
    retrying = AsyncRetrying(
        stop=stop_after_attempt(attempts), wait=wait, retry=retry_if_exception_type(on), sleep=sleep,
        before_sleep=lambda _: again(), reraise=True,
    )  # fmt: skip
    return await retrying(next_try)


def _told(exc: BaseException | None) -> float:
    """Seconds that the endpoint asks to wait, where it does."""
    seconds = exc.detail.get("retry_after") if isinstance(exc, ExtractorError) else None
    return min(LONGEST_WAIT, seconds) if isinstance(seconds, int | float) else 0.0
