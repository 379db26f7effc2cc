"""Questions that wait for a provider's batch, the batches they went out with, and what came back: all of it on the disk.

A request is `waiting` until it is packed into a part (one file, one batch), then `sent` until its
outcome is kept: a reply or an error. What has no outcome when its batch ends waits again.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from extractor import errors
from extractor.errors import ExtractorError, StorageError
from extractor.llm.base import Reply, Tokens
from extractor.llm.journal import journal_for, open_database

TABLES = """
CREATE TABLE IF NOT EXISTS requests (
    fingerprint TEXT PRIMARY KEY, line BLOB NOT NULL, size INTEGER NOT NULL, tokens INTEGER NOT NULL, part INTEGER,
    tries INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_part ON requests (part);
CREATE TABLE IF NOT EXISTS outcomes (fingerprint TEXT PRIMARY KEY, reply TEXT, error TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    number INTEGER PRIMARY KEY, state TEXT NOT NULL, requests INTEGER NOT NULL, file TEXT, batch TEXT,
    tries INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
BUSY_SECONDS = 30.0

Values = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of requests, one batch. `state`: packed, uploading, uploaded, ordering, ordered."""

    number: int
    state: str
    requests: int
    file: str | None = None
    batch: str | None = None
    tries: int = 0


class Outbox:
    """The state of a run's batches, in `folder`. Raises StorageError where it cannot be kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "outbox.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = open_database(self.path, journal_for(folder), BUSY_SECONDS)
            self._db.executescript(TABLES)
            self._db.execute("INSERT OR IGNORE INTO facts VALUES ('run', ?)", (secrets.token_hex(8),))
        except (OSError, sqlite3.Error) as exc:
            raise self._fault(exc) from None
        self.run = str(self._rows("SELECT value FROM facts WHERE name = 'run'")[0][0])

    def close(self) -> None:
        self._db.close()

    # -- requests

    def put(self, lines: list[tuple[str, bytes, int]]) -> None:
        """Keep requests (fingerprint, line, estimated tokens of the prompt) until they are sent; known ones stay as they are."""
        rows = [(key, zlib.compress(line, 1), len(line), tokens) for key, line, tokens in lines]
        self._write("INSERT OR IGNORE INTO requests (fingerprint, line, size, tokens) VALUES (?, ?, ?, ?)", rows)

    def drop_unsent(self, wanted: Set[str]) -> None:
        """Let go of requests that no batch was ordered with and that nobody asks any more: another model, a deleted document."""
        unsent = "SELECT number FROM parts WHERE state IN ('packed', 'uploading')"
        rows = self._rows(f"SELECT fingerprint, part FROM requests WHERE part IS NULL OR part IN ({unsent})")
        dropped = [(key,) for key, _ in rows if key not in wanted]
        parts = [(part,) for part in {part for key, part in rows if part is not None and key not in wanted}]
        self._write("UPDATE requests SET part = NULL WHERE part = ?", parts, also=(
            "UPDATE parts SET state = 'ended' WHERE number = ?", parts
        ))  # fmt: skip
        self._write("DELETE FROM requests WHERE fingerprint = ?", dropped)

    def holds(self, fingerprint: str) -> bool:
        """Whether a request waits or is under way."""
        return bool(self._rows("SELECT 1 FROM requests WHERE fingerprint = ?", fingerprint))

    def line(self, fingerprint: str) -> bytes | None:
        found = self._rows("SELECT line FROM requests WHERE fingerprint = ?", fingerprint)
        return zlib.decompress(found[0][0]) if found else None

    def waiting(self) -> tuple[int, int]:
        """How many requests have no outcome yet, and the estimated tokens of their prompts."""
        count, tokens = self._rows("SELECT count(*), coalesce(sum(tokens), 0) FROM requests")[0]
        return int(count), int(tokens)

    # -- outcomes

    def outcome(self, fingerprint: str) -> Reply | ExtractorError | None:
        found = self._rows("SELECT reply, error FROM outcomes WHERE fingerprint = ?", fingerprint)
        if not found:
            return None
        reply, error = found[0]
        return _reply(reply) if reply is not None else _error(error)

    def keep(self, outcomes: Iterable[tuple[str, Reply | ExtractorError]]) -> None:
        """Keep outcomes and let go of their requests, in one transaction."""
        rows = [
            (key, _written(found), None) if isinstance(found, Reply) else (key, None, _recorded(found))
            for key, found in outcomes
        ]
        self._write("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)", rows, also=(
            "DELETE FROM requests WHERE fingerprint = ?", [(key,) for key, _, _ in rows]
        ))  # fmt: skip

    def forget(self, fingerprint: str) -> None:
        self._write("DELETE FROM outcomes WHERE fingerprint = ?", [(fingerprint,)])

    def clear(self) -> None:
        """All is done: replies are in the cache and results in the ledger."""
        self._write("DELETE FROM outcomes", [()])

    # -- parts

    def pack(self, most_requests: int, most_bytes: int) -> None:
        """Put what waits into parts, none with more requests or bytes than these."""
        bundle: list[str] = []
        size = 0
        for key, length in self._rows("SELECT fingerprint, size FROM requests WHERE part IS NULL ORDER BY fingerprint"):
            if bundle and (len(bundle) >= most_requests or size + length + 1 > most_bytes):
                self._bind(bundle)
                bundle, size = [], 0
            bundle.append(key)
            size += length + 1
        if bundle:
            self._bind(bundle)

    def _bind(self, bundle: list[str]) -> None:
        number = int(self._rows("SELECT coalesce(max(number), 0) + 1 FROM parts")[0][0])
        self._write("INSERT INTO parts (number, state, requests) VALUES (?, 'packed', ?)", [(number, len(bundle))], also=(
            "UPDATE requests SET part = ? WHERE fingerprint = ?", [(number, key) for key in bundle]
        ))  # fmt: skip

    def parts(self) -> list[Part]:
        """Those whose batches have not ended, oldest first."""
        query = "SELECT number, state, requests, file, batch, tries FROM parts WHERE state != 'ended' ORDER BY number"
        return [Part(*row) for row in self._rows(query)]

    def lines(self, part: Part) -> Iterator[bytes]:
        """The requests of a part as the file holds them, one by one."""
        keys = self._rows("SELECT fingerprint FROM requests WHERE part = ? ORDER BY fingerprint", part.number)
        for (key,) in keys:
            line = self.line(key)
            if line is not None:
                yield line + b"\n"

    def note(self, part: Part, state: str, *, file: str | None = None, batch: str | None = None) -> Part:
        """A step of a part, on the disk before the next one is tried."""
        values = (state, file or part.file, batch or part.batch, part.number)
        self._write("UPDATE parts SET state = ?, file = ?, batch = ? WHERE number = ?", [values])
        return Part(part.number, state, part.requests, file or part.file, batch or part.batch, part.tries)

    def again(self, part: Part) -> Part:
        """The provider did not take the batch for now: the file is up, the order is to be given again."""
        self._write(
            "UPDATE parts SET state = 'uploaded', batch = NULL, tries = tries + 1 WHERE number = ?", [(part.number,)]
        )
        return Part(part.number, "uploaded", part.requests, part.file, None, part.tries + 1)

    def end(self, part: Part) -> int:
        """The batch is over and fetched; what has no outcome waits again. Returns how many."""
        left = int(self._rows("SELECT count(*) FROM requests WHERE part = ?", part.number)[0][0])
        self._write("UPDATE parts SET state = 'ended' WHERE number = ?", [(part.number,)], also=(
            "UPDATE requests SET part = NULL, tries = tries + 1 WHERE part = ?", [(part.number,)]
        ))  # fmt: skip
        return left

    def tired(self, most: int) -> list[str]:
        """Requests that were sent so often without an outcome."""
        return [
            key for (key,) in self._rows("SELECT fingerprint FROM requests WHERE part IS NULL AND tries >= ?", most)
        ]

    # -- the database

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as exc:
            raise self._fault(exc) from None

    def _write(self, query: str, rows: Sequence[Values], also: tuple[str, Sequence[Values]] | None = None) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(query, rows)
            if also is not None:
                self._db.executemany(*also)
            self._db.execute("COMMIT")
        except sqlite3.Error as exc:
            if self._db.in_transaction:
                self._db.rollback()
            raise self._fault(exc) from None

    def _fault(self, exc: OSError | sqlite3.Error) -> StorageError:
        return StorageError(f"Cannot keep batches in {self.path}: {exc}.", hint="Make room and run again.")


def _written(reply: Reply) -> str:
    return json.dumps(asdict(reply), ensure_ascii=False)


def _reply(text: str) -> Reply:
    values = json.loads(text)
    return Reply(**{**values, "usage": Tokens(**values["usage"])})


def _recorded(error: ExtractorError) -> str:
    values = {"class": type(error).__name__, "message": error.message, "hint": error.hint, "detail": error.detail}
    return json.dumps(values, ensure_ascii=False, default=str)


def _error(text: str) -> ExtractorError:
    values = json.loads(text)
    kind = getattr(errors, values["class"], ExtractorError)
    found: ExtractorError = kind(values["message"], hint=values["hint"], **values["detail"])
    return found
