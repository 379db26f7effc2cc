"""How a database of ours keeps its journal: WAL, and where a folder is on a network file system one that is rolled back.

WAL shares memory between all who have the database open, which no network file system gives.
"""

from __future__ import annotations

import sqlite3
import warnings
from dataclasses import dataclass
from pathlib import Path

from extractor.file_systems import network_mount

IN_WAL = b"\x02\x02"


@dataclass(frozen=True, slots=True)
class Journal:
    """SQLite's journal_mode, and its number for `synchronous` where everything committed is to survive a power cut."""

    mode: str
    synchronous: int


WAL = Journal("wal", 2)
# EXTRA: the folder is synchronised too when the journal is removed, which is what commits there.
ROLLBACK = Journal("delete", 3)


def journal_for(folder: Path) -> Journal:
    """What is safe in a folder; what is slower is told by a warning, once for a file system."""
    mount = network_mount(folder)
    if mount is None:
        return WAL
    told = f"{mount.place} is a network file system ({mount.kind}): what is kept there is safe, but slower than on a local disk."
    warnings.warn(told, stacklevel=1)
    return ROLLBACK


def open_database(path: Path, journal: Journal, busy: float) -> sqlite3.Connection:
    """A database in that mode, whichever it was in before. Waits `busy` seconds for others; raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=busy, isolation_level=None)
    try:
        if journal.mode != "wal":
            # Who has a database for himself leaves WAL without shared memory.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        mode = connection.execute(f"PRAGMA journal_mode = {journal.mode}").fetchone()[0]
        connection.execute("PRAGMA locking_mode = NORMAL")
        kept = journal if mode == journal.mode else ROLLBACK
        connection.execute(f"PRAGMA synchronous = {kept.synchronous}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def in_wal(path: Path) -> bool:
    """Whether a database is in WAL, told by its header, without opening it."""
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == IN_WAL
    except OSError:
        return False
