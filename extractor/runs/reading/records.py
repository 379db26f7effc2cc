"""Files of many records: JSON lines, JSON, CSV; a broken record is a value, and the next one is read."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from extractor.errors import DocumentError
from extractor.runs.reading.encodings import MARKS, decode

MAX_BYTES = 50_000_000
FIELDS = ("text", "id", "published", "title", "language", "url")
MORE = "\0"
"""The name under which a row keeps the values behind its last column."""
RECORDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a file: its text, and what the file says of it (strings, by our field names)."""

    text: str
    about: Mapping[str, str]


def read_items(name: str, data: bytes, fields: Mapping[str, str]) -> Iterator[Record | DocumentError]:
    """The records of a file that is in memory. Raises DocumentError where nothing more of it can be read."""
    if name.lower().endswith(".gz"):
        data, name = unzip(data, name), name[:-3]
    ending = name.lower()
    if ending.endswith((".csv", ".tsv")):
        return _table(decode(data, name), name, fields)
    if ending.endswith(".json"):
        return _items(decode(data, name), name, fields)
    return _lines(enumerate(decode(data, name).split("\n"), 1), name, fields)


def stream_lines(path: Path, name: str, fields: Mapping[str, str]) -> Iterator[Record | DocumentError]:
    """The records of JSON lines, one in memory at a time. A file in UTF-16 is read whole."""
    try:
        with path.open("rb") as raw:
            head = raw.read(4)
            wide = any(head.startswith(mark) for mark, encoding in MARKS if encoding != "utf-8")
            raw.seek(0)
            if wide:
                yield from read_items(name, raw.read(MAX_BYTES), fields)
                return
            file: Any = gzip.GzipFile(fileobj=raw) if path.name.lower().endswith(".gz") else raw
            yield from _lines(_decoded(file, name), name, fields)
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise DocumentError(f"{name} is no whole gzip file: {exc}.") from None
    except OSError as exc:
        raise DocumentError(f"Cannot read {name}: {exc.strerror}.") from None


def _decoded(file: BinaryIO, name: str) -> Iterator[tuple[int, str | DocumentError]]:
    """Lines by number, each in the encoding that it is in."""
    number = 0
    while line := file.readline(MAX_BYTES):
        number += 1
        try:
            yield number, decode(line, f"{name}, line {number}")
        except DocumentError as exc:
            yield number, exc


def _lines(
    lines: Iterator[tuple[int, str | DocumentError]] | Iterator[tuple[int, str]], name: str, fields: Mapping[str, str]
) -> Iterator[Record | DocumentError]:
    for number, line in lines:
        if isinstance(line, DocumentError):
            yield line
        elif line.strip():
            yield _line(line, f"{name}, line {number}", fields)


def _line(line: str, where: str, fields: Mapping[str, str]) -> Record | DocumentError:
    try:
        return _record(_parse(line, where), where, fields)
    except DocumentError as exc:
        return exc


def _items(text: str, name: str, fields: Mapping[str, str]) -> Iterator[Record | DocumentError]:
    """One object, or a list of them."""
    value = _parse(text, name)
    for number, item in enumerate(value if isinstance(value, list) else [value], 1):
        yield _or_error(item, f"{name}, item {number}", fields)


def _table(text: str, name: str, fields: Mapping[str, str]) -> Iterator[Record | DocumentError]:
    """Rows under a header; nothing is mended: a row with more values than the header has names is a failure of its own."""
    csv.field_size_limit(MAX_BYTES)
    text = text.lstrip("\r\n")
    rows = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=_delimiter(text, name, fields), strict=True, restkey=MORE
    )
    number = 0
    try:
        _check_header(rows.fieldnames or (), name)
        for number, row in enumerate(rows, 1):
            yield _or_error(_whole(row), f"{name}, row {number}", fields)
    except csv.Error as exc:
        raise DocumentError(
            f"{name}, row {number + 1}: {exc}.",
            hint="Nothing behind it was read. Double the quotation marks inside of values.",
        ) from None


def _check_header(names: Sequence[str], file: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1 and name]
    if twice:
        raise DocumentError(f"{file} has the column {twice[0]!r} twice.", hint="Give each column a name of its own.")


def _delimiter(text: str, name: str, fields: Mapping[str, str]) -> str:
    """A tab in .tsv; in .csv a comma, or what spreadsheets of other countries write, where only that gives the text a column."""
    if name.lower().endswith(".tsv"):
        return "\t"
    head = text.split("\n", 1)[0].strip()
    wanted = fields.get("text", "text")
    found = [sign for sign in ",;\t" if wanted in (part.strip(' "') for part in head.split(sign))]
    return found[0] if found else ","


def _whole(row: dict[str, Any]) -> dict[str, Any] | DocumentError:
    more = row.pop(MORE, None)
    if more is None:
        return row
    return DocumentError(
        f"more values than the header has names: {len(row) + len(more)} for {len(row)}.",
        hint="Put values with commas into quotation marks.",
    )


def _or_error(item: Any, where: str, fields: Mapping[str, str]) -> Record | DocumentError:
    if isinstance(item, DocumentError):
        return DocumentError(f"{where}: {item.message}", hint=item.hint)
    try:
        return _record(item, where, fields)
    except DocumentError as exc:
        return exc


def unzip(data: bytes, name: str) -> bytes:
    """Unpacked, as far as the cap: a bomb ends there."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            unpacked = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise DocumentError(f"{name} is no whole gzip file: {exc}.") from None
    if len(unpacked) > MAX_BYTES:
        raise DocumentError(f"{name} unpacks to more than {MAX_BYTES:,} bytes.", hint="Cut it.")
    return unpacked


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise DocumentError(f"{where} is not valid JSON: {exc}.") from None


def _record(item: Any, where: str, fields: Mapping[str, str]) -> Record:
    if not isinstance(item, Mapping):
        raise DocumentError(f"{where}: expected an object, got {type(item).__name__}.")
    text = item.get(fields.get("text", "text"))
    if not isinstance(text, str):
        raise DocumentError(f"{where} has no field {fields.get('text', 'text')!r}.", hint="Name it: --field text=NAME.")
    return Record(text, about_of(item, fields))


def about_of(item: Mapping[Any, Any], fields: Mapping[str, str]) -> dict[str, str]:
    """What a record says of itself, under our names."""
    named = {name: item.get(fields.get(name, name)) for name in FIELDS if name != "text"}
    return {name: str(value) for name, value in named.items() if value not in (None, "")}
