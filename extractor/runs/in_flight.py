"""How many questions have left and whose replies are not kept yet: a number in a file, so that it outlives the process.

It is what a kill may make paid twice; calls of this process that broke off and were made again are counted in, until the
ledger knows of them. Written with every question and every reply, eight bytes in place: that costs
microseconds, needs no room on a full disk, and is there after kill -9.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from extractor.errors import OutputError
from extractor.runs.run_meter import RunMeter

NUMBER = struct.Struct("<q")


class InFlight:
    """The number in a run folder. `left` is what the last process did not come to: 0 where it ended by itself."""

    def __init__(self, folder: Path, meter: RunMeter) -> None:
        self._path = path = folder / "in-flight"
        self._meter = meter
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            stored = os.pread(self._file, NUMBER.size, 0)
            self.set(0)
        except OSError as exc:
            raise OutputError(f"Cannot write {path}: {exc.strerror}.", hint="Choose another --out.") from None
        self.left = max(0, NUMBER.unpack(stored)[0]) if len(stored) == NUMBER.size else 0
        meter.note = self._write

    def set(self, number: int) -> None:
        """From now on so many questions are open."""
        self._open = number
        self._write()

    def close(self, left: int = 0) -> None:
        """The process ends by itself; `left`: what nobody else could note. Without any, the file goes."""
        self._meter.note = lambda: None
        os.pwrite(self._file, NUMBER.pack(left), 0)
        os.close(self._file)
        if not left:
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        os.pwrite(self._file, NUMBER.pack(self._open + self._meter.new_charges), 0)
