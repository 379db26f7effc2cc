"""Folders become documents: which files there are, under which keys, and what is known of each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import Any

from extractor.api import as_date
from extractor.errors import DocumentError
from extractor.models import Document
from extractor.runs.entries import Entry
from extractor.runs.reading.encodings import decode
from extractor.runs.reading.formats import READERS, holds_many, read_records
from extractor.runs.reading.records import MAX_BYTES, Record, read_items, stream_lines

INDEX = "index.json"
NOT_DOCUMENTS = (INDEX, ".gold.json", "README.md")


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Which files are read (patterns as of pathlib, over paths relative to the folder), and the names of their fields.

    `fields` maps ours (text, id, published, title, language, url) to those of the files.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


def read_document(name: str) -> Document:
    """One document from a file, or from standard input for `-`."""
    if name == "-":
        return Document(id="-", text=decode(sys.stdin.buffer.read(), "standard input"))
    path = Path(name)
    if not path.name.lower().removesuffix(".gz").endswith(tuple(e for endings in READERS for e in endings)):
        return Document(id=path.stem, text=decode(_read(path), name))
    record = next(read_records(path.name, _read(path), {}), None)
    if record is None:
        raise DocumentError(f"{name} holds no document.")
    return _document(record, path.stem, {}, name)


def open_source(folder: Path, options: SourceOptions) -> Iterator[Entry]:
    """The documents of a folder, in the order of their paths, each read when it is needed.

    Links are not followed. What is no regular file, or cannot be read, becomes an entry whose `load` says why.
    """
    if not folder.is_dir():
        raise DocumentError(
            f"There is no folder {os.fspath(folder)!r}.", hint="Give the folder that holds the documents."
        )
    index = _index(folder)
    closed: list[OSError] = []
    paths = _files(folder, options, closed.append)
    return chain(
        (entry for path in paths for entry in _entries(path, folder, index, options)),
        (_closed(error, folder) for error in closed),
    )


def count_source(folder: Path, options: SourceOptions) -> int | None:
    """How many documents the folder holds, as far as file names tell; None where files hold many, or it is no folder."""
    if not folder.is_dir():
        return None
    paths = list(_files(folder, options))
    return None if any(holds_many(path.name) for path in paths) else len(paths)


def _closed(error: OSError, folder: Path) -> Entry:
    """A folder that cannot be looked into stands for the documents in it: it fails, and is told."""
    path = Path(os.fsdecode(error.filename))
    key = path.relative_to(folder).as_posix().encode("utf-8", "backslashreplace").decode("utf-8")
    reason = DocumentError(
        f"Cannot read the folder {key!r}: {error.strerror}.", hint="Give the right to read it, or move it away."
    )
    return Entry(f"{key}/", None, _failing(reason))


def _files(
    folder: Path, options: SourceOptions, closed: Callable[[OSError], None] = lambda error: None
) -> Iterator[Path]:
    """Files whose kind is read, by path; `closed` is told of each folder that cannot be looked into."""
    endings = tuple(ending for group in READERS for ending in group)
    found = []
    for place, folders, names in os.walk(folder, onerror=closed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if _is_document(name, endings)]
    for path in sorted(found):
        name = path.relative_to(folder)
        wanted = not options.include or any(name.match(pattern) for pattern in options.include)
        if wanted and not any(name.match(pattern) for pattern in options.exclude):
            yield path


def _is_document(name: str, endings: tuple[str, ...]) -> bool:
    plain = name.lower().removesuffix(".gz")
    return plain.endswith(endings) and not name.endswith(NOT_DOCUMENTS) and not name.startswith(".")


def _entries(path: Path, folder: Path, index: dict[str, dict[str, Any]], options: SourceOptions) -> Iterator[Entry]:
    key = path.relative_to(folder).as_posix().encode("utf-8", "backslashreplace").decode("utf-8")
    stamp = _stamp(path)
    if stamp is None or not holds_many(path.name):
        yield _single(path, key, stamp, index.get(path.name) or index.get(path.stem) or {}, options)
        return
    yield from _many(path, key, options)


def _single(path: Path, key: str, stamp: str | None, about: dict[str, Any], options: SourceOptions) -> Entry:
    def load() -> Document:
        record = next(read_records(path.name, _read(path), options.fields), None)
        if record is None:
            raise DocumentError(f"{key!r} holds no document.")
        return _document(record, key, about, key)

    return Entry(key, stamp and f"{stamp}-{json.dumps(about, sort_keys=True)}-{sorted(options.fields.items())}", load)


def _many(path: Path, key: str, options: SourceOptions) -> Iterator[Entry]:
    """An entry for each record, taken as it is come to; a record that is broken is a failure of its own."""
    seen: set[str] = set()
    number = 0
    try:
        for number, record in enumerate(_records(path, options), 1):
            if isinstance(record, DocumentError):
                yield Entry(f"{key}#{number}", None, _failing(record))
                continue
            name = f"{key}#{record.about.get('id', number)}"
            name = f"{name}#{number}" if name in seen else name
            seen.add(name)
            yield Entry(name, None, lambda record=record, name=name: _document(record, name, {}, name))  # type: ignore[misc]
    except DocumentError as exc:
        yield Entry(f"{key}#{number + 1}", None, _failing(exc))


def _records(path: Path, options: SourceOptions) -> Iterator[Record | DocumentError]:
    """JSON lines are read line by line, however large the file is; files of other kinds whole."""
    if path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return stream_lines(path, _checked(path), options.fields)
    return read_items(path.name, _read(path), options.fields)


def _failing(exc: DocumentError) -> Any:
    def load() -> Document:
        raise exc

    return load


def _document(record: Record, key: str, about: Mapping[str, Any], name: str) -> Document:
    """A record with what it says of itself, and, before that, what the index says of it."""
    said = {**record.about, **{field: str(value) for field, value in about.items() if value not in (None, "")}}
    if not record.text.strip():
        raise DocumentError(f"{name!r} is empty.", hint="Give a text with words in it.")
    try:
        published = as_date(said.get("published", "")[:10] or None)
    except DocumentError as exc:
        raise DocumentError(f"{name!r}: {exc.message}", hint="Mend its metadata.") from None
    return Document(
        id=said.get("id", key), text=record.text, published=published, language=said.get("language"), title=said.get("title"),
        url=said.get("url"),
    )  # fmt: skip


def _stamp(path: Path) -> str | None:
    """Size and time of a regular file; None for what is none, or is not there."""
    try:
        stat = path.lstat()
    except OSError:
        return None
    return f"{stat.st_size}-{stat.st_mtime_ns}" if S_ISREG(stat.st_mode) else None


def _index(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / INDEX
    if not path.exists():
        return {}
    try:
        return {str(item["id"]): item for item in json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise DocumentError(
            f"{path} is no index: {exc}.", hint='Expected a list of {"id", "published", "language", "title"}.'
        ) from None


def _checked(path: Path) -> str:
    """The path as it may be shown. Raises DocumentError for a link, a pipe or a device: they are not opened."""
    shown = os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")
    if _stamp(path) is None:
        raise DocumentError(f"{shown!r} is no regular file.", hint="Links, pipes and devices are not read.")
    return shown


def _read(path: Path) -> bytes:
    """A regular file's bytes."""
    shown = _checked(path)
    try:
        if path.lstat().st_size > MAX_BYTES:
            raise DocumentError(f"{shown!r} has more than {MAX_BYTES:,} bytes.", hint="Cut it.")
        return path.read_bytes()
    except OSError as exc:
        raise DocumentError(f"Cannot read {shown!r}: {exc.strerror}.") from None
