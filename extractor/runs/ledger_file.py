"""The database of a run folder: opened, held by one process, read page by page; the results in it, and the lines made of them.

Which results stand in results.jsonl, and where their lines end, is noted here after they are in the file.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from extractor.errors import OutputError, StorageError
from extractor.llm.journal import WAL, Journal, journal_for, open_database
from extractor.runs.lock import FolderLock, hold

FORMAT = 2
BUSY_SECONDS = 30.0
PAGE = 1000

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    key TEXT PRIMARY KEY, position INTEGER NOT NULL, stamp TEXT, digest TEXT, identity TEXT, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0, cost REAL NOT NULL DEFAULT 0, entities INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0, relations INTEGER NOT NULL DEFAULT 0, rejections TEXT, error TEXT,
    run INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_position ON documents (position);
CREATE INDEX IF NOT EXISTS by_state ON documents (state);
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, identity TEXT NOT NULL, body BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS written (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, identity TEXT NOT NULL, end INTEGER NOT NULL
);
"""
FACTS = "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class Standing(NamedTuple):
    """A line that was noted: its number, its document and question, and where it begins and ends in the file (bytes)."""

    number: int
    key: str
    identity: str
    start: int
    end: int


class LedgerFile:
    """One run folder's ledger, held by one process at a time.

    Raises RunLocked where another process holds it, OutputError where the folder cannot be written,
    StorageError where the file is no ledger or the disk fails.
    """

    def __init__(self, folder: Path, lock: FolderLock | None = None) -> None:
        self.folder = folder
        self.path = folder / "ledger.sqlite"
        self._own_lock = None if lock else hold(folder)
        if lock:
            lock.take()
        self._connections: list[sqlite3.Connection] = []
        try:
            self._open()
        except (sqlite3.Error, StorageError) as exc:
            self._let_go()
            if "readonly" in str(exc) or "unable to open" in str(exc):
                hint = "Give the right to write there, or choose another --out."
                raise OutputError(f"Cannot write {self.path}: {exc}.", hint=hint) from None
            raise self.fault(exc) if isinstance(exc, sqlite3.Error) else exc from None

    def _open(self) -> None:
        journal = journal_for(self.folder)
        self._durable = self._quick = self._connect(journal)
        if self._durable.execute("PRAGMA journal_mode").fetchone()[0] == WAL.mode:
            # What can be found out again need not survive a power cut. Without WAL one connection does both: of two,
            # the one that reads would keep the other one from writing.
            self._quick = self._connect(journal)
            self._quick.execute("PRAGMA synchronous = NORMAL")
        self._durable.executescript(FACTS)
        self.run = int(self.fact("run") or 0)
        if int(self.fact("format") or FORMAT) != FORMAT:
            raise StorageError(
                f"{self.path} is of another format.", hint="Use the version that made it, or a new folder."
            )
        self._durable.executescript(SCHEMA)

    def _connect(self, journal: Journal) -> sqlite3.Connection:
        connection = open_database(self.path, journal, BUSY_SECONDS)
        self._connections.append(connection)
        return connection

    def close(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        for connection in self._connections:
            connection.close()
        if self._own_lock:
            self._own_lock.close()

    # -- facts

    def fact(self, name: str) -> str | None:
        found = self._quick.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def set_facts(self, facts: dict[str, str]) -> None:
        self._write(self._durable, "INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))

    # -- results

    def result(self, key: str) -> bytes:
        """The line of a finished document, without its line end. Raises StorageError where it is damaged."""
        try:
            found = self._quick.execute("SELECT body, checksum FROM results WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error:
            found = None
        if found is None or not isinstance(found[0], bytes) or zlib.crc32(found[0]) != found[1]:
            raise StorageError(
                f"The result of {key!r} in {self.path} is damaged.",
                hint="Run into a new folder: replies are cached.",
            )
        return zlib.decompress(found[0])

    def kept(self, key: str) -> str | None:
        """Which question the result that is kept of a document answers; None where there is none."""
        found = self._quick.execute("SELECT identity FROM results WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    # -- what stands in results.jsonl

    def written(self) -> Iterator[tuple[int, str, str, int]]:
        """Number, key, identity and end (bytes) of each line, in order."""
        return self._pages(
            f"SELECT number, key, identity, end FROM written WHERE number > ? ORDER BY number LIMIT {PAGE}", 0
        )

    def last_written(self, size: int) -> tuple[int, int]:
        """How many lines a file of so many bytes holds whole, and where the last of them ends."""
        query = "SELECT count(*), coalesce(max(end), 0) FROM written WHERE end <= ?"
        number, end = self._quick.execute(query, (size,)).fetchone()
        return int(number), int(end)

    def standing(self, first: int, number: int) -> list[Standing]:
        """The lines from `first` up to (not including) `number`."""
        query = """
            SELECT number, key, identity, coalesce((SELECT b.end FROM written AS b WHERE b.number = a.number - 1), 0), end
            FROM written AS a WHERE number >= ? AND number < ? ORDER BY number"""
        return [Standing(*row) for row in self._quick.execute(query, (first, number))]

    def unwritten(self) -> int:
        """How many documents that the last start finished, or met as finished, have no line."""
        return self._one(
            f"SELECT count(*) FROM documents WHERE run = {self.run} AND state IN ('done', 'empty') "
            "AND key NOT IN (SELECT key FROM written)"
        )

    def note_written(self, lines: list[tuple[int, str, str, int]]) -> None:
        self._write(self._quick, "INSERT OR REPLACE INTO written VALUES (?, ?, ?, ?)", lines)

    def forget_written(self, number: int) -> None:
        """Lines from this number on do not stand in the file. On return that is on the disk: the file may be cut."""
        self._write(self._durable, "DELETE FROM written WHERE number >= ?", [(number,)])

    # -- the database

    def check(self) -> list[str]:
        """What SQLite finds wrong with its own pages, the first of it."""
        try:
            told = [str(row[0]) for row in self._quick.execute("PRAGMA integrity_check(1)")]
        except sqlite3.Error as exc:
            raise self.fault(exc) from None
        return [] if told == ["ok"] else told

    def _pages(self, query: str, place: int) -> Iterator[tuple[Any, ...]]:
        """Rows page by page: an open cursor would hold a snapshot of the database while others write."""

        def pages() -> Iterator[list[tuple[Any, ...]]]:
            last = -1
            while page := self._quick.execute(query, (last,)).fetchall():
                last = page[-1][place]
                yield page

        return chain.from_iterable(pages())

    def _write(self, connection: sqlite3.Connection, query: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(query, rows)
            connection.execute("COMMIT")
        except sqlite3.Error as exc:
            if connection.in_transaction:
                connection.rollback()
            raise self.fault(exc) from None

    def _one(self, query: str) -> int:
        return int(self._quick.execute(query).fetchone()[0])

    def fault(self, exc: sqlite3.Error) -> StorageError:
        """What went wrong with the file, and what to do."""
        if "full" in str(exc) or "I/O" in str(exc):
            free = os.statvfs(self.folder)
            megabytes = free.f_bavail * free.f_frsize // 1_000_000
            hint = f"{megabytes:,} MB are free there; make room and run again: nothing finished is lost."
            return StorageError(f"Cannot write {self.path}: {exc}.", hint=hint)
        hint = "Move it away and run again: replies are cached, so nothing is paid twice."
        return StorageError(f"{self.path} cannot be used: {exc}.", hint=hint)
