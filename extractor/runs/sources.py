"""Folders become documents: which files there are, and how each kind is read."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.api import as_date
from extractor.errors import DocumentError
from extractor.models import Document
from extractor.runs.entries import Entry

MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Which files of a folder are read: patterns as of pathlib, over paths relative to the folder."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)


def read_document(name: str) -> Document:
    """One document from a file, or from standard input for `-`."""
    if name == "-":
        return Document(id="-", text=decode(sys.stdin.buffer.read(), "standard input"))
    path = Path(name)
    return Document(id=path.stem, text=decode(_read(path), name))


def decode(data: bytes, name: str) -> str:
    """Text out of bytes, kept as it is but for a byte order mark."""
    if b"\x00" in data[:4096]:
        raise DocumentError(f"{name} looks binary.", hint="Give plain text.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise DocumentError(f"{name} is not UTF-8 (byte {exc.start}).", hint="Convert it to UTF-8.") from None


def open_source(folder: Path, options: SourceOptions) -> Iterator[Entry]:
    """The documents of a folder, in the order of their names, each read when it is needed."""
    if not folder.is_dir():
        raise DocumentError(f"There is no folder {str(folder)!r}.", hint="Give the folder that holds the documents.")
    index = _index(folder)
    return (_entry(path, folder, index) for path in _files(folder, options))


def count_source(folder: Path, options: SourceOptions) -> int | None:
    """How many documents the folder holds, as far as its file names tell; None where it is no folder."""
    return sum(1 for _ in _files(folder, options)) if folder.is_dir() else None


def _files(folder: Path, options: SourceOptions) -> Iterator[Path]:
    """The text files of a folder and those below it, by name; links are not followed out of it."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(place, name) for name in names if name.endswith(".txt")]
    for path in sorted(found):
        name = path.relative_to(folder)
        wanted = not options.include or any(name.match(pattern) for pattern in options.include)
        if wanted and not any(name.match(pattern) for pattern in options.exclude):
            yield path


def _entry(path: Path, folder: Path, index: dict[str, dict[str, Any]]) -> Entry:
    key = path.relative_to(folder).as_posix()
    about = index.get(path.stem, {})
    stamp = _stamp(path, about)

    def load() -> Document:
        return Document(
            id=str(about.get("id", key)),
            text=decode(_read(path), key),
            published=as_date(about.get("published")),
            language=about.get("language"),
            title=about.get("title"),
        )

    return Entry(key, stamp, load)


def _stamp(path: Path, about: dict[str, Any]) -> str | None:
    """Changes whenever the file or what the index says of it may have changed."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return f"{stat.st_size}-{stat.st_mtime_ns}-{json.dumps(about, sort_keys=True)}"


def _index(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "index.json"
    if not path.exists():
        return {}
    try:
        return {str(item["id"]): item for item in json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise DocumentError(
            f"{path} is no index: {exc}.", hint='Expected a list of {"id", "published", "language", "title"}.'
        ) from None


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise DocumentError(f"{os.fspath(path)!r} is no regular file.", hint="Only files are read.")
        if path.stat().st_size > MAX_BYTES:
            raise DocumentError(f"{os.fspath(path)!r} has more than {MAX_BYTES:,} bytes.", hint="Cut it.")
        return path.read_bytes()
    except OSError as exc:
        raise DocumentError(f"Cannot read {os.fspath(path)!r}: {exc.strerror}.") from None
