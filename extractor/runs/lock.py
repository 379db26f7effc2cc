"""One process at a time works on a run folder."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from extractor.errors import OutputError, RunLocked

HELD = frozenset({errno.EACCES, errno.EAGAIN})


class FolderLock:
    """A run folder's lock, taken when it is first needed and held until it is closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises RunLocked where another process has it, OutputError where the folder cannot be written."""
        if self._file is None:
            self._file = hold(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def hold(folder: Path) -> IO[str]:
    """Hold the folder's lock file; the operating system lets go of it when the process dies, however it dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / "lock").open("a+", encoding="utf-8")
    except OSError as exc:
        raise OutputError(f"Cannot write to {folder}: {exc.strerror}.", hint="Choose another --out.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno not in HELD:
            file.close()
            hint = "Choose another --out: its file system has no locks."
            raise OutputError(f"Cannot lock {folder}: {exc.strerror}.", hint=hint) from None
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise RunLocked(
            f"Another process works on {folder} (process {owner}).", hint="Wait for it, or stop it."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}")
    file.flush()
    return file
