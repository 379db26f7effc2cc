"""Folders become documents: which files there are, under which keys, and what is known of each."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import Any

from extractor.documents import as_date, as_language
from extractor.errors import DocumentError
from extractor.models import Document
from extractor.runs.entries import Entry
from extractor.runs.reading.encodings import decode
from extractor.runs.reading.formats import holds_many, is_read, read_records
from extractor.runs.reading.index import INDEX, Index
from extractor.runs.reading.records import MAX_BYTES, Record, read_items, stream_lines
from extractor.runs.reading.walking import SourceOptions, Walk, walk


def read_document(name: str) -> Document:
    """One document from a file, or from standard input for `-`."""
    if name == "-":
        return Document(id="-", text=decode(sys.stdin.buffer.read(), "standard input"))
    path = Path(name)
    if not is_read(path.name):
        return Document(id=path.stem, text=decode(_read(path), name))
    record = next(read_records(path.name, _read(path), {}), None)
    if record is None:
        raise DocumentError(f"{name} holds no document.")
    return _document(record, path.stem, {}, name)


def open_source(
    folder: Path, options: SourceOptions, tell: Callable[[str], None] = lambda line: None
) -> Iterator[Entry]:
    """The documents of a folder, in the order of their paths, each read when it is needed.

    Links are not followed. What is no regular file, or cannot be read, becomes an entry whose `load` says why, and so
    does a file of many records that holds none. `tell` is told what in the folder is no document.
    """
    if not folder.is_dir():
        raise DocumentError(
            f"There is no folder {os.fspath(folder)!r}.", hint="Give the folder that holds the documents."
        )
    found = walk(folder, options)
    index = Index.of(folder, [*found.paths, *found.left_out])
    for line in _overlooked(found, index, folder):
        tell(line)
    return chain(
        (entry for path in found.paths for entry in _entries(path, folder, index, options)),
        (_closed(error, folder) for error in found.closed),
        (_linked(path, folder) for path in found.links),
    )


def count_source(folder: Path, options: SourceOptions) -> int | None:
    """How many documents the folder holds, as far as file names tell; None where files hold many, or it is no folder."""
    if not folder.is_dir():
        return None
    paths = walk(folder, options).paths
    return None if any(holds_many(path.name) for path in paths) else len(paths)


def _overlooked(found: Walk, index: Index, folder: Path) -> Iterator[str]:
    """What is there and is not read, and what the index names and is not there."""
    if found.other:
        kinds = Counter(path.suffix.lower() or "no ending" for path in found.other)
        told = ", ".join(f"{kind} {number:,}" for kind, number in kinds.most_common(8))
        yield f"Files of kinds that are not read: {len(found.other):,} ({told})."
    if found.indexes:
        yield f"Not read, as it lies below the folder: {_key(found.indexes[0], folder)} and {len(found.indexes) - 1:,} more."
    if found.idle:
        yield f"Patterns that fit no file of the folder: {', '.join(map(repr, found.idle))}."
    if index.unmatched:
        told = ", ".join(index.unmatched[:3]) + (" ..." if len(index.unmatched) > 3 else "")
        yield f"In {INDEX}, but not one file of the folder: {len(index.unmatched):,} ({told})."


def _key(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix().encode("utf-8", "backslashreplace").decode("utf-8")


def _closed(error: OSError, folder: Path) -> Entry:
    """A folder that cannot be looked into stands for the documents in it: it fails, and is told."""
    key = _key(Path(os.fsdecode(error.filename)), folder)
    reason = DocumentError(
        f"Cannot read the folder {key!r}: {error.strerror}.", hint="Give the right to read it, or move it away."
    )
    return Entry(f"{key}/", None, _failing(reason))


def _linked(path: Path, folder: Path) -> Entry:
    """So does a link to a folder."""
    key = _key(path, folder)
    reason = DocumentError(f"{key!r} is a link to a folder.", hint="Links are not followed: give the folder itself.")
    return Entry(f"{key}/", None, _failing(reason))


def _entries(path: Path, folder: Path, index: Index, options: SourceOptions) -> Iterator[Entry]:
    key = _key(path, folder)
    stamp = _stamp(path)
    if stamp is None or not holds_many(path.name):
        yield _single(path, key, stamp, index.about(path), options)
        return
    yield from _many(path, key, _shared(index.about(path)), options)


def _single(path: Path, key: str, stamp: str | None, about: Mapping[str, Any], options: SourceOptions) -> Entry:
    def load() -> Document:
        record = next(read_records(path.name, _read(path), options.fields), None)
        if record is None:
            raise DocumentError(f"{key!r} holds no document.")
        return _document(record, key, about, key)

    return Entry(key, stamp and f"{stamp}-{json.dumps(about, sort_keys=True)}-{sorted(options.fields.items())}", load)


def _shared(about: Mapping[str, Any]) -> dict[str, str]:
    """What the index says of a file of many records holds for each that says nothing of it: not its id or title."""
    return {field: str(about[field]) for field in ("published", "language") if about.get(field) not in (None, "")}


def _many(path: Path, key: str, shared: Mapping[str, str], options: SourceOptions) -> Iterator[Entry]:
    """An entry for each record, taken as it is come to; a record that is broken is a failure of its own."""
    names = _Names(key)
    number = 0
    try:
        for number, record in enumerate(_records(path, options), 1):
            if isinstance(record, DocumentError):
                yield Entry(names.free(number, number), None, _failing(record))
                continue
            name = names.free(record.about.get("id", number), number)
            record = Record(record.text, {**shared, **record.about})
            yield Entry(name, None, lambda record=record, name=name: _document(record, name, {}, name))  # type: ignore[misc]
        if not number:
            raise DocumentError(f"{key!r} holds no records.", hint="Leave it out, or fill it.")
    except DocumentError as exc:
        yield Entry(names.free(number + 1, number + 1) if number else key, None, _failing(exc))


class _Names:
    """The keys of a file's records: their ids, and what is broken or has none by its number; each once."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.taken: set[str] = set()

    def free(self, said: object, number: int) -> str:
        name = f"{self.key}#{said}"
        while name in self.taken:
            name = f"{name}#{number}"
        self.taken.add(name)
        return name


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
        language = as_language(said.get("language"))
    except DocumentError as exc:
        raise DocumentError(f"{name!r}: {exc.message}", hint="Mend its metadata.") from None
    name = said.get("id", key)
    return Document(
        id=name, text=record.text, published=published, language=language, title=said.get("title"),
        url=said.get("url"), path=key if key != name else None,
    )  # fmt: skip


def _stamp(path: Path) -> str | None:
    """Size and time of a regular file; None for what is none, or is not there."""
    try:
        stat = path.lstat()
    except OSError:
        return None
    return f"{stat.st_size}-{stat.st_mtime_ns}" if S_ISREG(stat.st_mode) else None


def _checked(path: Path) -> str:
    """The path as it may be shown. Raises DocumentError for a link, a pipe or a device: they are not opened."""
    shown = os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")
    if not os.path.lexists(path):
        raise DocumentError(f"There is no file {shown!r}.", hint="Give the file that holds the document.")
    if path.is_dir() and not path.is_symlink():
        raise DocumentError(f"{shown!r} is a folder.", hint="For a folder: extractor batch.")
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
