"""Many small durable writes become few: what is added in one turn of the event loop goes to the disk together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Grouped(Generic[T]):
    """Collects items and hands them to `commit`, in their order, once in each turn of the event loop, or after `wait` seconds.

    `everybody` tells how many there are who may add something: once all of them wait, nothing more can come together.

    `add` returns when the item's batch is committed, and raises what its commit raised. Not in a
    thread: a writer that has to fight for the interpreter with a busy loop takes ten times as long.
    The slower the disk, the more comes together while it is written to.
    """

    def __init__(
        self, commit: Callable[[list[T]], None], wait: float = 0.0, everybody: Callable[[], int | None] = lambda: None
    ) -> None:
        self._commit = commit
        self._wait = wait
        self._everybody = everybody
        self._items: list[T] = []
        self._done: asyncio.Future[None] | None = None
        self._timer: asyncio.Handle | None = None

    async def add(self, item: T) -> None:
        self._items.append(item)
        done = self._done
        if done is None:
            loop = asyncio.get_running_loop()
            self._done = done = loop.create_future()
            self._timer = loop.call_later(self._wait, self.flush)
        if len(self._items) == self._everybody():
            self._soon()
        # Shielded: whoever is cancelled while it waits takes nothing from the others of the batch.
        await asyncio.shield(done)

    def _soon(self) -> None:
        """Not at once: whoever comes last is not to overtake those who wait."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Commit what was added so far."""
        if self._done is None:
            return
        items, done, timer = self._items, self._done, self._timer
        self._items, self._done, self._timer = [], None, None
        if timer is not None:
            timer.cancel()
        try:
            self._commit(items)
            done.set_result(None)
        except Exception as exc:  # handed to everybody whose item was in the batch
            done.set_exception(exc)
            done.exception()
