"""How many questions have left and whose replies are not kept yet: a number in a file, so that it outlives the process.

It is what a kill may make paid twice. Written with every question and every reply, eight bytes in place: that costs
microseconds, needs no room on a full disk, and is there after kill -9.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from extractor.errors import OutputError

NUMBER = struct.Struct("<q")


class InFlight:
    """The number in a run folder. `left` is what the last process did not come to: 0 where it ended by itself."""

    def __init__(self, folder: Path) -> None:
        self._path = path = folder / "in-flight"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            stored = os.pread(self._file, NUMBER.size, 0)
            self.set(0)
        except OSError as exc:
            raise OutputError(f"Cannot write {path}: {exc.strerror}.", hint="Choose another --out.") from None
        self.left = max(0, NUMBER.unpack(stored)[0]) if len(stored) == NUMBER.size else 0

    def set(self, number: int) -> None:
        """From now on it is this many."""
        os.pwrite(self._file, NUMBER.pack(number), 0)

    def close(self, left: int = 0) -> None:
        """The process ends by itself; `left`: what nobody else could note. Without any, the file goes."""
        self.set(left)
        os.close(self._file)
        if not left:
            self._path.unlink(missing_ok=True)
