"""A document's time limit, which stands still while it waits for its turn or for the pace: that is no fault of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar


class Clock:
    """The limit of one document; stopped while any of its questions waits."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout
        self._waiting = 0
        self._left: float | None = None

    def stop(self) -> None:
        self._waiting += 1
        when = self._timeout.when()
        if self._waiting == 1 and when is not None:
            with suppress(RuntimeError):  # it has run out already
                self._timeout.reschedule(None)
                self._left = when - asyncio.get_running_loop().time()

    def go_on(self) -> None:
        self._waiting -= 1
        if self._waiting == 0 and self._left is not None:
            with suppress(RuntimeError):  # the document is done, or was let go of
                self._timeout.reschedule(asyncio.get_running_loop().time() + self._left)
            self._left = None


_clock: ContextVar[Clock | None] = ContextVar("clock", default=None)


@contextmanager
def on_the_clock(timeout: asyncio.Timeout) -> Iterator[None]:
    """What is asked within counts against this limit."""
    token = _clock.set(Clock(timeout))
    try:
        yield
    finally:
        _clock.reset(token)


@contextmanager
def off_the_clock() -> Iterator[None]:
    """What is waited for within counts against no limit."""
    clock = _clock.get()
    if clock is None:
        yield
        return
    clock.stop()
    try:
        yield
    finally:
        clock.go_on()
