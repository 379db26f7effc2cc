"""results.jsonl: one line a finished document, in the order of the input, picked up again after any stop."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from extractor.errors import OutputError, StorageError
from extractor.runs.ledger_file import LedgerFile, Standing

NOTE_EVERY = 256
# Lines at the end of the file that are compared with the ledger at each start.
LOOK_AT = 64

State = Literal["right", "wrong", "older", "unknown"]


class ResultsFile:
    """Takes documents in the order of the input and makes the file hold just their lines.

    Lines that stand there from an earlier run are left as they are for as long as the documents come
    in the same order with the same results; from the first difference on they are written anew out of
    the ledger. What a kill or a power cut left half written is cut off.
    """

    def __init__(self, path: Path, ledger: LedgerFile) -> None:
        self.path = path
        self.ledger = ledger
        self._number = 0
        self._end = 0
        self._noted: list[tuple[int, str, str, int]] = []
        self._file = self._open()
        self._dropped = self._drop_what_does_not_stand()
        self._standing = ledger.written()
        self._expected = next(self._standing, None)

    @property
    def dropped(self) -> int:
        """Bytes that an earlier stop left behind and that were cut off."""
        return self._dropped

    def add(self, key: str, identity: str) -> None:
        """The next finished document of the input."""
        self.add_all([(key, identity)])

    def add_all(self, lines: Iterable[tuple[str, str]]) -> None:
        """The next finished documents of the input (key, identity), in order."""
        for key, identity in lines:
            standing = self._expected
            if standing is not None and standing[1] == key and standing[2] == identity:
                self._number, self._end = self._number + 1, standing[3]
                self._expected = next(self._standing, None)
            else:
                self._write(key, identity)

    def _write(self, key: str, identity: str) -> None:
        """One whose line does not stand there: from here on the file is written anew."""
        self._cut_here()
        line = self.ledger.result(key) + b"\n"
        self._append(line)
        self._end += len(line)
        self._noted.append((self._number, key, identity, self._end))
        self._number += 1
        if len(self._noted) >= NOTE_EVERY:
            self.flush()

    def flush(self) -> None:
        """Make the noted lines known to the ledger, after they are on the disk: no power cut takes a line that is noted."""
        if self._noted:
            self._force()
            self.ledger.note_written(self._noted)
            self._noted = []

    def close(self) -> None:
        """No document follows: whatever else stands in the file goes."""
        self._cut_here()
        self.flush()
        self._force()
        os.close(self._file)

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise OutputError(f"Cannot write {self.path}: {exc.strerror}.", hint="Choose another --out.") from None

    def _drop_what_does_not_stand(self) -> int:
        """Cut the file where it stops to be what was noted, and forget lines that it does not hold."""
        size = os.fstat(self._file).st_size
        number, end = self._standing_of(*self.ledger.last_written(size))
        self.ledger.forget_written(number)
        os.ftruncate(self._file, end)
        return size - end

    def _standing_of(self, number: int, end: int) -> tuple[int, int]:
        """How many of so many lines stay, and where they end: the last are looked at, more where all of those are wrong."""
        while number:
            first = max(0, number - LOOK_AT)
            lines = self.ledger.standing(first, number)
            wrong = next((line for line in lines if state_of(line, self.ledger, self._file) == "wrong"), None)
            if wrong is None:
                break
            number, end = wrong.number, wrong.start
            if number > first:
                break
        return number, end

    def _cut_here(self) -> None:
        """From here on the file is written anew."""
        if self._expected is None and os.lseek(self._file, 0, os.SEEK_CUR) == self._end:
            return
        self._standing, self._expected = iter(()), None
        self.ledger.forget_written(self._number)
        os.ftruncate(self._file, self._end)
        os.lseek(self._file, self._end, os.SEEK_SET)

    def _append(self, line: bytes) -> None:
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as exc:
            raise self._fault(exc) from None

    def _force(self) -> None:
        try:
            os.fsync(self._file)
        except OSError as exc:
            raise self._fault(exc) from None

    def _fault(self, exc: OSError) -> StorageError:
        hint = "Make room and run again: nothing finished is lost."
        return StorageError(f"Cannot write {self.path}: {exc.strerror}.", hint=hint)


def state_of(line: Standing, ledger: LedgerFile, file: int) -> State:
    """What a noted line is against what the ledger keeps: `older` where that is newer, `unknown` where that is damaged.

    Such a line passes for as long as it ends as a line does.
    """
    try:
        wanted = ledger.result(line.key) + b"\n"
    except StorageError:
        return "unknown" if os.pread(file, 1, line.end - 1) == b"\n" else "wrong"
    if ledger.kept(line.key) != line.identity:
        return "older" if os.pread(file, 1, line.end - 1) == b"\n" else "wrong"
    fits = line.end - line.start == len(wanted)
    return "right" if fits and os.pread(file, len(wanted), line.start) == wanted else "wrong"
