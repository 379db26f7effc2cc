"""Whether results.jsonl holds, line by line, what the ledger keeps; and writing it anew out of the ledger where it does not.

A start looks at the end of the file alone; damage in its middle is found here. Memory stays flat: line by line, page by page.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from extractor.errors import DocumentError, OutputError
from extractor.runs.files import replace_file
from extractor.runs.ledger_file import PAGE, LedgerFile
from extractor.runs.results import state_of

SAID = {
    "wrong": "is not what the ledger keeps",
    "older": "is older than what the ledger keeps",
    "unknown": "cannot be compared: the ledger's own copy is damaged, so run into a new folder (replies are cached)",
}


@contextmanager
def ledger_of(run: Path) -> Iterator[LedgerFile]:
    """The ledger of a run folder that nobody works on. Raises DocumentError where there is none, RunLocked, StorageError."""
    if not (run / "ledger.sqlite").is_file():
        raise DocumentError(f"There is no ledger in {run}.", hint="Give a run folder made by extractor batch.")
    with closing(LedgerFile(run)) as ledger:
        try:
            yield ledger
        except sqlite3.Error as exc:  # a page that turns out to be damaged while it is read
            raise ledger.fault(exc) from None


def findings(ledger: LedgerFile) -> Iterator[str]:
    """What is wrong in a run folder, in the order of the results; nothing where all is well."""
    yield from (f"ledger.sqlite: {told}" for told in ledger.check())
    try:
        file = os.open(ledger.folder / "results.jsonl", os.O_RDONLY)
    except FileNotFoundError:
        file = os.open(os.devnull, os.O_RDONLY)
    except OSError as exc:
        raise OutputError(f"Cannot read {ledger.folder / 'results.jsonl'}: {exc.strerror}.") from None
    try:
        yield from _of_lines(ledger, file)
    finally:
        os.close(file)
    unwritten = ledger.unwritten()
    if unwritten:
        yield f"results.jsonl: {unwritten:,} finished documents have no line yet: run the batch again"


def _of_lines(ledger: LedgerFile, file: int) -> Iterator[str]:
    size, place, end = os.fstat(file).st_size, 0, 0
    while lines := ledger.standing(place, place + PAGE):
        for line in lines:
            if line.end > size:
                yield f"results.jsonl:{line.number + 1}: {line.key} and all lines behind it are missing"
                return
            state = state_of(line, ledger, file)
            if state != "right":
                yield f"results.jsonl:{line.number + 1}: {line.key} {SAID[state]}"
            end = line.end
        place = lines[-1].number + 1
    if size > end:
        yield f"results.jsonl: {size - end:,} bytes behind the last line belong to nothing: run the batch again"


def repair(ledger: LedgerFile) -> None:
    """Write results.jsonl anew, with the lines that were noted, in their order. Raises StorageError for a damaged result."""
    replace_file(ledger.folder / "results.jsonl", (ledger.result(row[1]) + b"\n" for row in ledger.written()))
    number, end, noted = 0, 0, []
    for _, key, _, _ in ledger.written():
        end += len(ledger.result(key)) + 1
        noted.append((number, key, ledger.kept(key) or "", end))
        number += 1
        if len(noted) >= PAGE:
            ledger.note_written(noted)
            noted = []
    ledger.note_written(noted)
    ledger.forget_written(number)
