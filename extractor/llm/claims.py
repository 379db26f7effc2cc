"""Equal requests of several processes at the same moment are one call: whoever asks claims the question first.

A claim is a lock on one byte of a file, at a place that the fingerprint gives: the system lets go of it when its
process dies, however it dies. It only ever spares a call: where locks do not work, or are held too long, everybody asks.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: every process asks for itself
    fcntl = None  # type: ignore[assignment]

FIRST_LOOK = 0.02
LONGEST_LOOK = 0.25
# Hexadecimal digits of a fingerprint that make a place in the file: a lock needs no bytes there.
DIGITS = 15
HELD = frozenset({errno.EACCES, errno.EAGAIN})


class Claims:
    """The claims of one process, in the file `path`. `patience` (seconds) is how long another's claim is waited for.

    Locks belong to the process: its own tasks do not wait for each other here, and whoever closes the file lets go of
    the locks of all who have it open in the same process.
    """

    def __init__(
        self, path: Path, *, patience: float = 180.0, clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._path = path
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._file: int | None = None
        self._works = fcntl is not None
        self._held: dict[str, int] = {}

    async def take(self, key: str) -> bool:
        """Claim a question; True where another process had it before, so that its reply may be there by now."""
        if key in self._held or self._lock(key):
            self._held[key] = self._held.get(key, 0) + 1
            return False
        until = self._clock() + self._patience
        pause = FIRST_LOOK
        while self._clock() < until:
            await self._sleep(pause)
            pause = min(LONGEST_LOOK, 2 * pause)
            if key in self._held or self._lock(key):
                break
        # Counted also where patience ended: the lock that is let go of then was never ours, which does no harm.
        self._held[key] = self._held.get(key, 0) + 1
        return True

    def give_back(self, key: str) -> None:
        """The reply is kept, or there is none."""
        self._held[key] -= 1
        if self._held[key]:
            return
        del self._held[key]
        if self._file is not None:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, int(key[:DIGITS], 16))
            except OSError:
                self._works = False

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _lock(self, key: str) -> bool:
        """Whether the question may be asked now: nobody else has it, or locks do not work here."""
        if not self._works:
            return True
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(key[:DIGITS], 16))
        except OSError as exc:
            if exc.errno in HELD and self._file is not None:
                return False
            self._works = False  # no lock file, or a file system without locks
        return True
