"""Replies that were paid for, kept by fingerprint: durable before they are used, checked when they are read.

The only home of diskcache. Rows hold text alone: a row that claims to be a pickle or a file is corrupt, and is neither
loaded nor followed.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from extractor.errors import StorageError
from extractor.llm.base import LLM, Meter, Reply, Request, Tokens
from extractor.llm.claims import Claims
from extractor.llm.grouped import Grouped
from extractor.llm.journal import ROLLBACK, in_wal, journal_for, open_database

if TYPE_CHECKING:
    from diskcache import Cache

FORMAT = 1
BUSY_SECONDS = 60.0


class Corrupt(Exception):
    """A row that is not what was written."""


class ReplyCache:
    """A folder of replies. `size_limit` in bytes and `max_age` in seconds only where they are asked for.

    Raises StorageError where the folder cannot be written or the database is damaged.
    """

    def __init__(self, folder: Path, *, size_limit: int | None = None, max_age: float | None = None) -> None:
        self.folder = folder
        self.size_limit = size_limit
        self.max_age = max_age
        self._cache = self._open()

    def get(self, key: str) -> Reply | None:
        """The reply under a fingerprint; None where there is none. Raises Corrupt where it is damaged."""
        try:
            value = self._cache.get(key)
        except sqlite3.Error as exc:
            raise self._fault(exc) from None
        return None if value is None else read_entry(value)

    def set(self, key: str, reply: Reply) -> None:
        """Keep a reply; on return it is on the disk."""
        try:
            kept = self._cache.set(key, write_entry(reply), expire=self.max_age, retry=True)
        except sqlite3.Error as exc:
            raise self._fault(exc) from None
        if not kept:
            raise StorageError(f"A reply could not be kept in {self.folder}.", hint="Look at the disk, and run again.")

    def set_all(self, entries: list[tuple[str, Reply]]) -> None:
        """Keep several in one transaction; on return they are on the disk."""
        with self._translated(), self._cache.transact(retry=True):
            for key, reply in entries:
                self.set(key, reply)

    def drop(self, key: str) -> None:
        """Forget an entry, so that it is asked anew."""
        with self._translated():
            self._cache.delete(key, retry=True)

    def keys(self) -> Iterator[str]:
        yield from (str(key) for key in self._cache.iterkeys())

    def stats(self) -> dict[str, Any]:
        """Entries and bytes on disk."""
        return {"folder": str(self.folder), "entries": len(self._cache), "bytes": int(self._cache.volume())}

    def verify(self) -> list[str]:
        """The fingerprints of damaged entries."""
        return [key for key in self.keys() if self._is_corrupt(key)]

    def clear(self) -> int:
        """Forget everything; returns how many entries there were."""
        with self._translated():
            return int(self._cache.clear(retry=True))

    def close(self) -> None:
        self._cache.close()

    def _is_corrupt(self, key: str) -> bool:
        try:
            self.get(key)
        except Corrupt:
            return True
        return False

    def _open(self) -> Cache:
        from diskcache import Cache

        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            journal = journal_for(self.folder)
            if journal is ROLLBACK:
                _leave_wal(self.folder / "cache.db")
            return Cache(
                str(self.folder),
                timeout=BUSY_SECONDS,
                disk=_text_disk(),
                eviction_policy="none" if self.size_limit is None else "least-recently-stored",
                size_limit=self.size_limit or 2**62,
                cull_limit=0 if self.size_limit is None else 10,
                sqlite_journal_mode=journal.mode,
                sqlite_synchronous=journal.synchronous,
                disk_min_file_size=2**31 - 1,
                sqlite_mmap_size=0,
                sqlite_cache_size=1024,
            )
        except OSError as exc:
            raise StorageError(
                f"Cannot keep replies in {self.folder}: {exc.strerror}.",
                hint="Choose another --cache-dir, or --no-cache.",
            ) from None
        except sqlite3.Error as exc:
            raise self._fault(exc) from None

    def _fault(self, exc: sqlite3.Error) -> StorageError:
        if "full" in str(exc):
            return StorageError(
                f"The disk is full: {self.folder}.", hint="Make room and run again: nothing finished is lost."
            )
        if "readonly" in str(exc) or "unable to open" in str(exc):
            return StorageError(
                f"Cannot keep replies in {self.folder}: {exc}.", hint="Choose another --cache-dir, or --no-cache."
            )
        if "locked" in str(exc):
            return StorageError(
                f"Others keep the cache {self.folder} busy: {exc}.", hint="Wait for them, and run again."
            )
        return StorageError(
            f"The cache {self.folder} is damaged: {exc}.",
            hint="Move the folder away and run again; extractor cassettes import-cache can fill a new one.",
        )

    def _translated(self) -> _Translated:
        return _Translated(self)


class _Translated:
    def __init__(self, cache: ReplyCache) -> None:
        self.cache = cache

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, sqlite3.Error):
            raise self.cache._fault(exc) from None


@dataclass(slots=True)
class CachedLLM:
    """Answers out of the cache what was asked before; keeps every whole reply before anybody sees it.

    Errors, refusals and truncated replies are not kept. With `claims`, what another process is asking is waited for.
    """

    inner: LLM
    cache: ReplyCache
    meter: Meter = field(default_factory=Meter)
    claims: Claims | None = None
    _writes: Grouped[tuple[str, Reply]] = field(init=False)

    def __post_init__(self) -> None:
        self._writes = Grouped(self.cache.set_all)

    async def complete(self, request: Request) -> Reply:
        key = request.fingerprint()
        reply = self._known(key)
        if reply is not None:
            self.meter.found(reply)
            return reply
        if self.claims is None:
            return await self._ask(key, request)
        waited = await self.claims.take(key)
        try:
            reply = self._known(key) if waited else None
            if reply is not None:
                self.meter.found(reply)
                return reply
            return await self._ask(key, request)
        finally:
            self.claims.give_back(key)

    async def _ask(self, key: str, request: Request) -> Reply:
        reply = await self.inner.complete(request)
        if reply.finish_reason == "stop":
            await self._writes.add((key, reply))
        return reply

    def _known(self, key: str) -> Reply | None:
        try:
            return self.cache.get(key)
        except Corrupt as exc:
            self.meter.cache_corrupt += 1
            self.cache.drop(key)
            warnings.warn(f"A damaged cache entry was dropped and is asked anew: {key[:12]} ({exc}).", stacklevel=2)
            return None

    def forget(self, request: Request) -> None:
        self.cache.drop(request.fingerprint())
        self.inner.forget(request)

    async def aclose(self) -> None:
        self._writes.flush()
        self.cache.close()
        if self.claims is not None:
            self.claims.close()
        await self.inner.aclose()


def _leave_wal(path: Path) -> None:
    """diskcache opens a database as it was opened last: one in WAL leaves it, and its settings say so, before that."""
    if not in_wal(path):
        return
    connection = open_database(path, ROLLBACK, BUSY_SECONDS)
    with suppress(sqlite3.OperationalError):  # a cache that was killed before it had settings
        connection.execute(f"UPDATE Settings SET value = '{ROLLBACK.mode}' WHERE key = 'sqlite_journal_mode'")
    connection.close()


def write_entry(reply: Reply) -> str:
    """A reply as text: format, checksum, and the reply as JSON."""
    values = {
        "text": reply.text,
        "finish_reason": reply.finish_reason,
        "model": reply.model,
        "usage": {"prompt": reply.usage.prompt, "completion": reply.usage.completion, "cached": reply.usage.cached},
    }
    try:
        body = orjson.dumps(values).decode()
    except orjson.JSONEncodeError:  # half of a character: only the standard library writes that
        body = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return f"{FORMAT} {_checksum(body)} {body}"


def read_entry(value: object) -> Reply | None:
    """The reply of an entry; None for one of another format. Raises Corrupt where it is damaged."""
    if not isinstance(value, str):
        raise Corrupt("not text")
    version, _, rest = value.partition(" ")
    if version.isdecimal() and int(version) != FORMAT:
        return None
    checksum, _, body = rest.partition(" ")
    if checksum != _checksum(body):
        raise Corrupt("the checksum does not fit")
    values = _loads(body)
    return Reply(**{**values, "usage": Tokens(**values["usage"])})


def _loads(body: str) -> dict[str, Any]:
    try:
        return dict(orjson.loads(body))
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return dict(json.loads(body))


def _checksum(body: str) -> str:
    return blake2b(body.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _text_disk() -> type:
    """diskcache's Disk, narrowed to text: pickles and files are refused, when written and when read."""
    from diskcache import Disk
    from diskcache.core import MODE_RAW

    class TextDisk(Disk):  # type: ignore[misc]
        def put(self, key: Any) -> tuple[Any, bool]:
            if not isinstance(key, str):
                raise TypeError("a key is a fingerprint")
            return key, True

        def get(self, key: Any, raw: bool) -> Any:
            return str(key)

        def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, str]:
            if read or not isinstance(value, str):
                raise TypeError("an entry is text")
            return 0, MODE_RAW, None, value

        def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
            # Not an exception: diskcache would take some for a miss. What is not text is told by `read_entry`.
            return value if mode == MODE_RAW and filename is None and isinstance(value, str) else b""

        def remove(self, file_path: str) -> None:
            """No entry has a file; one that names a file was tampered with, and the file is left alone."""

    return TextDisk
